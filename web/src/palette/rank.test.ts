import { describe, expect, it } from 'vitest';
import { type Entry, type EntryKind, ranked, score } from './rank';
import { RECENT_MAX, withRecent } from './recent';

function entry(kind: EntryKind, title: string, note = '', words = ''): Entry {
  return { id: `${kind}:${title}`, kind, title, note, words, run: () => {} };
}

const all = [
  entry('board', 'Payments', 'payments', '支付'),
  entry('board', 'Refunds', 'refunds'),
  entry('metric', 'Authorization rate', 'authorization_rate', 'approved / attempts'),
  entry('metric', 'Payment volume', 'payment_volume'),
  entry('monitor', 'Authorization drop', 'authorization_drop'),
  entry('incident', 'Authorization rate · adyen', 'Open · inc_01JDR8', 'inc_01JDR8 adyen bank_17'),
  entry('page', 'SQL'),
  entry('action', 'Theme: dark', '', '深色'),
];

const found = (search: string, recent: string[] = []) =>
  ranked(all, search, recent).flatMap(({ entries }) => entries.map(({ title }) => title));

describe('what the palette finds', () => {
  it('puts the title that begins so first, and every word has to fit', () => {
    expect(found('pay')[0]).toBe('Payments');
    expect(found('auth rate')[0]).toBe('Authorization rate');
    expect(found('rate auth')[0]).toBe('Authorization rate');
    expect(found('rate nothing')).toEqual([]);
  });

  it('finds an incident by its id and by the words of its slice', () => {
    expect(found('inc_01JDR8')).toEqual(['Authorization rate · adyen']);
    expect(found('01jdr8')).toEqual(['Authorization rate · adyen']);
    expect(found('bank_17')).toEqual(['Authorization rate · adyen']);
  });

  it('knows names, abbreviations and the other language', () => {
    expect(found('payment_volume')[0]).toBe('Payment volume');
    expect(found('ar')[0]).toBe('Authorization rate');
    expect(found('支付')).toEqual(['Payments']);
    expect(found('深')).toEqual(['Theme: dark']);
  });

  it('groups by kind, that of the best match first', () => {
    expect(ranked(all, 'authorization d', []).map(({ kind }) => kind)[0]).toBe('monitor');
    expect(ranked(all, 'pay', []).map(({ kind }) => kind)).toEqual(['board', 'metric']);
  });

  it('prefers what was used last among equals, but not before what fits better', () => {
    const twins = [entry('board', 'Payments EU'), entry('board', 'Payments US')];
    const titles = (recent: string[]) =>
      ranked(twins, 'payments', recent).flatMap(({ entries }) => entries.map(({ title }) => title));
    expect(titles([])).toEqual(['Payments EU', 'Payments US']);
    expect(titles(['board:Payments US'])).toEqual(['Payments US', 'Payments EU']);
    expect(score(all[0] as Entry, 'payments')).toBeGreaterThan(score(all[3] as Entry, 'payment') - 1);
  });

  it('begins with what was used last, and forgets what is gone', () => {
    const groups = ranked(all, '', ['page:SQL', 'board:gone']);
    expect(groups[0]?.kind).toBeNull();
    expect(groups[0]?.entries.map(({ title }) => title)).toEqual(['SQL']);
    const titles = groups.flatMap(({ entries }) => entries.map(({ title }) => title));
    expect(new Set(titles).size).toBe(titles.length);
  });

  it('lists only so many of a kind', () => {
    const many = Array.from({ length: 500 }, (_, i) => entry('metric', `Metric ${i}`));
    expect(ranked(many, 'metric', [])[0]?.entries).toHaveLength(8);
  });
});

describe('what was used last', () => {
  it('is kept once each, the newest first, and not for ever', () => {
    let ids: string[] = [];
    for (const id of ['a', 'b', 'a', 'c', 'd', 'e', 'f', 'g']) ids = withRecent(ids, id);
    expect(ids).toEqual(['g', 'f', 'e', 'd', 'c', 'a']);
    expect(ids).toHaveLength(RECENT_MAX);
  });
});
