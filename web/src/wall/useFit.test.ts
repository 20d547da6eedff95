import { expect, it } from 'vitest';
import { zoomFor } from './useFit';

it('draws what fits as it is, and what does not as small as it takes, but never too small to be read', () => {
  expect(zoomFor(300, 400)).toBe(1);
  expect(zoomFor(400, 400)).toBe(1);
  expect(zoomFor(500, 400)).toBe(0.8);
  expect(zoomFor(5_000, 400)).toBe(0.55);
  expect(zoomFor(0, 0)).toBe(1);
  expect(zoomFor(300, 390, true)).toBeCloseTo(1.3);
  expect(zoomFor(30, 390, true)).toBe(1.5);
  expect(zoomFor(500, 400, true)).toBe(0.8);
});
