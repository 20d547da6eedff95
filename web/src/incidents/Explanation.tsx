import { useQuery } from '@tanstack/react-query';
import type { Figure, Incident, IncidentExplanation, Metric } from '../api/types';
import { shareText } from '../board/cause';
import { sliceText } from '../board/slice';
import { isSum } from '../charts/shape';
import { toNumber } from '../format/figure';
import { dateTime } from '../format/time';
import { figureText, numberFormat } from '../format/units';
import { useSpeech } from '../i18n/hooks';
import { EventsStatement } from './EventsStatement';
import { PartRow } from './PartRow';
import { besideQuery } from './queries';
import { figuresBeside, restOf, rowScale, sharedDimensions, shareOfRest } from './scale';
import { incidentTexts } from './texts';

interface Props {
  incident: Incident;
  metric: Metric | undefined;
  unit: string | null;
}

/** Why the metric changed: the slices that explain it beside the rest, what else might, against what, and the events. */
export function Explanation({ incident, metric, unit }: Props) {
  const { t } = useSpeech();
  const say = incidentTexts.use();
  const { explanation } = incident;
  return (
    <>
      <section className="panel case-panel" data-testid="explanation" aria-labelledby="explanation-title">
        <header className="panel-head">
          <h2 id="explanation-title">{t('cause.title')}</h2>
        </header>
        {explanation ? (
          <Cause explanation={explanation} metric={metric} unit={unit} />
        ) : (
          <p className="case-empty">{say('cause.none')}</p>
        )}
      </section>
      {explanation?.events_sql && <EventsStatement sql={explanation.events_sql} />}
    </>
  );
}

interface CauseProps {
  explanation: IncidentExplanation;
  metric: Metric | undefined;
  unit: string | null;
}

/** More spans than this are counted, not listed. */
const SPANS_SHOWN = 4;

function Cause({ explanation, metric, unit }: CauseProps) {
  const speech = useSpeech();
  const { t, locale, zone, dimension } = speech;
  const say = incidentTexts.use();
  const { parts, mix, alternatives, compared_with: spans, dimensions_left_out: leftOut } = explanation;
  const adds = metric !== undefined && isSum(metric.kind);
  const by = sharedDimensions(parts);
  const [fromMs, toMs] = [Date.parse(explanation.from), Date.parse(explanation.to)];
  // Slices of a sum are of any size, so that only shares and means can be held against each other.
  const beside = useQuery({
    ...besideQuery(metric?.name ?? '', by, fromMs, toMs),
    enabled: metric !== undefined && !adds && by.length > 0 && toMs > fromMs,
  });
  const others = figuresBeside(beside.data, parts);
  const rest = adds ? restOf(explanation) : null;
  const restShare = shareOfRest(parts);
  const scale = rowScale(
    [
      explanation.value,
      explanation.expected,
      ...parts.flatMap(({ value, expected }) => [value, expected]),
      ...others,
    ],
    unit,
    adds,
  );
  const changeText = (change: Figure | null, of: string | null) => {
    if (of !== 'percent') return figureText(change, of, locale);
    const points = (toNumber(change) ?? 0) * 100;
    const format = numberFormat(locale, { maximumFractionDigits: 1, signDisplay: 'exceptZero' });
    return t('change.points', { size: format.format(points) });
  };
  const time = (at: string) => dateTime(Date.parse(at), locale, zone);
  return (
    <>
      {parts.length === 0 && <p className="case-empty">{t('cause.even')}</p>}
      <ul className="case-parts">
        {parts.map((part) => (
          <PartRow
            key={JSON.stringify(part.slice)}
            name={sliceText(part.slice, speech)}
            slice={part.slice}
            value={part.value}
            expected={part.expected}
            share={part.share}
            affected={part.affected}
            denominator={part.denominator}
            others={others}
            unit={unit}
            scale={scale}
          />
        ))}
        {parts.length > 0 && (rest || restShare !== null) && (
          <PartRow
            name={say('cause.rest')}
            value={rest?.value ?? null}
            expected={rest?.expected ?? null}
            share={restShare}
            unit={unit}
            scale={scale}
            isRest
          />
        )}
        <PartRow
          name={say('cause.all')}
          value={explanation.value}
          expected={explanation.expected}
          share={null}
          unit={unit}
          scale={scale}
          isRest
        />
      </ul>
      <p className="case-key" aria-hidden="true">
        <span>
          <span className="part-dot part-dot-expected" /> {t('cause.expected')}
        </span>
        <span>
          <span className="part-dot" /> {say('cause.came')}
        </span>
        {others.length > 0 && (
          <span>
            <span className="part-tick" /> {say('cause.others')}
          </span>
        )}
      </p>
      <dl className="case-reasons">
        {mix && (
          <div>
            <dt>{say('cause.mix')}</dt>
            <dd>
              {t('cause.mix', {
                slice: sliceText(mix.slice, speech),
                before: shareText(mix.traffic_before, locale),
                now: shareText(mix.traffic, locale),
              })}{' '}
              {toNumber(mix.shift) !== null && say('cause.shift', { shift: changeText(mix.shift, unit) })}
            </dd>
          </div>
        )}
        {alternatives.length > 0 && (
          <div>
            <dt>{say('cause.alternatives')}</dt>
            <dd>
              <ul>
                {alternatives.map(({ slices }) => {
                  const text = slices.map((slice) => sliceText(slice, speech)).join(' + ');
                  return <li key={text}>{text}</li>;
                })}
              </ul>
            </dd>
          </div>
        )}
        <div>
          <dt>{say('cause.time')}</dt>
          <dd>
            {time(explanation.from)} – {time(explanation.to)}
          </dd>
        </div>
        {spans.length > 0 && (
          <div>
            <dt>{say('cause.against')}</dt>
            <dd>
              <ul>
                {spans.slice(0, SPANS_SHOWN).map((span) => (
                  <li key={span.from}>
                    {time(span.from)} – {time(span.to)}
                  </li>
                ))}
                {spans.length > SPANS_SHOWN && (
                  <li>{say('cause.moreSpans', { count: spans.length - SPANS_SHOWN })}</li>
                )}
              </ul>
            </dd>
          </div>
        )}
        <div>
          <dt>{say('cause.lookedAt')}</dt>
          <dd>{explanation.dimensions.map(dimension).join(', ') || '–'}</dd>
        </div>
        {leftOut.length > 0 && (
          <div>
            <dt>{say('cause.leftOut')}</dt>
            <dd>{leftOut.map(dimension).join(', ')}</dd>
          </div>
        )}
      </dl>
    </>
  );
}
