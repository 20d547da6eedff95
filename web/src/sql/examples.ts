import type { Metric } from '../api/types';
import { type Table, timeOf } from './schema';
import { identifier, textLiteral } from './statement';

export type ExampleKind = 'course' | 'split' | 'week' | 'days' | 'events' | 'top' | 'forecast' | 'tables';

/** A statement for a newcomer, made of what this server has. */
export interface Example {
  kind: ExampleKind;
  sql: string;
  view: 'table' | 'chart';
  /** What its title names. */
  about: Record<string, string>;
}

interface Ground {
  tables: readonly Table[];
  /** The moment to look back from, as SQL. */
  anchor: string;
  zone: string;
}

/** Examples from the streams and metrics that there are; none that would need what is not there. */
export function examplesFor({ tables, anchor, zone }: Ground): Example[] {
  const cubes = tables.filter(({ kind }) => kind === 'cube');
  const metrics = cubes.flatMap((cube) => cube.metrics.map((metric) => ({ cube, metric })));
  const byKind = (...kinds: Metric['kind'][]) =>
    kinds
      .map((kind) => metrics.find(({ metric }) => metric.kind === kind))
      .find((found) => found !== undefined);
  const rate = byKind('rate', 'count', 'amount', 'other');
  const sum = byKind('amount', 'count');
  const count = byKind('count', 'amount');
  const stream = tables.find(({ kind }) => kind === 'stream');
  return [
    rate && courseOf(rate.metric, anchor),
    rate && splitOf(rate.cube, rate.metric, anchor),
    rate && weekOf(rate.metric, anchor),
    sum && daysOf(sum.metric, anchor, zone),
    count && forecastOf(count.metric),
    stream && eventsOf(stream, anchor),
    stream && topOf(stream, anchor),
    tablesOf(),
  ].filter((example): example is Example => Boolean(example));
}

const measure = ({ name }: Metric) => `measure(${identifier(name)})`;

function courseOf(metric: Metric, anchor: string): Example {
  const sql = `select date_bin(interval '5 minutes', bucket) as time, ${measure(metric)}
from ${identifier(metric.of)}
where bucket >= ${anchor} - interval '6 hours'
group by 1
order by 1`;
  return { kind: 'course', sql, view: 'chart', about: { metric: metric.name } };
}

function splitOf(cube: Table, metric: Metric, anchor: string): Example | undefined {
  const dimension = metric.dimensions[0];
  if (dimension === undefined) return undefined;
  const others = cube.metrics.filter(({ name }) => name !== metric.name).slice(0, 2);
  const figures = [metric, ...others].map(measure).join(', ');
  const sql = `select ${identifier(dimension)}, ${figures}
from ${identifier(metric.of)}
where bucket >= ${anchor} - interval '24 hours'
group by 1
order by 2 desc`;
  return { kind: 'split', sql, view: 'chart', about: { metric: metric.name, dimension } };
}

function weekOf(metric: Metric, anchor: string): Example | undefined {
  const dimension = metric.dimensions[0];
  if (dimension === undefined) return undefined;
  const sql = `select ${identifier(dimension)},
  ${measure(metric)} filter (where bucket >= ${anchor} - interval '1 hour') as last_hour,
  ${measure(metric)} filter (where bucket < ${anchor} - interval '168 hours') as week_before
from ${identifier(metric.of)}
where bucket >= ${anchor} - interval '1 hour'
  or bucket >= ${anchor} - interval '169 hours' and bucket < ${anchor} - interval '168 hours'
group by 1
order by 1`;
  return { kind: 'week', sql, view: 'table', about: { metric: metric.name, dimension } };
}

function daysOf(metric: Metric, anchor: string, zone: string): Example {
  const sql = `select window_start, ${measure(metric)}
from tumble(${identifier(metric.of)}, 'day', ${textLiteral(zone)})
where bucket >= ${anchor} - interval '30 days'
group by 1
order by 1`;
  return { kind: 'days', sql, view: 'chart', about: { metric: metric.name, zone } };
}

function forecastOf(metric: Metric): Example {
  const sql = `select start, value, lower_80, upper_80
from forecast(${textLiteral(metric.name)}, interval '24 hours', interval '1 hour')
order by start`;
  return { kind: 'forecast', sql, view: 'chart', about: { metric: metric.name } };
}

function eventsOf(stream: Table, anchor: string): Example | undefined {
  const time = timeOf(stream);
  if (time === null) return undefined;
  const sql = `select *
from ${identifier(stream.name)}
where ${identifier(time)} >= ${anchor} - interval '15 minutes'
order by ${identifier(time)} desc
limit 100`;
  return { kind: 'events', sql, view: 'table', about: { stream: stream.name } };
}

/** Fields that tell little when counted by: each event has its own. */
const OWN_VALUES = /(^|_)(id|key|reference|token)$/;

function topOf(stream: Table, anchor: string): Example | undefined {
  const time = timeOf(stream);
  const field = stream.columns.find(({ name, type }) => type === 'string' && !OWN_VALUES.test(name));
  const amount = stream.columns.find(({ type }) => type.startsWith('decimal('));
  if (time === null || field === undefined) return undefined;
  const sum = amount ? `, sum(${identifier(amount.name)}) as ${identifier(`total_${amount.name}`)}` : '';
  const sql = `select ${identifier(field.name)}, count(*) as events${sum}
from ${identifier(stream.name)}
where ${identifier(time)} >= ${anchor} - interval '24 hours'
group by 1
order by events desc
limit 20`;
  return { kind: 'top', sql, view: 'table', about: { stream: stream.name, field: field.name } };
}

function tablesOf(): Example {
  const sql = `select table_name, column_name, data_type
from information_schema.columns
where table_schema = 'public' and column_name not like '%#%'
order by table_name, ordinal_position`;
  return { kind: 'tables', sql, view: 'table', about: {} };
}
