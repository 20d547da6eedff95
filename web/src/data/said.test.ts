import { describe, expect, it } from 'vitest';
import { readDefinitionFault } from './definitionFault';
import type { QuarantinedLine } from './documents';
import { eventsOf, lagBars, lagQuantile } from './lag';
import { reasonGroups, reasonKey, reasonKind } from './reasons';
import { readDataSearch, writeDataSearch } from './search';
import { bytesText, rateText, spanText } from './size';
import { en } from './texts/en';
import { zh } from './texts/zh';

describe('readDefinitionFault', () => {
  it('tells place, words and suggestion apart', () => {
    expect(
      readDefinitionFault(
        "defs/payments.yaml:12:5: there is no field 'amout'\n    help: did you mean 'amount'?",
      ),
    ).toEqual({
      place: { file: 'defs/payments.yaml', line: 12, column: 5 },
      message: "there is no field 'amout'",
      suggestion: "did you mean 'amount'?",
    });
  });

  it('keeps words without a place, and paths with colons', () => {
    expect(readDefinitionFault("channel 'ops' is inactive: the environment variable X is not set")).toEqual({
      place: null,
      message: "channel 'ops' is inactive: the environment variable X is not set",
      suggestion: null,
    });
    expect(readDefinitionFault('C:\\defs\\a.yaml:3:1: found: nothing\nsecond line').place).toEqual({
      file: 'C:\\defs\\a.yaml',
      line: 3,
      column: 1,
    });
  });
});

describe('reasons', () => {
  it('are of one kind whatever the value was', () => {
    for (const [one, other] of [
      [
        "'EURO' is not an ISO 4217 currency code; write 'EUR'",
        "'usd ' is not an ISO 4217 currency code; write 'USD'",
      ],
      ['12.5 is not a whole number', 'many words is not a whole number'],
      ['99999999999999999999 is outside of int64', '-99999999999999999999 is outside of int64'],
      ['expected a bool, found a number: 7', 'expected a bool, found a number: 12 is not x'],
      ['is not JSON at byte 12: expected a comma', 'is not JSON at byte 7: expected a comma'],
    ] as const)
      expect(reasonKind(one)).toBe(reasonKind(other));
    expect(reasonKind('is required, but missing')).toBe('is required, but missing');
    expect(reasonKind("'x' is not an ISO 4217 currency code")).toContain('4217');
  });

  it('are counted by field, the most frequent first', () => {
    const line = (field: string | undefined, reason: string): QuarantinedLine => ({
      received_at: '',
      line: 1,
      reason,
      raw: '',
      ...(field === undefined ? {} : { field }),
    });
    const lines = [
      line('a', 'is required, but missing'),
      line('b', '1 is not a whole number'),
      line('b', '2 is not a whole number'),
      line(undefined, 'the row is not UTF-8'),
    ];
    const groups = reasonGroups(lines);
    expect(groups.map(({ field, count }) => [field, count])).toEqual([
      ['b', 2],
      ['a', 1],
      [null, 1],
    ]);
    expect(groups[0]?.key).toBe(reasonKey(lines[1] as QuarantinedLine));
  });
});

describe('lag', () => {
  const histogram = {
    buckets: [
      { upto_ms: 1_000, events: 60 },
      { upto_ms: 10_000, events: 35 },
      { upto_ms: 60_000, events: 0 },
      { upto_ms: null, events: 5 },
    ],
    sum_s: 0,
  };

  it('has quantiles that are bounds of buckets', () => {
    expect(eventsOf(histogram)).toBe(100);
    expect(lagQuantile(histogram, 0.5)).toEqual({ kind: 'within', ms: 1_000 });
    expect(lagQuantile(histogram, 0.95)).toEqual({ kind: 'within', ms: 10_000 });
    expect(lagQuantile(histogram, 0.99)).toEqual({ kind: 'beyond', ms: 60_000 });
    expect(lagQuantile({ buckets: [], sum_s: 0 }, 0.5)).toEqual({ kind: 'none' });
  });

  it('is drawn up to the last bucket that has something in it', () => {
    expect(lagBars(histogram).map(({ uptoMs, overMs, share }) => [uptoMs, overMs, share])).toEqual([
      [1_000, 0, 0.6],
      [10_000, 1_000, 0.35],
      [60_000, 10_000, 0],
      [null, 60_000, 0.05],
    ]);
    expect(lagBars({ buckets: histogram.buckets.slice(0, 3), sum_s: 0 })).toHaveLength(2);
    expect(lagBars({ buckets: [{ upto_ms: 1, events: 0 }], sum_s: 0 })).toEqual([]);
  });
});

