import { expect, it } from 'vitest';
import type { Figure, SeriesDocument } from '../api/types';
import type { DrawnSeries } from '../charts/option';
import { sliceKey } from '../live/merge';
import { coursesOf, drawingOf, ghostsOf, REST_KEY, WHOLE_KEY } from './drawn';
import type { Exploration } from './useExploration';

const made = (slices: Record<string, Figure[]>, by = ['psp']): SeriesDocument => ({
  metric: 'm',
  unit: 'count',
  from: 0,
  to: 30,
  step_ms: 10,
  by,
  watermark: 30,
  series: Object.entries(slices).map(([psp, figures]) => ({
    by: by.length > 0 ? { psp } : {},
    points: figures.map((figure, i) => [i * 10, figure]),
  })),
  truncated: false,
});
const nothing: Exploration = {
  stepMs: 10,
  stretch: { fromMs: 0, toMs: 30 },
  nowMs: 30,
  isLive: true,
  lines: null,
  totals: null,
  wholeLines: null,
  wholeTotal: null,
  error: null,
  isHeld: false,
  past: null,
};
const key = (psp: string) => sliceKey({ psp });

it('what does not add up is not stacked', () => {
  expect(drawingOf(null, 'count', true)).toBe('stacked');
  expect(drawingOf(null, 'count', false)).toBe('lines');
  expect(drawingOf('stacked', 'rate', true)).toBe('lines');
  expect(drawingOf('bars', 'rate', true)).toBe('bars');
});

it('the largest slices are drawn, and what they leave out of the whole', () => {
  const many = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`p${i}`, [10 - i]]));
  const exploration = {
    ...nothing,
    lines: made(many),
    totals: made(many),
    wholeLines: made({ all: [55] }, []),
    wholeTotal: made({ all: [55] }, []),
  };
  const { courses, isCut } = coursesOf(exploration, 'count', []);
  expect(isCut).toBe(true);
  expect(courses.length).toBe(9);
  expect(courses.at(-1)).toEqual({ key: REST_KEY, by: {}, points: [[0, 3]] });
});

it('slices that were chosen are drawn alone', () => {
  const lines = made({ a: [1], b: [2], c: [3] });
  const { courses } = coursesOf({ ...nothing, lines }, 'count', [key('b')]);
  expect(courses.map(({ by }) => by.psp)).toEqual(['b']);
});

const drawn = (psp: string): DrawnSeries => ({
  key: key(psp),
  name: psp,
  color: 'red',
  points: [],
  faded: false,
});
const past = { backMs: 100, totals: null, wholeLines: null, wholeTotal: null };

it('each line has its past, where it was', () => {
  const ghosts = ghostsOf(
    { ...past, lines: made({ a: [1, 2, 3] }) },
    'rate',
    [drawn('a'), drawn('b')],
    false,
    true,
    'all',
    'grey',
  );
  expect(ghosts).toEqual([
    {
      ...drawn('a'),
      points: [
        [100, 1],
        [110, 2],
        [120, 3],
      ],
    },
  ]);
});

it('a stack has the past of its sum', () => {
  const lines = made({ a: ['1.10', '2.00'], b: ['0.20'], c: ['9.00'] });
  const ghosts = ghostsOf({ ...past, lines }, 'amount', [drawn('a'), drawn('b')], true, false, 'all', 'grey');
  expect(ghosts.map(({ key, points }) => [key, points])).toEqual([
    [
      WHOLE_KEY,
      [
        [100, 1.3],
        [110, 2],
        [120, 0],
      ],
    ],
  ]);
});
