import { describe, expect, it } from 'vitest';
import { expectedAt, sourcesOf, withNames } from './expected';
import { type Catalogue, columnsOf, measureProposals, tableOfValue } from './proposals';

/** What is expected where `|` stands. */
function at(text: string) {
  const cursor = text.indexOf('|');
  return expectedAt(text.replace('|', ''), cursor);
}

describe('what is expected', () => {
  it.each([
    ['select * from |', { kind: 'table', from: 14 }],
    ['select * from pay|', { kind: 'table', from: 14 }],
    ['select measure(|', { kind: 'measure', from: 15 }],
    ['select measure(auth|)', { kind: 'measure', from: 15 }],
    ['select * from hop(|', { kind: 'cube', from: 18 }],
    ['select p.| from payments p', { kind: 'member', from: 9, qualifier: 'p' }],
    ['select p.am|', { kind: 'member', from: 9, qualifier: 'p' }],
    ['se|', { kind: 'any', from: 0 }],
    ['select a, b|', { kind: 'any', from: 10 }],
    ['-- from |', { kind: 'nothing' }],
    ['select 1 as |', { kind: 'nothing' }],
    ['select 12|', { kind: 'nothing' }],
    ["where psp = '|'", { kind: 'value', from: 13, column: 'psp', qualifier: null }],
    ["where a.psp <> 'ad|", { kind: 'value', from: 16, column: 'psp', qualifier: 'a' }],
    ['where "Order" != \'|', { kind: 'value', from: 18, column: 'Order', qualifier: null }],
    ["where psp not in ('a', '|')", { kind: 'value', from: 24, column: 'psp', qualifier: null }],
    ["where psp not like '|", { kind: 'value', from: 20, column: 'psp', qualifier: null }],
    ["select coalesce(psp, '|')", { kind: 'nothing' }],
    ["select * from forecast('|", { kind: 'metricName', from: 24 }],
    ["select * from tumble(orders, '|", { kind: 'period', from: 30 }],
    ["where psp = 'adyen'|", { kind: 'any', from: 19 }],
  ])('%s', (text, expected) => {
    expect(at(text)).toEqual(expected);
  });
});

describe('the tables of a statement', () => {
  it('are found with their other names, in functions and in subqueries', () => {
    const sql = `with a as (select * from payments) select * from public.orders o
      join hop(order_totals, interval '1 minute', interval '5 minutes') as w on true
      where exists (select 1 from "Line Items")`;
    expect(sourcesOf(sql)).toEqual([
      { table: 'payments', alias: null, call: null },
      { table: 'orders', alias: 'o', call: null },
      { table: 'order_totals', alias: 'w', call: 'hop' },
      { table: 'Line Items', alias: null, call: null },
    ]);
    expect(withNames(sql)).toEqual(['a']);
  });
});

const metric = {
  name: 'authorization_rate',
  of: 'attempts_cube',
  unit: 'percent',
  dimensions: ['psp'],
  bucket_ms: 10_000,
  kind: 'rate' as const,
};
const catalogue: Catalogue = {
  metrics: [metric],
  tables: [
    {
      name: 'attempts_cube',
      kind: 'cube',
      columns: [
        { name: 'bucket', type: 'timestamp' },
        { name: 'psp', type: 'string' },
      ],
      measures: ['attempts'],
      metrics: [metric],
    },
    {
      name: 'payments',
      kind: 'stream',
      columns: [
        { name: 'psp', type: 'string' },
        { name: 'amount', type: 'decimal(18,3)' },
      ],
      measures: [],
      metrics: [],
    },
  ],
};

describe('proposals', () => {
  it('measure what the cube of the statement has', () => {
    const names = (sql: string) => measureProposals(catalogue, sourcesOf(sql)).map(({ name }) => name);
    expect(names('select from attempts_cube')).toEqual(['authorization_rate', 'attempts']);
    expect(names('select ')).toEqual(['authorization_rate']);
    expect(names('select from payments')).toEqual([]);
  });

  it('know the columns that windows and forecasts add', () => {
    expect(columnsOf(catalogue, { table: 'attempts_cube', alias: null, call: 'hop' })[0]?.name).toBe(
      'window_start',
    );
    expect(columnsOf(catalogue, { table: '', alias: null, call: 'forecast' })).toHaveLength(6);
  });

  it('have values for text columns of the right table only', () => {
    const of = (sql: string, column: string, qualifier: string | null = null) =>
      tableOfValue(catalogue, sourcesOf(sql), column, qualifier);
    expect(of('from payments p', 'psp')).toBe('payments');
    expect(of('from payments p join attempts_cube c', 'psp', 'c')).toBe('attempts_cube');
    expect(of('from payments', 'amount')).toBeNull();
    expect(of('from payments', 'nothing')).toBeNull();
  });
});
