import { useQuery } from '@tanstack/react-query';
import type { SeriesQuery } from '../api/paths';
import { comparisonQuery, earlierQuery } from '../api/queries';
import type { Metric, SeriesDocument } from '../api/types';
import type { Stretch } from '../charts/brush';
import { hasFigure } from '../charts/total';
import { serverNow } from '../live/clock';
import { useTick } from '../live/hooks';
import { apiDuration } from '../state/range';
import type { Earlier } from './slices';
import type { ExploreState } from './state';
import { useAnswer, useHeld } from './useAnswer';
import {
  type Asked,
  askedBefore,
  askedFor,
  askedUntil,
  backMs,
  isLive,
  lengthOf,
  stepOf,
  stretchAt,
  wholeSteps,
} from './window';

/** The table lists no more slices than can be looked through. */
export const ROWS_MAX = 100;
/** As many courses as an answer of a megabyte holds. */
const POINTS_ASKED_MAX = 20_000;
const LINES_MAX = 50;
const LINES_MIN = 10;

/** All that the server has said of what is looked at. */
export interface Exploration {
  stepMs: number;
  /** What the chart spans. */
  stretch: Stretch;
  nowMs: number;
  isLive: boolean;
  lines: SeriesDocument | null;
  totals: SeriesDocument | null;
  /** The same without a split. */
  wholeLines: SeriesDocument | null;
  wholeTotal: SeriesDocument | null;
  error: Error | null;
  /** Whether what is shown is still that of the last question. */
  isHeld: boolean;
  past: Past | null;
}

/** The compared time. */
export interface Past {
  backMs: number;
  lines: SeriesDocument | null;
  totals: Earlier | null;
  wholeLines: SeriesDocument | null;
  wholeTotal: Earlier | null;
}

export function useExploration(metric: Metric, state: ExploreState): Exploration {
  const { span, by, where, compare } = state;
  const stepMs = stepOf(span, metric, state.stepMs);
  const tickMs = span.kind === 'last' && lengthOf(span) <= 3_600_000 ? 2_000 : 15_000;
  const nowMs = serverNow(useTick(tickMs));
  const live = isLive(span, nowMs);
  const isSplit = by.length > 0;
  const limit = Math.max(
    LINES_MIN,
    Math.min(LINES_MAX, Math.floor((POINTS_ASKED_MAX * stepMs) / lengthOf(span))),
  );

  const course = (asked: Asked, dimensions: string[]): SeriesQuery => ({
    ...base(asked),
    step: apiDuration(asked.stepMs),
    by: dimensions,
    limit,
  });
  const whole = (asked: Asked, dimensions: string[]): SeriesQuery => ({
    ...base(asked),
    step: apiDuration(asked.wholeMs),
    by: dimensions,
    limit: ROWS_MAX,
  });
  const base = ({ from, to }: Asked) => ({ metric: metric.name, where, from, to });

  const asked = askedFor(span, metric, stepMs);
  const lines = useAnswer(metric.of, course(asked, by), 'series', live);
  const totals = useAnswer(metric.of, whole(asked, by), 'total', live);
  const wholeLines = useAnswer(metric.of, isSplit ? course(asked, []) : null, 'series', live);
  const wholeTotal = useAnswer(metric.of, isSplit ? whole(asked, []) : null, 'total', live);

  const back = backMs(compare ?? 'week', span, stepMs);
  const then = askedFor(span, metric, stepMs, back);
  const thenSoFar = askedUntil(then, nowMs - back, metric.bucket_ms);
  const enabled = compare !== null;
  const pastLines = useQuery({ ...comparisonQuery(course(then, by)), enabled });
  const pastTotals = useQuery({ ...comparisonQuery(whole(thenSoFar, by)), enabled });
  const pastWholeLines = useQuery({ ...comparisonQuery(course(then, [])), enabled });
  const pastWholeTotal = useQuery({ ...comparisonQuery(whole(thenSoFar, [])), enabled });
  const before = useQuery({ ...earlierQuery(whole(askedBefore(span, metric, stepMs, back), [])), enabled });

  const split = [metric.name, ...by].join();
  const shownLines = useHeld(lines.document, split);
  const shownTotals = useHeld(totals.document, split);
  const shownWholeLines = useHeld(wholeLines.document, metric.name);
  const shownWholeTotal = useHeld(wholeTotal.document, metric.name);
  const earlier = (found: SeriesDocument | undefined): Earlier | null =>
    found && before.data ? { totals: found, isWhole: hasFigure(before.data) } : null;
  return {
    stepMs,
    stretch: span.kind === 'last' ? stretchAt(span, nowMs) : wholeSteps(span, stepMs),
    nowMs,
    isLive: live,
    lines: shownLines,
    totals: shownTotals,
    wholeLines: isSplit ? shownWholeLines : shownLines,
    wholeTotal: isSplit ? shownWholeTotal : shownTotals,
    error: lines.document ? null : lines.error,
    isHeld: lines.document === null && shownLines !== null,
    past: enabled
      ? {
          backMs: back,
          lines: pastLines.data ?? null,
          totals: earlier(pastTotals.data),
          wholeLines: pastWholeLines.data ?? null,
          wholeTotal: earlier(pastWholeTotal.data),
        }
      : null,
  };
}
