import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { comparisonQuery, earlierQuery } from '../api/queries';
import type { Metric, TileDefinition } from '../api/types';
import { Sparkline } from '../charts/Sparkline';
import { isSum, shapePoints, unfinishedFrom } from '../charts/shape';
import { hasFigure, totalOf } from '../charts/total';
import type { Span } from '../explore/state';
import { askedBefore, askedFor, backMs } from '../explore/window';
import { changeSince } from '../format/change';
import { figureText, showFigure } from '../format/units';
import { useSpeech } from '../i18n/hooks';
import { useLiveSeries } from '../live/hooks';
import { apiDuration, stepFor } from '../state/range';
import { ChangeBadge } from './ChangeBadge';
import { drillSearch } from './drill';
import { FilterNote } from './FilterNote';
import { PanelError } from './PanelError';
import { appliedTo, type BoardView, tileComparison } from './view';

interface Props {
  tile: TileDefinition;
  metric: Metric;
  view: BoardView;
}

/** One key figure: its value over the range, the change against an earlier time, and its course. It leads to Explore. */
export function Tile({ tile, metric, view }: Props) {
  const speech = useSpeech();
  const { t, locale } = speech;
  const { range, filters } = view;
  const applied = useMemo(() => appliedTo([metric], tile.where, filters), [metric, tile.where, filters]);
  const { where } = applied;
  const compare = tileComparison(view);
  const base = { metric: metric.name, by: [], where };
  const span: Span = { kind: 'last', range };
  const stepMs = stepFor(range, metric);
  const { wholeMs, ...window } = asked(span, metric, stepMs);
  const whole = apiDuration(wholeMs);
  const total = useLiveSeries(metric.of, { ...base, ...window, step: whole }, 'total');
  const course = useLiveSeries(metric.of, { ...base, ...window, step: apiDuration(stepMs) }, 'series');
  const back = backMs(compare ?? 'week', span, metric.bucket_ms);
  const then = asked(span, metric, stepMs, back);
  const past = useQuery({
    ...comparisonQuery({ ...base, from: then.from, to: then.to, step: whole }),
    enabled: compare !== null,
  });
  const before = totalOf(past.data?.series[0], undefined, metric.kind);
  const { wholeMs: beforeMs, ...beforeThen } = asked(span, metric, stepMs, back, true);
  const earlier = useQuery({
    ...earlierQuery({ ...base, ...beforeThen, step: apiDuration(beforeMs) }),
    enabled: compare !== null && before !== null,
  });

  const isExcluded = applied.excluded !== null;
  const unit = total.document?.unit ?? metric.unit;
  const value = isExcluded
    ? null
    : totalOf(total.document?.series[0], course.document?.series[0], metric.kind);
  const shown = showFigure(value, unit, locale);
  const drawn = useMemo(
    () =>
      course.document && !isExcluded
        ? shapePoints(course.document.series[0]?.points ?? [], course.document, metric.kind)
        : [],
    [course.document, metric.kind, isExcluded],
  );
  const title = speech.titled(tile.title, metric.name);
  const earlierText =
    before === null || compare === null
      ? null
      : t('tile.earlier', { time: t(`compare.${compare}`), value: figureText(before, unit, locale) });
  const own = Object.entries(tile.where ?? {}).map(
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
      <h2 className="tile-title" title={tileHint(metric, earlierText, t)}>
        <Link
          to="/explore"
          search={drillSearch({ metric, range, where, compare: view.compare === null ? null : compare })}
          className="ellipsis tile-link"
          data-testid="tile-link"
        >
          <span className="visually-hidden">{t('chart.explore', { name: '' })}</span>
          {title}
        </Link>
        {own.length > 0 && <span className="chip ellipsis">{own.join(', ')}</span>}
      </h2>
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
          {compare !== null && (
            <ChangeBadge
              change={changeSince(value, before, hasFigure(earlier.data), unit, tile.good)}
              since={compare}
              pending={past.isPending || (before !== null && earlier.isPending)}
              hint={earlierText}
            />
          )}
        </>
      )}
      <FilterNote applied={applied} />
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

/** The window of a span, of the compared time that lies `back` before it, or of the week before that one. */
function asked(
  span: Span,
  metric: Metric,
  stepMs: number,
  back = 0,
  isBefore = false,
): { from: string; to: string; wholeMs: number } {
  const { from, to, wholeMs } = isBefore
    ? askedBefore(span, metric, stepMs, back)
    : askedFor(span, metric, stepMs, back);
  return { from, to, wholeMs };
}

function tileHint(metric: Metric, earlier: string | null, t: ReturnType<typeof useSpeech>['t']): string {
  const formula = metric.formula ? t('metric.formula', { formula: metric.formula }) : '';
  return [metric.description, formula, earlier].filter(Boolean).join('\n');
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
