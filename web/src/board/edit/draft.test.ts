import { describe, expect, it } from 'vitest';
import {
  boardOf,
  copyOf,
  draftOf,
  emptyDraft,
  emptyItem,
  isSameBoard,
  itemsOf,
  nameFor,
  type WrittenBoard,
  writtenItem,
} from './draft';

const board: WrittenBoard = {
  title: { en: 'Payments', zh: '支付' },
  tiles: [{ metric: 'rate', title: { en: 'Rate', zh: '成功率' }, where: { psp: 'adyen' }, good: 'up' }],
  charts: [
    { metric: 'rate', title: { en: 'Rates' }, by: 'psp', shape: 'lines', window: '6h', width: 'full' },
  ],
  incidents: false,
  panels: [
    {
      kind: 'table',
      metric: 'declines',
      by: ['issuer', 'psp'],
      also: ['rate'],
      top: 10,
      title: { en: 'Top' },
    },
    { kind: 'heatmap', metric: 'attempts', weeks: 4 },
    {
      kind: 'funnel',
      title: { en: 'Steps' },
      steps: [{ metric: 'a', title: { en: 'Step A' } }, { metric: 'b' }],
    },
    { kind: 'sankey', metric: 'attempts', by: ['method', 'psp'], top: 6, width: 'third' },
    { kind: 'gauge', metric: 'rate', objective: '0.920000000000000001', from: 0.5, to: 1, good: 'down' },
    { kind: 'map', metric: 'volume', by: 'country' },
    { kind: 'text', text: { en: 'Hello\n\nthere', zh: '你好' } },
  ],
};

describe('a draft of a board', () => {
  it('is written as it was read', () => {
    expect(boardOf(draftOf('payments', board))).toEqual(board);
  });

  it('keeps every digit of an objective', () => {
    const gauge = { ...emptyItem('gauge'), metric: 'm', objective: ' 0.1000000000000000000001 ' };
    expect(writtenItem(gauge)).toEqual({
      kind: 'gauge',
      metric: 'm',
      objective: '0.1000000000000000000001',
    });
  });

  it('takes no title from a server that calls an item by its metric', () => {
    const read = draftOf('b', { title: { en: 'B' }, tiles: [{ metric: 'rate', title: { en: 'rate' } }] });
    expect(read.tiles[0]?.titleEn).toBe('');
    expect(boardOf(read).tiles).toEqual([{ metric: 'rate' }]);
    const spoken = [{ metric: 'payment_volume', title: { en: 'Payment volume' } }];
    expect(boardOf(draftOf('b', { title: { en: 'B' }, charts: spoken })).charts).toEqual([
      { metric: 'payment_volume' },
    ]);
    // Who has written it in Chinese has written it.
    const both = [{ metric: 'rate', title: { en: 'Rate', zh: '成功率' } }];
    expect(boardOf(draftOf('b', { title: { en: 'B' }, tiles: both })).tiles).toEqual(both);
  });

  it('shows what is written in one language in both', () => {
    const zh = { ...emptyDraft(), titleZh: '支付' };
    expect(boardOf(zh).title).toEqual({ en: '支付', zh: '支付' });
    expect(boardOf({ ...zh, titleEn: 'Payments', titleZh: ' ' }).title).toEqual({ en: 'Payments' });
  });

  it('leaves what is not written to the server', () => {
    expect(writtenItem({ ...emptyItem('table'), metric: 'm', by: ['psp'], top: ' ' })).toEqual({
      kind: 'table',
      metric: 'm',
      by: ['psp'],
    });
    expect(writtenItem({ ...emptyItem('chart'), metric: 'm' })).toEqual({ metric: 'm' });
  });

  it('drops a condition without a dimension and keeps an item of an unknown kind out', () => {
    const item = { ...emptyItem('tile'), metric: 'm', where: [{ id: 'w', dimension: '', value: 'x' }] };
    expect(writtenItem(item)).toEqual({ metric: 'm' });
    expect(draftOf('b', { title: { en: 'B' }, panels: [{ kind: 'hologram' }] }).panels).toEqual([]);
  });

  it('is copied with items of its own', () => {
    const first = draftOf('a', board);
    const second = copyOf(first, 'b');
    expect(boardOf(second)).toEqual(boardOf(first));
    const ids = new Set(itemsOf(first).map(({ id }) => id));
    expect(itemsOf(second).some(({ id }) => ids.has(id))).toBe(false);
    expect(isSameBoard(first, second)).toBe(false);
    expect(isSameBoard(first, copyOf(first, 'a'))).toBe(true);
  });
});

describe('a name for a title', () => {
  it('has what a name can have, and is free', () => {
    expect(nameFor('Payments, Europe')).toBe('payments_europe');
    expect(nameFor('  3-D Secure! ')).toBe('d_secure');
    expect(nameFor('Café crème')).toBe('cafe_creme');
    expect(nameFor('支付')).toBe('');
    expect(nameFor('a', new Set(['a', 'a_2']))).toBe('a_3');
    expect(nameFor('x'.repeat(90)).length).toBeLessThanOrEqual(63);
  });
});
