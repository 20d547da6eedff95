// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import type { Figure, ForecastDocument, Point, SeriesDocument, SliceForecast } from '../api/types';
import { axisText, valueAxis } from './axis';
import { ColorAssignment } from './colors';
import { type ChartView, chartOption } from './option';
import { estimate, forecastStep, isLearning, outlookOf } from './outlook';
import { type Pick, pickSlices, restCourse, restFigure } from './pick';
import { shapePoints, sparkPath, sparkScale, splitUnfinished, unfinishedFrom } from './shape';
import { hasFigure, totalOf } from './total';

const document: SeriesDocument = {
  metric: 'm',
  unit: 'count',
  from: 0,
  to: 65,
  step_ms: 10,
  by: [],
  watermark: 60,
  series: [],
  truncated: false,
};

/** The document with the points as its only series. */
const holding = (points: Point[], changes: Partial<SeriesDocument> = {}): SeriesDocument => ({
  ...document,
  ...changes,
  series: [{ by: {}, points }],
});

describe('shapePoints', () => {
  it('fills holes of sums with zero up to the newest bucket with something in it', () => {
    const points: Point[] = [
      [0, 5],
      [30, '7.50'],
      [60, 1],
      [70, 0],
    ];
    expect(shapePoints(points, holding(points), 'count')).toEqual([
      [0, 5],
      [10, 0],
      [20, 0],
      [30, 7.5],
      [40, 0],
      [50, 0],
      [60, 1],
    ]);
  });

  it('shows a first batch at once, though its buckets are waited for', () => {
    const points: Point[] = [
      [30, null],
      [40, 100],
      [50, null],
    ];
    expect(shapePoints(points, holding(points, { watermark: 5 }), 'count')).toEqual([
      [30, null],
      [40, 100],
    ]);
  });

  it('draws a sum of nothing down to zero where that is known, and not where it may still come', () => {
    const points: Point[] = [[0, 5]];
    const drawn = shapePoints(points, holding(points, { watermark: 35 }), 'count');
    expect(drawn).toEqual([
      [0, 5],
      [10, 0],
      [20, 0],
    ]);
  });

  it('ends all series of a stack at the same bucket', () => {
    const full: SeriesDocument = {
      ...document,
      watermark: 5,
      series: [
        { by: { psp: 'a' }, points: [[0, 1]] },
        {
          by: { psp: 'b' },
          points: [
            [0, 1],
            [20, 2],
          ],
        },
      ],
    };
    expect(full.series.map(({ points }) => shapePoints(points, full, 'count').at(-1)?.[0])).toEqual([20, 20]);
  });

  it('leaves gaps in rates and keeps their newest bucket, also one of zero', () => {
    const points: Point[] = [
      [0, 0.5],
      [30, null],
      [60, 0],
    ];
    expect(shapePoints(points, holding(points), 'rate')).toEqual([
      [0, 0.5],
      [10, null],
      [20, null],
      [30, null],
      [40, null],
      [50, null],
      [60, 0],
    ]);
  });

  it('does not fill memory for a nonsensical answer', () => {
    const wide: Point[] = [
      [0, 1],
      [10_000_000_000, 1],
    ];
    const points = shapePoints(wide, holding(wide, { to: 1e12, watermark: 1e12, step_ms: 1 }), 'count');
    expect(points.length).toBeLessThan(5_000);
  });
});

