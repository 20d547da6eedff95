import { describe, expect, it } from 'vitest';
import type { Figure, SeriesDocument } from '../../../api/types';
import { HOUR_MS, heatGrid, heatStep, heatWindow, nextCell, WEEK_MS } from './grid';

function course(fromMs: number, figures: (Figure | null)[], stepMs = HOUR_MS): SeriesDocument {
  const to = fromMs + figures.length * stepMs;
  return {
    metric: 'm',
    unit: 'count',
    from: fromMs,
    to,
    step_ms: stepMs,
    by: [],
    watermark: to,
    truncated: false,
    series: [{ by: {}, points: figures.map((figure, i) => [fromMs + i * stepMs, figure]) }],
  };
}

const at = (grid: ReturnType<typeof heatGrid>, weekday: number, hour: number) =>
  grid.cells[weekday * 24 + hour];
/** A Monday. */
const monday = Date.UTC(2026, 10, 30);

describe('hours by weekdays', () => {
  it('lie in the zone of the reader', () => {
    const document = course(monday, [5]);
    expect(at(heatGrid(document, 'count', 'UTC'), 0, 0)).toMatchObject({ value: 5, hours: 1 });
    expect(at(heatGrid(document, 'count', 'Europe/Berlin'), 0, 1)?.value).toBe(5);
    // Still Sunday in New York.
    expect(at(heatGrid(document, 'count', 'America/New_York'), 6, 19)?.value).toBe(5);
    expect(at(heatGrid(document, 'count', 'Pacific/Auckland'), 0, 13)?.value).toBe(5);
  });

  it('are the mean over the weeks, in decimals to the last digit', () => {
    const figures: (Figure | null)[] = Array.from({ length: 3 * 168 }, () => '0.00');
    figures[0] = '10.00';
    figures[168] = '10.00';
    figures[336] = '5.01';
    const grid = heatGrid(course(monday, figures), 'amount', 'UTC');
    expect(at(grid, 0, 0)).toMatchObject({ value: '8.34', hours: 3, level: 1 });
    expect(grid.highest).toMatchObject({ weekday: 0, hour: 0 });
    expect(grid.lowest?.value).toBe('0.00');
  });

  it('have an hour twice in autumn and none in spring', () => {
    // Clocks in Berlin went back on 25 October 2026 at 3:00, which is 1:00 UTC.
    const autumn = heatGrid(course(Date.UTC(2026, 9, 25, 0), [10, 20, 40]), 'count', 'Europe/Berlin');
    expect(at(autumn, 6, 2)).toMatchObject({ value: 15, hours: 2 });
    expect(at(autumn, 6, 3)).toMatchObject({ value: 40, hours: 1 });
    // They go forward on 28 March 2027 at 2:00, which is 1:00 UTC.
    const spring = heatGrid(course(Date.UTC(2027, 2, 28, 0), [10, 20]), 'count', 'Europe/Berlin');
    expect(at(spring, 6, 1)?.value).toBe(10);
    expect(at(spring, 6, 2)).toMatchObject({ value: null, hours: 0 });
    expect(at(spring, 6, 3)?.value).toBe(20);
  });

  it('are put together of half hours where clocks are half an hour off', () => {
    const fromMs = monday;
    expect(heatStep(10_000, 'Asia/Kolkata', fromMs, fromMs + WEEK_MS)).toBe(HOUR_MS / 2);
    expect(heatStep(10_000, 'Asia/Kathmandu', fromMs, fromMs + WEEK_MS)).toBe(HOUR_MS / 4);
    expect(heatStep(10_000, 'Europe/Berlin', fromMs, fromMs + WEEK_MS)).toBe(HOUR_MS);
    // 00:00 UTC is 05:30 in Kolkata: the hour of 05 has a half of it, that of 06 all of it.
    const grid = heatGrid(course(fromMs, [1, 2, 3], HOUR_MS / 2), 'count', 'Asia/Kolkata');
    expect(at(grid, 0, 5)).toMatchObject({ value: 2, hours: 0.5 });
    expect(at(grid, 0, 6)).toMatchObject({ value: 5, hours: 1 });
  });

  it('are asked for in steps that the buckets fit into', () => {
    expect(heatStep(HOUR_MS, 'Asia/Kolkata', monday, monday)).toBe(HOUR_MS);
    expect(heatStep(24 * HOUR_MS, 'UTC', monday, monday)).toBeNull();
    expect(heatStep(7_000, 'UTC', monday, monday)).toBeNull();
    expect(heatStep(300_000, 'UTC', monday, monday)).toBe(HOUR_MS);
  });

  it('count holes of a sum as zero, and nothing before the first figure', () => {
    const document = course(monday, [null, 4, null, 6]);
    const sums = heatGrid(document, 'count', 'UTC');
    expect(at(sums, 0, 0)?.value).toBeNull();
    expect(at(sums, 0, 2)).toMatchObject({ value: 0, level: 0 });
    const rates = heatGrid(document, 'rate', 'UTC');
    expect(at(rates, 0, 2)?.value).toBeNull();
    // The lowest rate is the palest, however high it is.
    expect(at(rates, 0, 1)?.level).toBe(0);
    expect(at(rates, 0, 3)?.level).toBe(1);
  });

  it('leave out an hour that is not over', () => {
    const document = { ...course(monday, [4, 1]), watermark: monday + 1.5 * HOUR_MS };
    expect(at(heatGrid(document, 'count', 'UTC'), 0, 1)?.value).toBeNull();
  });

  it('have nothing to show of nothing', () => {
    const grid = heatGrid(course(monday, [null, null]), 'count', 'UTC');
    expect(grid).toMatchObject({ highest: null, lowest: null });
    expect(grid.cells).toHaveLength(168);
  });
});

it('the window is whole weeks up to the hour that has begun', () => {
  const window = heatWindow(monday + 100_000, 4);
  expect(window).toEqual({ fromMs: monday - 4 * WEEK_MS, toMs: monday });
});

it('arrow keys move over the grid and stop at its edges', () => {
  expect(nextCell(null, 'ArrowDown')).toBe(0);
  expect(nextCell(0, 'ArrowUp')).toBe(0);
  expect(nextCell(0, 'ArrowRight')).toBe(1);
  expect(nextCell(23, 'ArrowRight')).toBe(23);
  expect(nextCell(23, 'ArrowDown')).toBe(47);
  expect(nextCell(160, 'ArrowDown')).toBe(160);
  expect(nextCell(30, 'Home')).toBe(24);
  expect(nextCell(30, 'End')).toBe(47);
  expect(nextCell(30, 'Escape')).toBeNull();
  expect(nextCell(30, 'a')).toBeUndefined();
});
