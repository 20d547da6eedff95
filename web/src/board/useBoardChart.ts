import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useMarks } from '../annotations/query';
import { comparisonQuery, forecastQuery } from '../api/queries';
import type { ChartDefinition, Metric } from '../api/types';
import { ColorAssignment, useChartColors } from '../charts/colors';
import { markersFor } from '../charts/markers';
import type { DrawnSeries } from '../charts/option';
import { forecastStep, outlookOf } from '../charts/outlook';
import { pickSlices, restCourse, restFigure } from '../charts/pick';
import { isSum, shapePoints } from '../charts/shape';
import { totalOf } from '../charts/total';
import { concerns } from '../explore/anomalies';
import { drawingOf, ghostsOf, REST_KEY } from '../explore/drawn';
import type { Span } from '../explore/state';
import { askedFor, backMs } from '../explore/window';
import { useSpeech } from '../i18n/hooks';
import { serverNow } from '../live/clock';
import { useIncidents, useLiveSeries, useTick } from '../live/hooks';
import { sliceKey } from '../live/merge';
import { aheadMs, apiDuration, rangeMs, stepFor, wholeStep, windowOf } from '../state/range';
import type { LegendItem } from './ChartLegend';
import { sliceText } from './slice';
import { type Applied, appliedTo, type BoardView, chartComparison } from './view';

/** More lines than this cannot be told apart; the server picks the largest slices. */
export const SERIES_SHOWN_MAX = 8;
/** Figures are asked for more slices than lines: over one step the server may weigh slices otherwise, and each line has its figure. */
export const FIGURES_MAX = 100;

