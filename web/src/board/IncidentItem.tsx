import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { metricsQuery } from '../api/queries';
import type { Incident } from '../api/types';
import { briefTime, dateTime, durationText } from '../format/time';
import { figureText, probabilityText } from '../format/units';
import { en, type MessageKey } from '../i18n/en';
import { type Speech, useSpeech } from '../i18n/hooks';
import { SeverityIcon } from '../shell/icons';
import { IncidentActions } from './IncidentActions';
import { CauseLine, CauseTable } from './IncidentCause';
import { incidentSentence } from './incidentSentence';
import { incidentSize } from './incidentSize';
import { retold } from './retold';
import { sliceText } from './slice';

interface Props {
  incident: Incident;
  /** Incidents of other monitors that have the same cause. */
  parts: readonly Incident[];
  nowMs: number;
  /** What the board calls a metric. */
  metricTitle: (metric: string) => string;
}

/** One incident: what, where, how much, since when; its story and the ways to act on it unfold below. */
export function IncidentItem({ incident, parts, nowMs, metricTitle }: Props) {
  const speech = useSpeech();
  const { t, locale, zone } = speech;
  const startedMs = Date.parse(incident.started_at);
  const endMs = incident.resolved_at === null ? nowMs : Date.parse(incident.resolved_at);
  const duration = durationText(endMs - startedMs, locale);
  const unit = useQuery(metricsQuery).data?.get(incident.metric)?.unit ?? incident.unit;
  return (
    <li
      id={incident.id}
      className="incident"
      tabIndex={-1}
      data-testid="incident"
      data-incident={incident.id}
      data-metric={incident.metric}
      data-severity={incident.severity}
      data-state={incident.state}
      data-slice={JSON.stringify(incident.slice)}
      data-value={incident.value ?? ''}
    >
      <div className="incident-head">
        <span className="severity">
          <SeverityIcon severity={incident.severity} />
          {t(`severity.${incident.severity}`)}
        </span>
        <Link
          to="/incidents/$id"
          params={{ id: incident.id }}
          className="incident-metric ellipsis"
          title={incident.metric}
        >
          {metricTitle(incident.metric)}
        </Link>
        <span className="incident-state">{t(`incidentState.${incident.state}`)}</span>
      </div>
      <p className="incident-slice">
        <Slice slice={incident.slice} speech={speech} />
      </p>
      <p className="incident-size">
        <span>{incidentSize(incident, unit, speech)}</span>
        {incident.impact && (
          <span className="incident-affected" data-testid="incident-impact" title={incident.impact.metric}>
            {t(incident.impact.of === 'passed' ? 'incident.inAll' : 'incident.atStake', {
              amount: figureText(incident.impact.value, incident.impact.unit, locale),
            })}
          </span>
        )}
        {incident.affected !== null && incident.affected !== undefined && (
          <span className="incident-affected">
            {t('incident.affected', { count: figureText(incident.affected, 'count', locale) })}
          </span>
        )}
        {incident.passed !== null && incident.passed !== undefined && (
          <span className="incident-affected">
            {t('incident.passed', { count: figureText(incident.passed, 'count', locale) })}
          </span>
        )}
      </p>
      <CauseLine incident={incident} speech={speech} />
      <p className="incident-time dim">
        <time dateTime={incident.started_at} title={dateTime(startedMs, locale, zone)}>
          {t('incident.since', { time: briefTime(startedMs, nowMs, locale, zone) })}
        </time>
        <span aria-hidden="true"> · </span>
        {t(incident.resolved_at === null ? 'incident.for' : 'incident.lasted', { duration })}
      </p>
      <details>
        <summary>{t('incident.details')}</summary>
        <IncidentStory
          incident={incident}
          speech={speech}
          metricTitle={metricTitle(incident.metric)}
          unit={unit}
        />
        <IncidentActions incident={incident} />
      </details>
      {parts.length > 0 && (
        <ul className="incident-parts" aria-label={t('incident.parts')}>
          {parts.map((part) => (
            <li
              key={part.id}
              id={part.id}
              data-testid="incident-part"
              data-state={part.state}
              data-slice={JSON.stringify(part.slice)}
            >
              <strong>{metricTitle(part.metric)}</strong> {sliceText(part.slice, speech)}:{' '}
              {incidentSize(part, part.unit, speech)}
              <details>
                <summary>{t('incident.details')}</summary>
                <p>{incidentSentence(part, part.unit, metricTitle(part.metric), speech).text}</p>
                <IncidentActions incident={part} />
              </details>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function Slice({ slice, speech }: { slice: Record<string, string>; speech: Speech }) {
  const entries = Object.entries(slice);
  if (entries.length === 0) return <span className="slice-part">{sliceText(slice, speech)}</span>;
  return entries.map(([dimension, value]) => (
    <span key={dimension} className="slice-part">
      <span className="slice-dimension">{speech.dimension(dimension)}</span>
      <span className="slice-value">{speech.sliceValue(value)}</span>
    </span>
  ));
}

interface StoryProps {
  incident: Incident;
  speech: Speech;
  metricTitle: string;
  unit: string | null;
}

function IncidentStory({ incident, speech, metricTitle, unit }: StoryProps) {
  const { t, locale, zone } = speech;
  const { numerator, denominator, probability } = incident;
  const isCounted =
    numerator !== null && numerator !== undefined && denominator !== null && denominator !== undefined;
  return (
    <div className="incident-story">
      <p>{incidentSentence(incident, unit, metricTitle, speech).text}</p>
      <dl>
        <dt>{t('incident.monitor')}</dt>
        <dd>{incident.monitor}</dd>
        {incident.owner && (
          <>
            <dt>{t('incident.owner')}</dt>
            <dd>{incident.owner}</dd>
          </>
        )}
        {isCounted && (
          <>
            <dt>{metricTitle}</dt>
            <dd>
              {t('incident.ofTotal', {
                numerator: figureText(numerator, 'count', locale),
                denominator: figureText(denominator, 'count', locale),
              })}
            </dd>
          </>
        )}
        {probability !== null && probability !== undefined && (
          <>
            <dt>{t('incident.probability')}</dt>
            <dd>{probabilityText(probability, locale)}</dd>
          </>
        )}
      </dl>
      <CauseTable incident={incident} unit={unit} speech={speech} />
      {incident.timeline.length > 0 && (
        <ol className="timeline" aria-label={t('incident.timeline')}>
          {incident.timeline.map((entry, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a timeline only grows at its end
            <li key={`${entry.at}-${i}`} data-kind={entry.kind}>
              <time dateTime={entry.at} title={dateTime(Date.parse(entry.at), locale, zone)}>
                {briefTime(Date.parse(entry.at), Date.now(), locale, zone)}
              </time>
              <span>
                <strong>{timelineKind(entry.kind, speech)}</strong>{' '}
                {retold(entry.text, () => metricTitle, speech)}
              </span>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

function timelineKind(kind: string, speech: Speech): string {
  const key = `timeline.${kind}`;
  return Object.hasOwn(en, key) ? speech.t(key as MessageKey) : kind;
}
