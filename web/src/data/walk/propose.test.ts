import { describe, expect, it } from 'vitest';
import { type ProposedField, rolesOf, sampleOf, streamIn } from './propose';
import { targetFor } from './walk';

const text = async (bytes: Promise<Uint8Array>) => new TextDecoder().decode(await bytes);

describe('the beginning of a file', () => {
  it('is all of a small one', async () => {
    expect(await text(sampleOf(new Blob(['id,at\n1,2']), 'csv', ',', 100))).toBe('id,at\n1,2');
  });

  it('ends with a whole row, also where one has line ends in quotes', async () => {
    expect(await text(sampleOf(new Blob(['id,at\n1,2\n3,4\n']), 'csv', ',', 12))).toBe('id,at\n1,2\n');
    expect(await text(sampleOf(new Blob(['id,at\n1,"a\nb"\n3,4\n']), 'csv', ',', 11))).toBe('id,at\n');
  });

  it('ends with a whole object, whatever quotes are in it', async () => {
    const lines = '{"a":"say \\"no\\","}\n{"a":"x"}\n';
    expect(await text(sampleOf(new Blob([lines]), 'ndjson', ',', 25))).toBe('{"a":"say \\"no\\","}\n');
  });

  it('is cut where there is no end of a row in it', async () => {
    expect(await text(sampleOf(new Blob(['abcdef\n']), 'csv', ',', 3))).toBe('abc');
  });
});

describe('what a field is used as', () => {
  const field = (name: string, type: string): ProposedField => ({ name, type });
  const proposal = { id: 'order_id', time: 'at' };

  it('follows the stream and the types', () => {
    expect(rolesOf(field('order_id', 'string'), proposal)).toEqual(['id']);
    expect(rolesOf(field('at', 'timestamp'), proposal)).toEqual(['time']);
    expect(rolesOf(field('value', 'decimal(18, 2)?'), proposal)).toEqual(['amount']);
    expect(rolesOf(field('currency', 'string'), proposal)).toEqual(['currency']);
    expect(rolesOf(field('country', 'string'), proposal)).toEqual([]);
  });

  it('may be several', () => {
    expect(rolesOf(field('at', 'timestamp'), { id: 'at', time: 'at' })).toEqual(['id', 'time']);
    expect(rolesOf(field('a', 'string'), { id: null, time: null })).toEqual([]);
  });
});

describe('the stream of a text', () => {
  it('is the first that it defines, whatever comments stand before it', () => {
    expect(streamIn('# a\nstreams:\n  # b\n\n  orders:\n    id: x\n')).toBe('orders');
    expect(streamIn('streams:  # c\n  "orders":\n')).toBe('orders');
  });

  it('is none where there is no such section', () => {
    expect(streamIn('metrics:\n  a: {}\n')).toBeNull();
    expect(streamIn('')).toBeNull();
  });
});

describe('the name of the file', () => {
  it('is the stream’s, or one that is free', () => {
    expect(targetFor('orders', new Set())).toBe('orders.yaml');
    expect(targetFor('orders', new Set(['orders.yaml', 'orders_2.yaml']))).toBe('orders_3.yaml');
  });
});
