import { expect, it } from 'vitest';
import { funnelOf } from './steps';

it('converts between steps and over all', () => {
  const { steps, overall, worst } = funnelOf([200, 100, '80']);
  expect(steps.map(({ ofPrevious }) => ofPrevious)).toEqual([null, 0.5, 0.8]);
  expect(steps.map(({ ofFirst }) => ofFirst)).toEqual([1, 0.5, 0.4]);
  expect(steps.map(({ lost }) => lost)).toEqual([null, 100, '20']);
  expect(steps.map(({ bar }) => bar)).toEqual([1, 0.5, 0.4]);
  expect(overall).toBe(0.4);
  expect(worst).toBe(1);
});

it('keeps every digit of what is lost', () => {
  expect(funnelOf(['9007199254740995', '9007199254740993']).steps[1]?.lost).toBe('2');
});

it('says nothing of a part of nothing', () => {
  const { steps, overall, worst } = funnelOf([0, 10, null]);
  expect(steps[1]).toMatchObject({ ofPrevious: null, ofFirst: null, lost: -10 });
  expect(steps[2]).toMatchObject({ ofPrevious: null, lost: null, bar: 0 });
  expect(overall).toBeNull();
  expect(worst).toBeNull();
});

it('knows steps that have more than the one before', () => {
  const { steps, worst } = funnelOf([100, 150, 75]);
  expect(steps[1]).toMatchObject({ ofPrevious: 1.5, lost: -50, bar: 1 });
  expect(steps[0]?.bar).toBeCloseTo(2 / 3);
  expect(worst).toBe(2);
});
