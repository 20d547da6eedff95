import type { EChartsCoreOption } from 'echarts/core';
import type { Figure } from '../api/types';
import { toNumber } from '../format/figure';
import { clockTime, dayName } from '../format/time';
import { axisText, valueAxis } from './axis';
import { bars, ghostLine } from './bars';
import type { ChartColors } from './colors';
import type { OutlookPoint } from './outlook';
import { type DrawnPoint, splitUnfinished } from './shape';
import { aligned } from './stack';

/** One line of a chart. The name is data: it is drawn by React only, never handed to ECharts. */
export interface DrawnSeries {
  key: string;
  name: string;
  color: string;
  points: DrawnPoint[];
  /** Another series is pointed at in the legend. */
  faded: boolean;
}

/** A value to compare with, as a bound or what was expected: a dashed line across the time it is meant for. */
export interface Level {
  key: string;
  name: string;
  color: string;
  value: Figure;
  fromMs: number;
  toMs: number;
}

export interface ChartView {
  series: DrawnSeries[];
  fromMs: number;
  toMs: number;
  /** What begins here or later may still change; it is drawn dashed and paler. */
  unfinishedMs: number;
  unit: string | null;
  stacked: boolean;
  fromZero: boolean;
  /** What is expected of the whole; empty where nothing is. */
  outlook: OutlookPoint[];
  levels?: readonly Level[] | undefined;
  /** The courses of an earlier time, moved to now: fainter lines that count for nothing. */
  ghosts?: readonly DrawnSeries[] | undefined;
  /** Bars over steps of this length instead of lines. */
  barMs?: number | undefined;
  locale: string;
  zone: string;
}

/** What the canvas takes over from the style sheet. */
export interface TypeSetting {
  remPx: number;
  family: string;
}

/** Height kept free above the plot, in rem, for the flags of incidents. */
export const FLAGS_REM = 1.25;

export function chartOption(view: ChartView, colors: ChartColors, type: TypeSetting): EChartsCoreOption {
  const { remPx, family } = type;
  const courses = view.series.map(({ points }) => points);
  const band = view.outlook.flatMap(({ low, high }) => [low, high]);
  const levels = (view.levels ?? []).flatMap(({ value }) => toNumber(value) ?? []);
  const past = (view.ghosts ?? []).flatMap(({ points }) => points.flatMap(([, value]) => value ?? []));
  // A bar stands on the ground: cut off at its foot, it would lie about its size.
  const fromZero = view.fromZero || view.barMs !== undefined;
  const axis = valueAxis(courses, view.unit, view.stacked, fromZero, [...band, ...levels, ...past]);
  const label = {
    color: colors.axis,
    fontSize: Math.round(remPx * 0.75),
    fontFamily: family,
    hideOverlap: true,
  };
  return {
    animation: false,
    useUTC: view.zone === 'UTC',
    grid: {
      left: Math.round(remPx * 0.25),
      right: Math.round(remPx * 0.75),
      top: Math.round(remPx * FLAGS_REM),
      bottom: Math.round(remPx * 0.25),
      outerBoundsMode: 'same',
      outerBoundsContain: 'axisLabel',
    },
    xAxis: {
      type: 'time',
      min: view.fromMs,
      max: view.toMs,
      axisLine: { lineStyle: { color: colors.pointer } },
      axisTick: { show: false },
      splitLine: { show: false },
      splitNumber: 5,
      axisLabel: { ...label, showMinLabel: false, showMaxLabel: false, formatter: timeLabel(view) },
    },
    yAxis: {
      type: 'value',
      ...axis,
      splitLine: { lineStyle: { color: colors.grid } },
      axisLabel: { ...label, formatter: (value: number) => axisText(value, view.unit, view.locale, axis) },
    },
    series: [
      ...outlookLines(view, colors),
      ...levelLines(view),
      ...(view.ghosts ?? []).map((ghost) => ghostLine(ghost, (view.barMs ?? 0) / 2)),
      ...(view.stacked ? aligned(view.series) : view.series).flatMap((series) => {
        if (view.barMs !== undefined) return [bars(series, { ...view, barMs: view.barMs })];
        const { finished, unfinished } = splitUnfinished(series.points, view.unfinishedMs);
        return [
          line(series, finished, view.stacked, false),
          ...(unfinished.length > 0 ? [line(series, unfinished, view.stacked, true)] : []),
        ];
      }),
    ],
  };
}

