import { expect, it } from 'vitest';
import { cellText, exactText, shifted } from './exact';

it.each([
  ['0.8812', '88.12'],
  ['1', '100'],
  ['-0.005', '-0.5'],
  ['0.005', '0.5'],
  ['0.00001', '0.001'],
  ['12.3', '1230'],
])('%s moved by two places is %s', (text, expected) => {
  expect(shifted(text, 2)).toBe(expected);
});

it.each([
  ['99999999999999999.9901', 'EUR', 'EUR\u00a099,999,999,999,999,999.9901'],
  [0.881234567, 'percent', '88.1234567%'],
  ['9007199254740993', 'count', '9,007,199,254,740,993'],
  [12345.678, 'ms', '12,345.678\u00a0ms'],
  [null, 'EUR', '–'],
])('%s %s is written %s', (figure, unit, expected) => {
  expect(exactText(figure, unit, 'en-GB')).toBe(expected);
});

it('a cell leaves the currency to the head of its column', () => {
  expect(cellText('1234.5678', 'EUR', 'en-GB', true)).toBe('1,234.5678');
  expect(cellText('1234.5678', 'EUR', 'en-GB', false)).toBe('1,234.57');
  expect(cellText(0.5, 'percent', 'en-GB', true)).toBe('50%');
  expect(cellText(null, 'EUR', 'en-GB', true)).toBe('–');
});

it('a float with an exponent stays as it is', () => {
  expect(exactText(1e-9, 'count', 'en-GB')).toBe('1e-9');
});