describe('the unfinished part', () => {
  const points: [number, number][] = [
    [0, 5],
    [10, 6],
    [20, 1],
  ];

  it('begins with the first bucket that is not complete and hangs on the last that is', () => {
    expect(unfinishedFrom({ ...document, watermark: 29 })).toBe(20);
    expect(unfinishedFrom({ ...document, watermark: null, to: 30 })).toBe(30);
    expect(splitUnfinished(points, 20)).toEqual({
      finished: points.slice(0, 2),
      unfinished: points.slice(1),
    });
    expect(splitUnfinished(points, 30)).toEqual({ finished: points, unfinished: [] });
    expect(splitUnfinished(points, 0)).toEqual({ finished: [], unfinished: points });
  });

  it('is drawn dashed and stacked apart', () => {
    const view: ChartView = {
      series: [{ key: 'a', name: 'a', color: 'red', points, faded: false }],
      fromMs: 0,
      toMs: 30,
      unfinishedMs: 20,
      unit: 'count',
      stacked: true,
      fromZero: true,
      outlook: [],
      locale: 'en',
      zone: 'UTC',
    };
    const colors = {
      series: [],
      other: '',
      axis: '',
      grid: '',
      pointer: '',
      critical: '',
      warning: '',
      info: '',
    };
    const { series } = chartOption(view, colors, { remPx: 16, family: 'x' }) as {
      series: { id: string; stack: string; data: unknown[]; lineStyle: { type?: number[] } }[];
    };
    expect(series.map(({ id, stack }) => [id, stack])).toEqual([
      ['finished a', 'finished'],
      ['unfinished a', 'unfinished'],
    ]);
    expect(series.map(({ lineStyle }) => lineStyle.type !== undefined)).toEqual([false, true]);
  });
});

describe('what is expected', () => {
  const point = (start: number, value: number) => ({
    start,
    value,
    lower_80: value - 1,
    upper_80: value + 1,
    lower_95: value - 2,
    upper_95: value + 2,
  });
  const forecast = (changes: Partial<SliceForecast> = {}): ForecastDocument => ({
    metric: 'm',
    unit: 'count',
    step_ms: 10,
    forecasts: [
      {
        by: {},
        status: 'ready',
        footing: 'full',
        points: [point(60, 5), point(70, 6)],
        day: null,
        ...changes,
      },
    ],
  });

  it('is drawn as far as it is looked ahead, and only where history is enough', () => {
    const drawn = (document: ForecastDocument | undefined, untilMs: number) =>
      outlookOf(document, 10, 'count', untilMs);
    expect(drawn(forecast(), 70)).toEqual([{ atMs: 60, value: 5, low: 4, high: 6 }]);
    expect(drawn(forecast(), 1_000)).toHaveLength(2);
    expect(drawn(forecast(), 0)).toEqual([]);
    expect(drawn(undefined, 1_000)).toEqual([]);
    expect(drawn(forecast({ footing: 'cold_start' }), 1_000)).toEqual([]);
    expect(isLearning(undefined)).toBe(false);
    expect(isLearning(forecast())).toBe(false);
    expect(isLearning(forecast({ status: 'learning', points: [] }))).toBe(true);
  });

  it('is asked for by the hour, and drawn as what an hour makes of a step', () => {
    expect([120_000, 600_000, 3_600_000, 21_600_000, 7_000].map(forecastStep)).toEqual([
      3_600_000, 3_600_000, 3_600_000, 21_600_000, 3_605_000,
    ]);
    const [sum] = outlookOf(forecast(), 5, 'amount', 70);
    expect(sum).toEqual({ atMs: 62.5, value: 2.5, low: 2, high: 3 });
    const [rate] = outlookOf(forecast(), 5, 'rate', 70);
    expect(rate).toEqual({ atMs: 62.5, value: 5, low: 4, high: 6 });
  });

  it('is a dashed line with a band beside what is stacked, and has room on the axis', () => {
    const view: ChartView = {
      series: [
        {
          key: 'a',
          name: 'a',
          color: 'red',
          points: [
            [0, 3],
            [60, 2],
          ],
          faded: false,
        },
      ],
      fromMs: 0,
      toMs: 70,
      unfinishedMs: 60,
      unit: 'count',
      stacked: true,
      fromZero: true,
      outlook: outlookOf(forecast(), 10, 'count', 100),
      locale: 'en',
      zone: 'UTC',
    };
    const colors = {
      series: [],
      other: '',
      axis: 'grey',
      grid: '',
      pointer: '',
      critical: '',
      warning: '',
      info: '',
    };
    const drawn = (one: ChartView) =>
      chartOption(one, colors, { remPx: 16, family: 'x' }) as {
        yAxis: { max: number };
        series: { id: string; stack?: string; data: unknown[]; itemStyle: { color: string } }[];
      };
    const { yAxis, series } = drawn(view);
    expect(series.map(({ id, stack }) => [id, stack])).toEqual([
      ['outlook low', 'outlook'],
      ['outlook band', 'outlook'],
      ['outlook', undefined],
      ['finished a', 'finished'],
      ['unfinished a', 'unfinished'],
    ]);
    expect(series[1]?.data).toEqual([
      [60, 2],
      [70, 2],
    ]);
    // The upper end at 70 is 7; what is expected at 60 does not come on top of what is there.
    expect(yAxis.max).toBe(8);
    expect(series[2]?.itemStyle.color).toBe('grey');
    expect(drawn({ ...view, stacked: false }).series[2]?.itemStyle.color).toBe('red');
    expect(drawn({ ...view, outlook: [] }).series).toHaveLength(2);
  });

  it('has no more digits than an estimate is worth', () => {
    expect([9301.44, 412.6, 41.736, 0.88123, 0, -1234.5].map(estimate)).toEqual([
      9301, 413, 41.7, 0.881, 0, -1234,
    ]);
  });
});

