import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { Mark } from '../annotations/near';
import { useMarks } from '../annotations/query';
import { forecastQuery } from '../api/queries';
import type { ForecastDocument, Metric } from '../api/types';
import { sliceText } from '../board/slice';
import { ColorAssignment, useChartColors } from '../charts/colors';
import type { Marker } from '../charts/markers';
import type { DrawnSeries } from '../charts/option';
import { forecastStep, type OutlookPoint, outlookOf } from '../charts/outlook';
import { isSum, shapePoints, unfinishedFrom } from '../charts/shape';
import { useSpeech } from '../i18n/hooks';
import { apiDuration } from '../state/range';
import { type Course, coursesOf, drawingOf, ghostsOf, REST_KEY } from './drawn';
import { keyOfValues } from './slices';
import type { Drawing, ExploreState } from './state';
import type { Exploration } from './useExploration';
import { useMarkers } from './useMarkers';
import { forecastUntil } from './window';

/** What the chart of a page shows, ready to draw. */
export interface Chart {
  drawing: Drawing;
  isStacked: boolean;
  courses: Course[];
  /** Whether slices are left out. */
  isCut: boolean;
  series: DrawnSeries[];
  ghosts: DrawnSeries[];
  /** The past of each course, and of the whole; over a stack only that of the whole is drawn. */
  told: DrawnSeries[];
  ghostLabel: string;
  outlook: OutlookPoint[];
  forecast: { document: ForecastDocument | undefined; isOfOne: boolean } | null;
  markers: Marker[];
  marks: Mark[];
  unfinishedMs: number;
  stepMs: number;
  endMs: number;
  colorOf: (key: string) => string;
  nameOf: (by: Record<string, string | null>, key: string) => string;
}

/** The keys of slices that alone are drawn, in the order of the address. */
export function onlyKeys({ by, only }: Pick<ExploreState, 'by' | 'only'>): string[] {
  return only.map((values) => keyOfValues(values, by));
}

export function useChart(
  metric: Metric,
  state: ExploreState,
  exploration: Exploration,
  pointed: string | null,
): Chart {
  const speech = useSpeech();
  const colors = useChartColors();
  const [assignment] = useState(() => new ColorAssignment());
  const { kind } = metric;
  const isSplit = state.by.length > 0;
  const { lines, totals, wholeLines, wholeTotal, past, nowMs } = exploration;
  const drawing = drawingOf(state.drawing, kind, isSplit);
  const isStacked = drawing === 'stacked' || (drawing === 'bars' && isSum(kind));

  const only = useMemo(() => onlyKeys({ by: state.by, only: state.only }), [state.by, state.only]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: of all that is known, these make the courses
  const { courses, isCut } = useMemo(
    () => coursesOf(exploration, kind, only),
    [lines, totals, wholeLines, wholeTotal, kind, only],
  );
  const nameOf: Chart['nameOf'] = (by, key) => {
    if (key === REST_KEY) return speech.t('chart.rest');
    return Object.keys(by).length > 0 ? sliceText(by, speech) : speech.metric(metric.name);
  };
  const colorOf = (key: string) => {
    const isOther = key === REST_KEY || key.includes('__other__');
    const color = isOther ? colors.other : colors.series[assignment.indexOf(key) % colors.series.length];
    return color || 'currentColor';
  };
  // A new figure, twice a second, must not draw the canvas again: only other courses or other points do.
  const drawnKeys = courses.map(({ key }) => key).join('\n');
  // biome-ignore lint/correctness/useExhaustiveDependencies: names and colours follow the language and the theme
  const series = useMemo(
    () =>
      (lines ? courses : []).map(
        ({ key, by, points }): DrawnSeries => ({
          key,
          name: nameOf(by, key),
          color: colorOf(key),
          points: lines ? shapePoints(points, lines, kind) : [],
          faded: pointed !== null && pointed !== key && drawnKeys.split('\n').includes(pointed),
        }),
      ),
    [lines, wholeLines, drawnKeys, pointed, kind, colors, speech],
  );
  const isAll = only.length === 0;
  const pastLines = past?.lines;
  const pastWhole = past?.wholeLines;
  const wholeName = speech.t('chart.total');
  // biome-ignore lint/correctness/useExhaustiveDependencies: of what is past, its two documents make the courses
  const { ghosts, told } = useMemo(() => {
    const drawn = ghostsOf(past, kind, series, isStacked, isAll, wholeName, colors.axis);
    if (!isStacked || series.length < 2) return { ghosts: drawn, told: drawn };
    const each = ghostsOf(past, kind, series, false, isAll, wholeName, colors.axis);
    return { ghosts: drawn, told: [...each, ...drawn] };
  }, [pastLines, pastWhole, past?.backMs, kind, series, isStacked, isAll, wholeName, colors.axis]);

  // What can be forecast is one course: the whole, the top of a stack of all, or the one slice that is drawn alone.
  const untilMs = forecastUntil(state.span, nowMs);
  const [alone] = state.only;
  const isOfOne = !isSplit || (isAll ? isSum(kind) && isStacked : state.only.length === 1);
  const isForecast = state.forecast && untilMs !== null;
  const where = useMemo(() => {
    const ofSlice = (alone ?? []).map((value, i) => [state.by[i] ?? '', value ?? '']);
    return { ...state.where, ...Object.fromEntries(ofSlice) } as ExploreState['where'];
  }, [alone, state.by, state.where]);
  const asked = forecastQuery(metric.name, apiDuration(forecastStep(exploration.stepMs)), speech.zone, where);
  const forecast = useQuery({ ...asked, enabled: isForecast && isOfOne });
  const shownUntilMs = isForecast && isOfOne ? untilMs : 0;
  const outlook = useMemo(
    () => outlookOf(forecast.data, exploration.stepMs, kind, shownUntilMs),
    [forecast.data, exploration.stepMs, kind, shownUntilMs],
  );
  const { fromMs, toMs } = exploration.stretch;
  const onlySlices = useMemo(
    () =>
      state.only.map((values) =>
        Object.fromEntries(state.by.map((dimension, i) => [dimension, values[i] ?? null])),
      ),
    [state.only, state.by],
  );
  const markers = useMarkers(metric.name, state.where, onlySlices, fromMs, Math.min(toMs, nowMs));
  const marks = useMarks(state.where, fromMs, toMs);
  return {
    drawing,
    isStacked,
    courses,
    isCut,
    series,
    ghosts,
    told,
    ghostLabel: state.compare ? speech.t(`compare.${state.compare}.short`) : '',
    outlook,
    forecast: isForecast ? { document: isOfOne ? forecast.data : undefined, isOfOne } : null,
    markers,
    marks,
    unfinishedMs: lines ? unfinishedFrom(lines) : nowMs,
    stepMs: lines?.step_ms ?? exploration.stepMs,
    endMs: Math.max(toMs, outlook.at(-1)?.atMs ?? 0),
    colorOf,
    nameOf,
  };
}
