// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import type { Point, SeriesDocument } from '../api/types';
import { ColorAssignment } from './colors';
import { shapePoints, sparkPath } from './shape';
import { totalOf } from './total';

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

describe('shapePoints', () => {
  it('fills holes of sums with zero and leaves out the bucket that is still filling', () => {
    expect(
      shapePoints(
        [
          [0, 5],
          [30, '7.50'],
          [60, 1],
        ],
        document,
        'count',
      ),
    ).toEqual([
      [0, 5],
      [10, 0],
      [20, 0],
      [30, 7.5],
      [40, 0],
      [50, 0],
    ]);
  });

  it('leaves gaps in rates and keeps their newest bucket', () => {
    expect(
      shapePoints(
        [
          [0, 0.5],
          [30, null],
          [60, 0.9],
        ],
        document,
        'rate',
      ),
    ).toEqual([
      [0, 0.5],
      [10, null],
      [20, null],
      [30, null],
      [40, null],
      [50, null],
      [60, 0.9],
    ]);
  });

  it('does not fill memory for a nonsensical answer', () => {
    const points = shapePoints(
      [
        [0, 1],
        [10_000_000_000, 1],
      ],
      { ...document, to: 1e12, watermark: 1e12, step_ms: 1 },
      'count',
    );
    expect(points.length).toBeLessThan(5_000);
  });
});

describe('sparkPath', () => {
  it('breaks the line at a gap', () => {
    const { line } = sparkPath(
      [
        [0, 1],
        [10, null],
        [20, 3],
        [30, 1],
      ],
      0,
      30,
      30,
      10,
      false,
    );
    expect(line).toBe('M0 10M20 0L30 10');
  });

  it('draws a constant in the middle and nothing without values', () => {
    expect(
      sparkPath(
        [
          [0, 2],
          [10, 2],
        ],
        0,
        10,
        10,
        10,
        false,
      ).line,
    ).toBe('M0 5L10 5');
    expect(sparkPath([[0, null]], 0, 10, 10, 10, true)).toEqual({ line: '', area: '' });
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