describe('the address', () => {
  const rest = { way: null, file: null, pack: null };

  it('is read and written as short as can be, and unknown values are dropped', () => {
    expect(readDataSearch({})).toEqual({ tab: 'streams', stream: null, reason: null, ...rest });
    expect(readDataSearch({ tab: 'nothing', stream: '', reason: 'x', other: '1' })).toEqual({
      tab: 'streams',
      stream: null,
      reason: null,
      ...rest,
    });
    expect(readDataSearch({ tab: 'quarantine', stream: 'payments', reason: 'a: b' })).toEqual({
      tab: 'quarantine',
      stream: 'payments',
      reason: 'a: b',
      ...rest,
    });
    expect(readDataSearch({ stream: 'x'.repeat(1_000) }).stream).toBeNull();
    expect(writeDataSearch({ tab: 'streams', stream: 'a' })).toEqual({ stream: 'a' });
    expect(writeDataSearch({ tab: 'quarantine', stream: 'a', reason: 'b' })).toEqual({
      tab: 'quarantine',
      stream: 'a',
      reason: 'b',
    });
    expect(writeDataSearch({ tab: 'upload', stream: null, reason: 'b' })).toEqual({ tab: 'upload' });
  });

  it('names a file of definitions and the way of an upload, each on its own tab alone', () => {
    const file = { tab: 'definitions', file: 'shop/a.yaml', pack: 'payments' } as const;
    expect(writeDataSearch(file)).toEqual(file);
    expect(readDataSearch(file)).toMatchObject(file);
    expect(readDataSearch({ ...file, tab: 'storage' })).toMatchObject({ file: null, pack: null });
    expect(writeDataSearch({ tab: 'upload', way: 'new', file: 'a.yaml' })).toEqual({
      tab: 'upload',
      way: 'new',
    });
    expect(readDataSearch({ tab: 'upload', way: 'other' }).way).toBeNull();
  });
});

describe('sizes', () => {
  it('have three figures and a unit', () => {
    expect(bytesText(0, 'en')).toBe('0\u00a0B');
    expect(bytesText(999, 'en')).toBe('999\u00a0B');
    expect(bytesText(1_536, 'en')).toBe('1.5\u00a0KiB');
    expect(bytesText(256 * 1024 * 1024, 'en')).toBe('256\u00a0MiB');
    expect(bytesText(1_010 * 1024 * 1024, 'de')).toBe('0,99\u00a0GiB');
    expect(bytesText(12_345_678_901, 'en')).toBe('11.5\u00a0GiB');
  });

  it('are exact where they are short', () => {
    expect(spanText(40.4, 'en')).toMatch(/^40.ms$/);
    expect(spanText(2_440, 'en')).toMatch(/^2\.4.sec$/);
    expect(spanText(2_440, 'zh-CN')).toMatch(/^2\.4.?秒$/);
    expect(spanText(125_000, 'en')).toMatch(/^2.min.5.sec$/);
    expect(rateText(0, 'en')).toBe('0');
    expect(rateText(0.01, 'en')).toBe('<\u00a00.1');
    expect(rateText(12.34, 'en')).toBe('12.3');
    expect(rateText(1_234.5, 'en')).toBe('1,235');
    expect(rateText(1_234_567, 'en')).toBe('1.23M');
  });
});

describe('the texts', () => {
  it('have the same keys and the same values to fill in, in every language', () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
    const values = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name).sort();
    for (const [key, text] of Object.entries(en)) {
      expect(values(zh[key as keyof typeof en]), key).toEqual(values(text));
    }
  });
});