describe('sparkPath', () => {
  const path = (points: [number, number | null][], width: number, fromZero: boolean) => {
    const scale = sparkScale(points, 0, points.at(-1)?.[0] || 10, width, 10, fromZero);
    return scale && sparkPath(points, scale);
  };

  it('breaks the line at a gap and makes a point alone a dot', () => {
    const { line } = path(
      [
        [0, 1],
        [10, null],
        [20, 3],
        [30, 1],
      ],
      30,
      false,
    ) ?? { line: null };
    expect(line).toBe('M0 10h0M20 0L30 10');
  });

  it('draws a constant in the middle and nothing without values', () => {
    const constant = path(
      [
        [0, 2],
        [10, 2],
      ],
      10,
      false,
    );
    expect(constant?.line).toBe('M0 5L10 5');
    expect(path([[0, null]], 10, true)).toBeNull();
  });
});

describe('valueAxis', () => {
  const course = (...values: number[]) => [values.map((value, i): [number, number] => [i, value])];
  const ticks = (values: number[], unit: string, fromZero = false, locale = 'en-GB') => {
    const axis = valueAxis(course(...values), unit, false, fromZero);
    const count = Math.round((axis.max - axis.min) / axis.interval);
    return Array.from({ length: count + 1 }, (_, i) =>
      axisText(axis.min + i * axis.interval, unit, locale, axis).replace(/\s/g, ' '),
    );
  };

  it('divides a share evenly and ends at 100 % unless the data go beyond', () => {
    expect(ticks([0, 1], 'percent')).toEqual(['0%', '25%', '50%', '75%', '100%']);
    expect(ticks([0.83, 0.999], 'percent')).toEqual(['80%', '85%', '90%', '95%', '100%']);
    expect(ticks([1, 1], 'percent')).toEqual(['75%', '100%']);
    expect(ticks([0, 2], 'percent').at(-1)).toBe('200%');
  });

  it('counts in whole numbers', () => {
    expect(ticks([0, 1], 'count', true)).toEqual(['0', '1']);
    expect(ticks([0, 3], 'count', true)).toEqual(['0', '1', '2', '3']);
    expect(ticks([0, 9], 'count', true)).toEqual(['0', '5', '10']);
  });

  it('has one unit and one way of writing on an axis', () => {
    expect(ticks([0, 12_000], 'ms')).toEqual(['0 s', '5 s', '10 s', '15 s']);
    expect(ticks([0, 8_000], 'ms')).toEqual(['0 ms', '2,000 ms', '4,000 ms', '6,000 ms', '8,000 ms']);
    expect(ticks([0, 18_000], 'EUR', true)).toEqual(['0', '5k', '10k', '15k', '20k']);
  });

  it('adds up what is stacked, and has a scale for nothing', () => {
    expect(valueAxis([...course(3, 4), ...course(3, 5)], 'count', true, true)).toEqual({
      min: 0,
      max: 10,
      interval: 5,
    });
    expect(valueAxis([], 'count', true, true)).toEqual({ min: 0, max: 4, interval: 1 });
    expect(valueAxis(course(0, 0), 'percent', false, false)).toEqual({ min: 0, max: 1, interval: 0.25 });
  });
});