/** All that a chart of a board shows, ready to draw. */
export function useBoardChart(
  chart: ChartDefinition,
  metric: Metric,
  view: BoardView,
  split: string | null,
  isSeen: boolean,
) {
  const speech = useSpeech();
  const { t, zone } = speech;
  const { range, filters, withForecast } = view;
  const { kind } = metric;
  const isSplit = split !== null;
  const applied: Applied = useMemo(
    () => appliedTo([metric], chart.where, filters),
    [metric, chart.where, filters],
  );
  const { where } = applied;
  const by = isSplit ? [split] : [];
  const window = windowOf(range);
  const stepMs = stepFor(range, metric);
  const courseOf = (dimensions: string[]) => ({
    metric: metric.name,
    where,
    ...window,
    by: dimensions,
    step: apiDuration(stepMs),
    limit: SERIES_SHOWN_MAX,
  });
  const totalsOf = (dimensions: string[]) => ({
    ...courseOf(dimensions),
    step: apiDuration(wholeStep(range, metric.bucket_ms)),
    limit: FIGURES_MAX,
  });
  const live = useLiveSeries(metric.of, courseOf(by), 'series', isSeen);
  const totals = useLiveSeries(metric.of, totalsOf(by), 'total', isSeen);
  const document = applied.excluded === null ? live.document : null;
  const picked = useMemo(
    () => document && pickSlices(document, totals.document, kind, SERIES_SHOWN_MAX),
    [document, totals.document, kind],
  );
  // Sums are stacked, and a stack without its rest would understate the whole. Nothing more is asked for where nothing is cut.
  const hasRest = isSplit && isSum(kind) && picked?.isCut === true;
  const allCourse = useLiveSeries(metric.of, courseOf(hasRest ? [] : by), 'series', isSeen);
  const allTotal = useLiveSeries(metric.of, totalsOf(hasRest ? [] : by), 'total', isSeen);
  const { incidents } = useIncidents();
  const colors = useChartColors();
  const [assignment] = useState(() => new ColorAssignment());
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [pointed, setPointed] = useState<string | null>(null);
  const now = useTick(range === '15m' || range === '1h' ? 2_000 : 15_000, isSeen);

  // The lines and their figures come apart: a new figure, twice a second, must not draw the canvas again.
  const pickedKeys = picked ? [...picked.figures.keys()].join('\n') : '';
  const restValue = useMemo(() => {
    const whole = hasRest ? totalOf(allTotal.document?.series[0], undefined, kind) : null;
    return picked && whole !== null ? restFigure(picked.figures.values(), whole) : 0;
  }, [hasRest, picked, allTotal.document, kind]);
  const wholeSeries = hasRest && restValue !== 0 ? allCourse.document?.series[0] : undefined;
  const slices = useMemo(() => {
    const keys = new Set(pickedKeys.split('\n'));
    const drawn = (document?.series ?? []).filter(({ by }) => keys.has(sliceKey(by)));
    const shown = drawn.map(({ by, points }) => {
      const key = sliceKey(by);
      const isOther = Object.values(by).includes('__other__');
      const color = isOther ? colors.other : colors.series[assignment.indexOf(key) % colors.series.length];
      const name = isSplit ? sliceText(by, speech) : t('chart.total');
      return { key, by, name, color: color || 'currentColor', points };
    });
    if (wholeSeries) {
      const points = restCourse(drawn, wholeSeries);
      shown.push({ key: REST_KEY, by: {}, name: t('chart.rest'), color: colors.other, points });
    }
    return shown;
  }, [document, pickedKeys, wholeSeries, assignment, colors, speech, t, isSplit]);
  const items: LegendItem[] = slices.map(({ key, name, color }) => {
    const value = key === REST_KEY ? restValue : (picked?.figures.get(key) ?? null);
    return { key, name, color, value };
  });

  const drawing = drawingOf(chart.shape ?? null, kind, isSplit);
  const isStacked = isSplit && (drawing === 'stacked' || (drawing === 'bars' && isSum(kind)));
  const series: DrawnSeries[] = useMemo(() => {
    if (!document) return [];
    return slices
      .filter(({ key }) => !hidden.has(key))
      .map(({ key, name, color, points }) => {
        const faded = pointed !== null && pointed !== key;
        return { key, name, color, points: shapePoints(points, document, kind), faded };
      });
  }, [document, slices, hidden, pointed, kind]);

  // What it was like at an earlier time, where that is chosen.
  const compare = chartComparison(view);
  const span: Span = { kind: 'last', range };
  const back = backMs(compare ?? 'week', span, stepMs);
  const then = askedFor(span, metric, stepMs, back);
  const earlier = (dimensions: string[]) =>
    comparisonQuery({ ...courseOf(dimensions), from: then.from, to: then.to, limit: FIGURES_MAX });
  const pastLines = useQuery({ ...earlier(by), enabled: compare !== null });
  const pastWhole = useQuery({ ...earlier([]), enabled: compare !== null && isStacked });
  const isAll = hidden.size === 0;
  const wholeName = t('chart.total');
  const { ghosts, told } = useMemo(() => {
    const past = {
      backMs: back,
      lines: pastLines.data ?? null,
      totals: null,
      wholeLines: pastWhole.data ?? null,
      wholeTotal: null,
    };
    const known = compare === null ? null : past;
    const drawn = ghostsOf(known, kind, series, isStacked, isAll, wholeName, colors.axis);
    if (!isStacked || series.length < 2) return { ghosts: drawn, told: drawn };
    const each = ghostsOf(known, kind, series, false, isAll, wholeName, colors.axis);
    return { ghosts: drawn, told: [...each, ...drawn] };
  }, [compare, back, pastLines.data, pastWhole.data, kind, series, isStacked, isAll, wholeName, colors.axis]);

  // The answer's own `to` is rounded up to a whole step and may lie in the future.
  const toMs = serverNow(now);
  const fromMs = toMs - rangeMs(range);
  // What is forecast is the whole: the line of a chart without a split, or the top of a stack of which nothing is hidden.
  const ahead = withForecast ? aheadMs(range) : null;
  const isForecast = ahead !== null && (!isSplit || isStacked) && applied.excluded === null;
  const asked = forecastQuery(metric.name, apiDuration(forecastStep(stepMs)), zone, where);
  const forecast = useQuery({ ...asked, enabled: isForecast });
  const untilMs = isForecast && isAll ? toMs + ahead : 0;
  const outlook = useMemo(
    () => outlookOf(forecast.data, stepMs, kind, untilMs),
    [forecast.data, stepMs, kind, untilMs],
  );
  const markers = useMemo(() => {
    const found = incidents.filter((incident) => concerns(incident, metric.name, where, []));
    return markersFor(found, metric.name, fromMs, toMs);
  }, [incidents, metric.name, where, fromMs, toMs]);
  const marks = useMarks(where, fromMs, toMs);
  const toggle = (key: string) =>
    setHidden((old) => {
      const next = new Set(old);
      if (!next.delete(key)) next.add(key);
      return next;
    });
  return {
    live,
    document,
    applied,
    where,
    picked,
    slices,
    items,
    series,
    ghosts,
    told,
    ghostLabel: compare ? t(`compare.${compare}.short`) : '',
    compare,
    drawing,
    isStacked,
    hasRest: wholeSeries !== undefined,
    hidden,
    toggle,
    setPointed,
    outlook,
    forecast: ahead === null ? null : { document: forecast.data, isSplit: !isForecast },
    fromMs,
    endMs: Math.max(toMs, outlook.at(-1)?.atMs ?? 0),
    markers,
    marks,
  };
}
