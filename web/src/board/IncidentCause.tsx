import { useState } from 'react';
import type { ExplainedPart, Incident } from '../api/types';
import { dateTime } from '../format/time';
import { figureText } from '../format/units';
import type { Speech } from '../i18n/hooks';
import { partsBeyond, shareText } from './cause';
import { sliceText } from './slice';

interface Props {
  incident: Incident;
  unit: string | null;
  speech: Speech;
}

/** The slices that explain an incident in one line, where they say more than its own slice. */
export function CauseLine({ incident, speech }: Omit<Props, 'unit'>) {
  const parts = partsBeyond(incident);
  if (parts.length === 0) return null;
  return (
    <p className="incident-cause" data-testid="incident-cause">
      <span className="slice-dimension">{speech.t('incident.explainedBy')}</span>
      {parts.map((part) => (
        <span key={JSON.stringify(part.slice)}>
          <strong>{sliceText(part.slice, speech)}</strong> {shareText(part.share, speech.locale)}
        </span>
      ))}
    </p>
  );
}

/** The whole explanation: which slices, by how much, against what time, what else might be, and the events behind it. */
export function CauseTable({ incident, unit, speech }: Props) {
  const { t, locale, zone } = speech;
  const explanation = incident.explanation;
  if (!explanation) return null;
  const time = (at: string) => dateTime(Date.parse(at), locale, zone);
  const [against] = explanation.compared_with;
  const { mix } = explanation;
  return (
    <section className="cause" data-testid="incident-explanation" aria-label={t('cause.title')}>
      <h5>{t('cause.title')}</h5>
      {explanation.parts.length === 0 ? (
        <p>{t('cause.even')}</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">{t('cause.slice')}</th>
              <th scope="col" className="number">
                {t('cause.value')}
              </th>
              <th scope="col" className="number">
                {t('cause.expected')}
              </th>
              <th scope="col" className="number">
                {t('cause.share')}
              </th>
            </tr>
          </thead>
          <tbody>
            {explanation.parts.map((part) => (
              <PartRow key={JSON.stringify(part.slice)} part={part} unit={unit} speech={speech} />
            ))}
          </tbody>
        </table>
      )}
      {mix && (
        <p>
          {t('cause.mix', {
            slice: sliceText(mix.slice, speech),
            before: shareText(mix.traffic_before, locale),
            now: shareText(mix.traffic, locale),
          })}
        </p>
      )}
      {explanation.alternatives.length > 0 && (
        <p>
          {t('cause.alternatives', {
            slices: explanation.alternatives
              .slice(0, 3)
              .map(({ slices }) => slices.map((slice) => sliceText(slice, speech)).join(' + '))
              .join('; '),
          })}
        </p>
      )}
      {against && (
        <p className="dim">{t('cause.against', { from: time(against.from), to: time(against.to) })}</p>
      )}
      {explanation.dimensions_left_out.length > 0 && (
        <p className="dim">
          {t('cause.leftOut', {
            dimensions: explanation.dimensions_left_out.map(speech.dimension).join(', '),
          })}
        </p>
      )}
      {explanation.events_sql && <EventsSql sql={explanation.events_sql} speech={speech} />}
    </section>
  );
}

function PartRow({ part, unit, speech }: { part: ExplainedPart; unit: string | null; speech: Speech }) {
  const { locale } = speech;
  return (
    <tr>
      <th scope="row">{sliceText(part.slice, speech)}</th>
      <td className="number">{figureText(part.value, unit, locale)}</td>
      <td className="number">{figureText(part.expected, unit, locale)}</td>
      <td className="number">{shareText(part.share, locale)}</td>
    </tr>
  );
}

/** The statement for the raw events behind it, to be copied. */
function EventsSql({ sql, speech }: { sql: string; speech: Speech }) {
  const [copied, setCopied] = useState(false);
  return (
    <details className="cause-sql">
      <summary>{speech.t('cause.events')}</summary>
      <pre>
        <code>{sql}</code>
      </pre>
      <button
        type="button"
        className="button"
        onClick={() => {
          // Without permission to copy the text is there to be marked.
          navigator.clipboard?.writeText(sql).then(
            () => setCopied(true),
            () => setCopied(false),
          );
        }}
      >
        {speech.t(copied ? 'cause.copied' : 'cause.copy')}
      </button>
    </details>
  );
}
