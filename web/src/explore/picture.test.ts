import { expect, it } from 'vitest';
import { fitted, legendPlaces } from './picture';

const measure = (text: string) => text.length * 10;

it('entries of a legend stand in as many rows as they need', () => {
  // Each takes 16 for its colour and 10 a sign, and 20 lie between two.
  expect(legendPlaces(['aaaa', 'bbbb', 'cccc'], 140, measure)).toEqual([
    { x: 0, row: 0, text: 'aaaa' },
    { x: 76, row: 0, text: 'bbbb' },
    { x: 0, row: 1, text: 'cccc' },
  ]);
});

it('a name too long for a row is cut, and not within a sign', () => {
  expect(legendPlaces(['abcdefghijkl'], 86, measure)[0]?.text).toBe('abcdef…');
  expect(fitted('💳💳💳', 5, (text) => [...text].length * 2)).toBe('💳…');
  expect(fitted('abc', 30, measure)).toBe('abc');
});