describe('pickSlices', () => {
  const named = (psp: string, ...values: Figure[]) => ({
    by: { psp },
    points: values.map((value, i): Point => [i * 10, value]),
  });
  const lines = (...series: SeriesDocument['series']) => ({ ...document, by: ['psp'], series });
  const names = (pick: Pick) => [...pick.figures].map(([key, value]) => [JSON.parse(key)[0][1], value]);

  it('gives every drawn slice its figure, though the server weighs both answers otherwise', () => {
    const pick = pickSlices(
      lines(named('y', 0.1), named('z', 0.2)),
      lines(named('a', 0.5), named('y', 0.6), named('z', 0.7)),
      'rate',
      2,
    );
    expect(names(pick)).toEqual([
      ['y', 0.6],
      ['z', 0.7],
    ]);
    expect(names(pickSlices(lines(named('x', 2, 3)), null, 'count', 8))).toEqual([['x', null]]);
  });

  it('leaves out a slice that has something before the window only', () => {
    const drawn = lines(named('now', 1), named('before', 2));
    expect(names(pickSlices(drawn, lines(named('now', 1)), 'count', 8))).toEqual([['now', 1]]);
    expect(names(pickSlices(drawn, lines(named('now', 1)), 'rate', 8))).toEqual([['now', 1]]);
    const cut = { ...lines(named('now', 1)), truncated: true };
    expect(names(pickSlices(drawn, cut, 'rate', 8)).at(-1)).toEqual(['before', null]);
  });

  it('leaves out sums of nothing and knows that nothing is missing then', () => {
    const totals = lines(named('lost_card', 7), named('approved', 0));
    const pick = pickSlices(
      { ...lines(named('approved', 0), named('lost_card', 7)), truncated: true },
      totals,
      'count',
      8,
    );
    expect(names(pick)).toEqual([['lost_card', 7]]);
    expect(pick.isCut).toBe(false);
  });

  it('takes the largest sums in the order of the lines', () => {
    const series = [named('a', 1), named('b', 5), named('c', 3)];
    const pick = pickSlices(lines(...series), lines(...series), 'count', 2);
    expect(names(pick).map(([name]) => name)).toEqual(['b', 'c']);
    expect(pick.isCut).toBe(true);
  });

  it('tells exactly what the others add up to', () => {
    expect(restFigure(['10.10', null, '0.20'], '10.40')).toBe('0.10');
    expect(restFigure([5, 6], 10)).toBe(0);
    expect(restCourse([named('a', 1, 2), named('b', 3)], named('', 5, 2, 4))).toEqual([
      [0, 1],
      [10, 0],
      [20, 4],
    ]);
  });
});

describe('hasFigure', () => {
  it('takes a zero for known and an absent figure for unknown', () => {
    expect(hasFigure(undefined)).toBe(false);
    expect(hasFigure(holding([[0, null]]))).toBe(false);
    expect(hasFigure(holding([[0, 0]]))).toBe(true);
  });
});

describe('totalOf', () => {
  const course = {
    by: {},
    points: [
      [0, '0.10'],
      [1, '0.20'],
      [2, null],
    ] as Point[],
  };

  it('is the one point of a whole window', () => {
    expect(totalOf({ by: {}, points: [[0, '18400.10']] }, course, 'amount')).toBe('18400.10');
    expect(totalOf({ by: {}, points: [[0, null]] }, course, 'rate')).toBeNull();
    expect(totalOf(undefined, course, 'rate')).toBeNull();
  });

  it('adds a sum up from its course where the window was cut, and does not average a rate', () => {
    expect(
      totalOf(
        {
          by: {},
          points: [
            [0, '9'],
            [1, '9'],
          ],
        },
        course,
        'amount',
      ),
    ).toBe('0.30');
    expect(
      totalOf(
        {
          by: {},
          points: [
            [0, '9'],
            [1, '9'],
          ],
        },
        undefined,
        'amount',
      ),
    ).toBeNull();
    expect(
      totalOf(
        {
          by: {},
          points: [
            [0, 0.2],
            [1, 0.9],
          ],
        },
        course,
        'rate',
      ),
    ).toBe(0.9);
  });
});

describe('ColorAssignment', () => {
  it('gives a name its colour for good', () => {
    const colors = new ColorAssignment();
    expect([colors.indexOf('a'), colors.indexOf('b'), colors.indexOf('a')]).toEqual([0, 1, 0]);
  });
});
