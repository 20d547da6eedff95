import { expect, it } from 'vitest';
import type { ExplainedPart, Incident, IncidentExplanation } from '../api/types';
import { byCause, partsBeyond, shareText } from './cause';

function part(slice: Record<string, string | null>, share = 0.9): ExplainedPart {
  return { slice, expected: 0.9, value: 0.4, share, affected: 10, denominator: 30 };
}

function explained(slice: Record<string, string>, ...parts: ExplainedPart[]) {
  return { slice, explanation: { parts } as IncidentExplanation };
}

it('tells slices that say more than the slice of the incident, and no others', () => {
  const bank = part({ psp: 'adyen', issuer: 'bank_17' });
  expect(partsBeyond(explained({}, bank))).toEqual([bank]);
  expect(partsBeyond(explained({ psp: 'adyen' }, bank))).toEqual([bank]);
  expect(partsBeyond(explained({ psp: 'adyen', issuer: 'bank_17' }, bank))).toEqual([]);
  expect(partsBeyond(explained({ psp: 'adyen' }, part({ psp: 'adyen' })))).toEqual([]);
  expect(partsBeyond(explained({ psp: 'adyen' }))).toEqual([]);
  expect(partsBeyond({ slice: {}, explanation: null })).toEqual([]);
  expect(partsBeyond({ slice: {} })).toEqual([]);
  const two = [part({ issuer: 'a' }), part({ issuer: 'b' })];
  expect(partsBeyond(explained({ issuer: 'a' }, ...two))).toEqual(two);
});

it('puts incidents of one cause together as long as the first of them lasts', () => {
  const incident = (id: string, state: Incident['state'], part_of: string | null = null) =>
    ({ id, state, part_of }) as Incident;
  const ids = (incidents: readonly Incident[]) => incidents.map(({ id }) => id);
  const first = incident('a', 'open');
  const together = byCause([
    first,
    incident('b', 'open', 'a'),
    incident('c', 'open', 'gone'),
    incident('d', 'resolved', 'a'),
  ]);
  expect(ids(together.leaders)).toEqual(['a', 'c']);
  expect(ids(together.partsOf(first))).toEqual(['b', 'd']);
  const over = byCause([
    incident('a', 'resolved'),
    incident('b', 'open', 'a'),
    incident('d', 'resolved', 'a'),
  ]);
  expect(ids(over.leaders)).toEqual(['a', 'b']);
  const chain = byCause([first, incident('b', 'open', 'a'), incident('c', 'open', 'b')]);
  expect(ids(chain.partsOf(first))).toEqual(['b', 'c']);
  const cycle = byCause([incident('a', 'open', 'b'), incident('b', 'open', 'a')]);
  expect(ids(cycle.leaders)).toEqual(['a', 'b']);
});

it('shows no share above the whole', () => {
  expect(shareText(0.934, 'en-GB')).toBe('93%');
  expect(shareText(1.2, 'en-GB')).toBe('100%');
  expect(shareText(null, 'en-GB')).toBe('0%');
});
