import { expect, it } from 'vitest';
import type { Metric } from '../api/types';
import { statement } from './sql';

const metric: Metric = {
  name: 'authorization_rate',
  unit: 'percent',
  of: 'payment_attempts',
  dimensions: ['psp', 'method'],
  bucket_ms: 10_000,
  kind: 'rate',
};
const asking = { metric, span: { kind: 'last', range: '1h' }, stepMs: 30_000, by: [], where: {} } as const;

it('asks for what the chart shows', () => {
  expect(statement({ ...asking, by: ['psp'], where: { method: ['card'] } })).toBe(
    `select date_bin(interval '30 seconds', bucket) as step_start,
       psp,
       measure(authorization_rate)
from payment_attempts
where bucket >= date_bin(interval '30 seconds', now() - interval '1 hour')
  and method = 'card'
group by 1, 2
order by 1, 2`,
  );
});

it('has the ends of a fixed span, on whole steps', () => {
  const at = Date.UTC(2026, 10, 30, 14);
  const sql = statement({ ...asking, span: { kind: 'fixed', fromMs: at + 5_000, toMs: at + 65_000 } });
  expect(sql).toContain(
    "bucket >= timestamp '2026-11-30T14:00:00Z'\n  and bucket < timestamp '2026-11-30T14:01:30Z'",
  );
});

it('takes values for data, whatever is in them', () => {
  const sql = statement({ ...asking, where: { psp: ["o'clock; drop table x --", 'b'] } });
  expect(sql).toContain("psp in ('o''clock; drop table x --', 'b')");
});

it('knows none, and truth values', () => {
  expect(statement({ ...asking, where: { psp: [''] } })).toContain(
    "  and coalesce(cast(psp as varchar), '') = ''\n",
  );
  expect(statement({ ...asking, where: { psp: ['a', ''] } })).toContain(
    "  and (psp = 'a' or coalesce(cast(psp as varchar), '') = '')\n",
  );
  expect(statement({ ...asking, where: { big: ['true'] } })).toContain("cast(big as varchar) = 'true'");
});

it('quotes names that mean something else', () => {
  const odd = { ...metric, name: '3ds_rate', of: 'order' };
  const sql = statement({ ...asking, metric: odd, by: ['group'] });
  expect(sql).toContain('measure("3ds_rate")\nfrom "order"\n');
  expect(sql).toContain('       "group",\n');
});