/**
 * What is expected as a dashed line, and its band: the area between its lower end, which is not drawn, and what is
 * stacked on that. It is that of the whole, so among several series it has the colour of none.
 */
function outlookLines({ outlook, series, stacked }: ChartView, colors: ChartColors): unknown[] {
  if (outlook.length === 0) return [];
  const color = (stacked ? undefined : series[0]?.color) ?? colors.axis;
  const shared = { type: 'line', silent: true, symbol: 'none', z: 1, itemStyle: { color } };
  const edge = { ...shared, stack: 'outlook', stackStrategy: 'all', lineStyle: { opacity: 0 } };
  return [
    { ...edge, id: 'outlook low', data: outlook.map(({ atMs, low }) => [atMs, low]) },
    {
      ...edge,
      id: 'outlook band',
      data: outlook.map(({ atMs, low, high }) => [atMs, high - low]),
      areaStyle: { color, opacity: 0.14 },
    },
    {
      ...shared,
      id: 'outlook',
      data: withDots(outlook.map(({ atMs, value }): DrawnPoint => [atMs, value])),
      lineStyle: { color, width: 1.5, type: [6, 4], opacity: 0.85 },
    },
  ];
}

function levelLines({ levels = [] }: ChartView): unknown[] {
  return levels.map(({ key, color, value, fromMs, toMs }) => {
    const number = toNumber(value);
    return {
      id: `level ${key}`,
      type: 'line',
      silent: true,
      symbol: 'none',
      z: 1,
      data: [
        [fromMs, number],
        [toMs, number],
      ],
      lineStyle: { color, width: 1.5, type: [6, 4] },
      itemStyle: { color },
    };
  });
}

/** One part of a course. The two parts of all courses are stacked apart: each has only the moments that are its own. */
function line(series: DrawnSeries, points: DrawnPoint[], stacked: boolean, isUnfinished: boolean): unknown {
  const { key, color, faded } = series;
  const part = isUnfinished ? 'unfinished' : 'finished';
  const opacity = faded ? 0.2 : 1;
  const areaOpacity = faded ? 0.06 : isUnfinished ? 0.16 : 0.38;
  return {
    id: `${part} ${key}`,
    type: 'line',
    silent: true,
    symbol: 'none',
    ...(stacked ? { stack: part, stackStrategy: 'all' } : {}),
    data: withDots(points),
    lineStyle: {
      color,
      width: stacked ? 1 : 1.75,
      opacity,
      join: 'round',
      ...(isUnfinished ? { type: [4, 3] } : {}),
    },
    itemStyle: { color, opacity },
    ...(stacked ? { areaStyle: { color, opacity: areaOpacity } } : {}),
  };
}

/** A point between two gaps has no line to stand on and gets a dot. */
function withDots(points: DrawnPoint[]): unknown[] {
  return points.map((point, i) => {
    const isAlone =
      point[1] !== null && (points[i - 1]?.[1] ?? null) === null && (points[i + 1]?.[1] ?? null) === null;
    return isAlone ? { value: point, symbol: 'circle', symbolSize: 4 } : point;
  });
}

const LABELS_WITH_DAYS_FROM_MS = 36 * 3_600_000;

function timeLabel(view: ChartView): (value: number) => string {
  const isLong = view.toMs - view.fromMs > LABELS_WITH_DAYS_FROM_MS;
  return (value) => {
    const time = clockTime(value, view.locale, view.zone, false);
    return isLong || time === '00:00' ? dayName(value, view.locale, view.zone) : time;
  };
}
