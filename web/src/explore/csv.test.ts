import { expect, it } from 'vitest';
import { courseCsv, fileName, tableCsv } from './csv';

it('has a row for each step and keeps every digit', () => {
  const text = courseCsv(
    [
      {
        name: 'adyen (EUR)',
        points: [
          [0, '99999999999999.99'],
          [10_000, null],
        ],
      },
      { name: 'stripe, card', points: [[10_000, 0.5]] },
    ],
    ['start (UTC)', 'start (Europe/Berlin)'],
    (at) => `t${at}`,
  );
  expect(text).toBe(
    '\ufeffstart (UTC),start (Europe/Berlin),adyen (EUR),"stripe, card"\r\n' +
      '1970-01-01T00:00:00Z,t0,99999999999999.99,\r\n' +
      '1970-01-01T00:00:10Z,t10000,,0.5\r\n',
  );
});

it('data never becomes a formula, and a negative figure stays a number', () => {
  const text = tableCsv(['=cmd()'], [[{ text: '@sum(1)' }, { figure: -5 }, { text: 'a "b"' }]]);
  expect(text).toBe('\ufeff\'=cmd()\r\n\'@sum(1),-5,"a ""b"""\r\n');
});

it('a file has a name that every system takes', () => {
  expect(fileName(['latency_p95', 'by psp', '../../etc', '商户'], 'csv')).toBe(
    'latency-p95_by-psp_etc_商户.csv',
  );
});
