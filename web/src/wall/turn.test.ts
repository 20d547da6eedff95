import { describe, expect, it } from 'vitest';
import { EVERY_DEFAULT_MS, EVERY_MAX_MS, EVERY_MIN_MS, readWall } from './search';
import { stopsOf, turned } from './turn';

describe('turning the pages of a wall', () => {
  const stops = stopsOf([
    { name: 'a', pages: 2 },
    { name: 'b', pages: 1 },
  ]);

  it('goes through all pages of all boards, round and round, in both directions', () => {
    let at = turned(stops, null, 0);
    const way = [];
    for (let i = 0; i < 4; i += 1) {
      way.push(`${at?.board}${at?.page}`);
      at = turned(stops, at, 1);
    }
    expect(way).toEqual(['a0', 'a1', 'b0', 'a0']);
    expect(turned(stops, { board: 'a', page: 0 }, -1)).toEqual({ board: 'b', page: 0 });
  });

  it('stays with its board when that has fewer pages now, and begins anew when it is gone', () => {
    expect(turned(stops, { board: 'a', page: 7 }, 1)).toEqual({ board: 'a', page: 0 });
    expect(turned(stops, { board: 'gone', page: 0 }, 1)).toEqual({ board: 'a', page: 0 });
    expect(turned([], { board: 'a', page: 0 }, 1)).toBeNull();
  });
});

describe('the address of a wall', () => {
  it('names boards and a time, and drops the rest', () => {
    expect(readWall({ boards: 'a, b,,a', every: '2m', range: '6h' })).toEqual({
      boards: ['a', 'b'],
      everyMs: 120_000,
      range: '6h',
    });
    expect(readWall({ every: 'soon', range: '5y' })).toEqual({
      boards: [],
      everyMs: EVERY_DEFAULT_MS,
      range: null,
    });
    expect(readWall({ every: '1' }).everyMs).toBe(EVERY_MIN_MS);
    expect(readWall({ every: '999m' }).everyMs).toBe(EVERY_MAX_MS);
    expect(readWall({ every: '1h' }).everyMs).toBe(3_600_000);
    expect(readWall({ every: '45' }).everyMs).toBe(45_000);
  });
});
