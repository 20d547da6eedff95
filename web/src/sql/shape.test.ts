import { describe, expect, it } from 'vitest';
import type { Cell, SqlAnswer } from './call';
import { barsOf, coursesOf, shapeOf } from './shape';

function answer(columns: Record<string, string>, rows: Cell[][]): SqlAnswer {
  return { columns: Object.entries(columns).map(([name, type]) => ({ name, type })), rows };
}

const at = (minute: number) => `2026-11-30T12:0${minute}:00Z`;

describe('the shape of an answer', () => {
  it('is time with one or more figures', () => {
    const found = answer({ t: 'timestamp', rate: 'float64', volume: 'decimal(18,2)', note: 'string' }, [
      [at(1), 0.9, '10.00', 'x'],
      [at(0), 0.8, '12.50', 'y'],
    ]);
    expect(shapeOf(found)).toEqual({ kind: 'time', time: 0, category: null, values: [1, 2] });
    const shape = shapeOf(found);
    if (shape?.kind !== 'time') throw new Error();
    const { courses, stepMs } = coursesOf(found, shape, 1, 'UTC');
    expect(courses.map(({ name }) => name)).toEqual(['rate', 'volume']);
    expect(courses[1]?.points.map(([, value]) => value)).toEqual([12.5, 10]);
    expect(stepMs).toBe(60_000);
  });

  it('is time split by what makes its rows different', () => {
    const found = answer({ psp: 'string', t: 'timestamp', n: 'int64' }, [
      ['a', at(0), 1],
      ['b', at(0), 2],
      [null, at(0), 3],
      ['a', at(1), 4],
    ]);
    const shape = shapeOf(found);
    expect(shape).toEqual({ kind: 'time', time: 1, category: 0, values: [2] });
    if (shape?.kind !== 'time') throw new Error();
    const { courses } = coursesOf(found, shape, 2, 'UTC');
    expect(courses.map(({ name, points }) => [name, points.length])).toEqual([
      ['a', 2],
      ['b', 1],
      [null, 1],
    ]);
  });

  it('draws the largest of many and says how many are left', () => {
    const rows = Array.from({ length: 14 }, (_, i): Cell[][] => [
      [`s${i}`, at(0), i],
      [`s${i}`, at(1), i],
    ]).flat();
    const found = answer({ s: 'string', t: 'timestamp', n: 'int64' }, rows);
    const shape = shapeOf(found);
    if (shape?.kind !== 'time') throw new Error();
    const { courses, left } = coursesOf(found, shape, 2, 'UTC');
    expect([courses[0]?.name, courses.length, left]).toEqual(['s13', 10, 4]);
  });

  it('is bars for named figures', () => {
    const found = answer({ psp: 'string', method: 'string', n: 'int64' }, [
      ['a', 'card', 1],
      ['a', null, '9007199254740993'],
    ]);
    const shape = shapeOf(found);
    expect(shape).toEqual({ kind: 'bars', labels: [0, 1], values: [2] });
    if (shape?.kind !== 'bars') throw new Error();
    expect(barsOf(found, shape, 2)[1]).toMatchObject({ names: ['a', null], figure: '9007199254740993' });
    expect(
      shapeOf(
        answer({ hour: 'int64', n: 'int64' }, [
          [0, 5],
          [1, 6],
        ]),
      ),
    ).toMatchObject({
      labels: [0],
      values: [1],
    });
  });

  it('is none where a drawing would mislead', () => {
    expect(shapeOf(answer({ n: 'int64' }, [[1], [2]]))).toBeNull();
    expect(shapeOf(answer({ t: 'timestamp', n: 'int64' }, [[at(0), 1]]))).toBeNull();
    expect(
      shapeOf(
        answer({ t: 'timestamp', n: 'int64' }, [
          [at(0), 1],
          [at(0), 2],
        ]),
      ),
    ).toBeNull();
    expect(
      shapeOf(
        answer({ a: 'string', b: 'string' }, [
          ['x', 'y'],
          ['z', 'w'],
        ]),
      ),
    ).toBeNull();
  });
});
