import { describe, expect, it } from 'vitest';
import { moved } from './changes';
import { dropIndex } from './dragSort';

describe('dragging a row', () => {
  const middles = [10, 30, 50, 70];
  const drop = (from: number, y: number) =>
    moved(['a', 'b', 'c', 'd'], from, dropIndex(middles, from, y)).join('');

  it('puts it behind the rows above the pointer', () => {
    expect(drop(0, 0)).toBe('abcd');
    expect(drop(0, 12)).toBe('abcd');
    expect(drop(0, 31)).toBe('bacd');
    expect(drop(0, 90)).toBe('bcda');
    expect(drop(3, 5)).toBe('dabc');
    expect(drop(2, 31)).toBe('abcd');
    expect(drop(2, 29)).toBe('acbd');
  });
});
