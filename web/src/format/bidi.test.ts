import { expect, it } from 'vitest';
import { withoutTurns, withSeenTurns } from './bidi';

it('leaves nothing in a title that turns the words around it', () => {
  expect(withoutTurns('Sales \u202egnp.exe\u202c, \u2067x\u2069')).toBe('Sales gnp.exe, x');
  expect(withoutTurns('מכירות\u200f 2026')).toBe('מכירות\u200f 2026');
});

it('shows such characters in values, so that those that differ look different', () => {
  expect(withSeenTurns('a\u202eb')).toBe('a\ufffdb');
  expect(withSeenTurns('Ü 支付')).toBe('Ü 支付');
});
