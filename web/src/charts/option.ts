import type { EChartsCoreOption } from 'echarts/core';
import { clockTime, dayName } from '../format/time';
import { figureText, numberFormat } from '../format/units';
import type { ChartColors } from './colors';
import type { DrawnPoint } from './shape';

/** One line of a chart. The name is data: it is drawn by React only, never handed to ECharts. */
export interface DrawnSeries {
  key: string;
  name: string;
  color: string;
  points: DrawnPoint[];
  /** Another series is pointed at in the legend. */
  faded: boolean;
}

export interface ChartView {
  series: DrawnSeries[];
  fromMs: number;
  toMs: number;
  unit: string | null;
  stacked: boolean;
  fromZero: boolean;
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
      scale: !view.fromZero,
      splitNumber: 4,
      max: view.unit === 'percent' && !view.stacked ? percentCeiling : undefined,
      splitLine: { lineStyle: { color: colors.grid } },
      axisLabel: { ...label, formatter: (value: number) => axisText(value, view.unit, view.locale) },
    },
    series: view.series.map((series) => ({
      id: series.key,
      type: 'line',
      silent: true,
      symbol: 'none',
      ...(view.stacked ? { stack: 'all', stackStrategy: 'all' } : {}),
      data: withDots(series.points),
      lineStyle: {
        color: series.color,
        width: view.stacked ? 1 : 1.75,
        opacity: series.faded ? 0.2 : 1,
        join: 'round',
      },
      itemStyle: { color: series.color, opacity: series.faded ? 0.2 : 1 },
      ...(view.stacked ? { areaStyle: { color: series.color, opacity: series.faded ? 0.06 : 0.38 } } : {}),
    })),
  };
}

/** A share does not exceed the whole, and an axis up to 102 % would make one doubt it. */
function percentCeiling({ max }: { max: number }): number | null {
  return max > 0.95 && max <= 1 ? 1 : null;
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

export function axisText(value: number, unit: string | null, locale: string): string {
  if (unit === 'percent') return `${numberFormat(locale, { maximumFractionDigits: 2 }).format(value * 100)}%`;
  if (unit === 'ms' || unit === null || unit === 'count')
    return figureText(value, unit, locale, { compact: true });
  // The unit stands in the panel's head; an axis that repeats “EUR” five times has no room left.
  return numberFormat(locale, { notation: 'compact', maximumFractionDigits: 2 }).format(value);
}
