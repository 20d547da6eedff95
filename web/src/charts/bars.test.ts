// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { momentAt, stretchOf } from './brush';
import { type ChartView, chartOption, type DrawnSeries } from './option';

const colors = {
  series: [],
  other: '#777',
  axis: '#666',
  grid: '#eee',
  pointer: '#999',
  critical: '#b00',
  warning: '#850',
  info: '#15c',
};
const drawn = (key: string, more: Partial<DrawnSeries> = {}): DrawnSeries => ({
  key,
  name: key,
  color: '#123456',
  points: [
    [0, 5],
    [10, null],
    [20, 7],
  ],
  faded: false,
  ...more,
});
const view: ChartView = {
  series: [drawn('a'), drawn('b')],
  fromMs: 0,
  toMs: 30,
  unfinishedMs: 20,
  unit: 'percent',
  stacked: false,
  fromZero: false,
  outlook: [],
  locale: 'en',
  zone: 'UTC',
};
interface Drawn {
  id: string;
  type: string;
  stack?: string;
  data: unknown[];
}
const optionOf = (changes: Partial<ChartView>) => {
  const option = chartOption({ ...view, ...changes }, colors, { remPx: 16, family: 'sans-serif' });
  return option as { series: Drawn[]; yAxis: { min: number; max: number } };
};

describe('bars', () => {
  it('stand in the middle of their steps, and what may still change is paler', () => {
    const { series } = optionOf({ barMs: 10 });
    expect(series.map(({ id, type, stack }) => [id, type, stack])).toEqual([
      ['bars a', 'bar', undefined],
      ['bars b', 'bar', undefined],
    ]);
    expect(series[0]?.data).toEqual([
      { value: [5, 5] },
      { value: [15, null] },
      { value: [25, 7], itemStyle: { opacity: 0.45 } },
    ]);
  });

  it('are stacked whole: what is unfinished lies on what is finished', () => {
    const { series } = optionOf({ barMs: 10, stacked: true });
    expect(series.map(({ stack }) => stack)).toEqual(['bars', 'bars']);
  });

  it('stand on the ground, also of a rate', () => {
    expect(optionOf({ barMs: 10 }).yAxis.min).toBe(0);
    expect(optionOf({}).yAxis.min).toBeGreaterThan(0);
  });
});

describe('the past', () => {
  const ghosts = [drawn('a', { points: [[10, 40]] })];

  it('is drawn behind the present, and the axis has room for it', () => {
    const option = optionOf({ ghosts });
    expect(option.series[0]).toMatchObject({ id: 'ghost a', type: 'line', data: [[10, 40]] });
    expect(option.yAxis.max).toBeGreaterThanOrEqual(40);
  });

  it('stands where the bars do, and is not stacked', () => {
    const [ghost] = optionOf({ ghosts, barMs: 10, stacked: true }).series;
    expect(ghost).toMatchObject({ data: [[15, 40]] });
    expect(ghost).not.toHaveProperty('stack');
  });
});

it('a stretch holds the steps at both of its ends, chosen in either direction', () => {
  expect(stretchOf(30, 10, 10)).toEqual({ fromMs: 10, toMs: 40 });
  expect(stretchOf(10, 30, 10)).toEqual({ fromMs: 10, toMs: 40 });
});

it('a pointer beside the plot points at its edge', () => {
  const plot = { leftPx: 50, rightPx: 150 };
  expect(momentAt(100, plot, 0, 1_000)).toBe(500);
  expect(momentAt(10, plot, 0, 1_000)).toBe(0);
  expect(momentAt(900, plot, 0, 1_000)).toBe(1_000);
});
