import type { DrawnSeries } from './option';

/** What of a view its bars depend on. */
export interface BarStyle {
  /** How long the step is that a bar stands for. */
  barMs: number;
  stacked: boolean;
  unfinishedMs: number;
}

/**
 * A course as bars, each over its own step; what may still change is paler. The page that shows bars loads `barChart.ts`:
 * the board has none and does without their code.
 */
export function bars({ key, color, faded, points }: DrawnSeries, style: BarStyle): unknown {
  const { barMs, stacked, unfinishedMs } = style;
  return {
    id: `bars ${key}`,
    type: 'bar',
    silent: true,
    ...(stacked ? { stack: 'bars' } : {}),
    barCategoryGap: '12%',
    barGap: '0%',
    itemStyle: { color, opacity: faded ? 0.2 : 1 },
    // Gaps stay in, since the width of a bar comes from the distance to its neighbours.
    data: points.map(([at, value]) => ({
      value: [at + barMs / 2, value],
      ...(at >= unfinishedMs ? { itemStyle: { opacity: faded ? 0.12 : 0.45 } } : {}),
    })),
  };
}

/** How it was at an earlier time: in the colour of its present, dotted and pale, so that it is not taken for it. */
export function ghostLine({ key, color, faded, points }: DrawnSeries, shiftMs: number): unknown {
  const opacity = faded ? 0.15 : 0.65;
  return {
    id: `ghost ${key}`,
    type: 'line',
    silent: true,
    symbol: 'none',
    z: 1,
    data: points.map(([at, value]) => [at + shiftMs, value]),
    lineStyle: { color, width: 1.25, type: [1.5, 3], cap: 'round', opacity },
    itemStyle: { color, opacity },
  };
}
