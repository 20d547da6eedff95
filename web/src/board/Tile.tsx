import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { comparisonQuery, earlierQuery } from '../api/queries';
import type { Metric, TileDefinition } from '../api/types';
import { Sparkline } from '../charts/Sparkline';
import { isSum, shapePoints, unfinishedFrom } from '../charts/shape';
import { hasFigure, totalOf } from '../charts/total';
import { changeSince } from '../format/change';
import { figureText, showFigure } from '../format/units';
import { useSpeech } from '../i18n/hooks';
import { useLiveSeries } from '../live/hooks';
import { apiDuration, type Range, stepFor, weekBeforeCompared, wholeStep, windowOf } from '../state/range';
import { ChangeBadge } from './ChangeBadge';
import { PanelError } from './PanelError';

interface Props {
  tile: TileDefinition;
  metric: Metric;
  range: Range;
}

const everything: Record<string, string> = {};

/** One key figure: its value over the range, the change against last week, and its course. */
export function Tile({ tile, metric, range }: Props) {
  const speech = useSpeech();
  const { t, locale } = speech;
  const where = tile.where ?? everything;
  const base = { metric: metric.name, by: [], where };
  const whole = apiDuration(wholeStep(range, metric.bucket_ms));
  const total = useLiveSeries(metric.of, { ...base, ...windowOf(range), step: whole }, 'total');
  const step = apiDuration(stepFor(range, metric));
  const course = useLiveSeries(metric.of, { ...base, ...windowOf(range), step }, 'series');
  const past = useQuery(comparisonQuery({ ...base, ...windowOf(range, 1), step: whole }));
  const before = totalOf(past.data?.series[0], undefined, metric.kind);
  const earlier = useQuery({
    ...earlierQuery({ ...base, ...weekBeforeCompared(range, metric.bucket_ms) }),
    enabled: before !== null,
  });

  const unit = total.document?.unit ?? metric.unit;
  const value = totalOf(total.document?.series[0], course.document?.series[0], metric.kind);
  const shown = showFigure(value, unit, locale);
  const drawn = useMemo(
    () =>
      course.document
        ? shapePoints(course.document.series[0]?.points ?? [], course.document, metric.kind)
        : [],
    [course.document, metric.kind],
  );
  const title = speech.text(tile.title, metric.name);
  const filters = Object.entries(where).map(
    ([name, filter]) => `${speech.dimension(name)}: ${speech.sliceValue(filter)}`,
  );

  return (
    <article
      className="panel tile"
      data-testid="tile"
      data-metric={metric.name}
      data-kind={metric.kind}
      data-unit={unit ?? ''}
      data-value={value ?? ''}
      data-updated-at={total.receivedAtMs ?? ''}
    >
      <h3 className="tile-title" title={tileHint(metric, t)}>
        <span className="ellipsis">{title}</span>
        {filters.length > 0 && <span className="chip ellipsis">{filters.join(', ')}</span>}
      </h3>
      {total.document === null && total.error ? (
        <PanelError error={total.error} compact />
      ) : total.document === null ? (
        <TileSkeleton />
      ) : (
        <>
          <p className="tile-value" data-length={lengthClass(shown.prefix + shown.number + shown.suffix)}>
            {shown.prefix && <span className="unit">{shown.prefix}</span>}
            <span className="number">{shown.number}</span>
            {shown.suffix && (
              <span className={shown.suffix === '%' ? 'unit unit-tight' : 'unit'}>{shown.suffix}</span>
            )}
            {value === null && <span className="visually-hidden">{t('state.noValue')}</span>}
          </p>
          <ChangeBadge
            change={changeSince(value, before, hasFigure(earlier.data), unit, tile.good)}
            pending={past.isPending || (before !== null && earlier.isPending)}
            hint={before === null ? null : t('tile.lastWeek', { value: figureText(before, unit, locale) })}
          />
        </>
      )}
      <div className="tile-spark">
        {course.document && (
          <Sparkline
            points={drawn}
            fromMs={course.document.from}
            // Points stand where their buckets begin, so the newest one comes to lie at the edge.
            toMs={course.document.to - course.document.step_ms}
            unfinishedMs={unfinishedFrom(course.document)}
            fromZero={isSum(metric.kind)}
          />
        )}
      </div>
    </article>
  );
}

function tileHint(metric: Metric, t: ReturnType<typeof useSpeech>['t']): string {
  const formula = metric.formula ? t('metric.formula', { formula: metric.formula }) : '';
  return [metric.description, formula].filter(Boolean).join('\n');
}

/** Long figures are set smaller rather than cut or rounded: money stays exact. */
function lengthClass(text: string): 'short' | 'long' | 'longest' {
  return text.length <= 10 ? 'short' : text.length <= 15 ? 'long' : 'longest';
}

export function TileSkeleton() {
  return (
    <div aria-hidden="true">
      <div className="skeleton skeleton-value" />
      <div className="skeleton skeleton-line" />
    </div>
  );
}
