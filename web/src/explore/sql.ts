import type { Metric } from '../api/types';
import { apiDuration, rangeMs } from '../state/range';
import { instantText, type Span } from './state';
import { wholeSteps } from './window';

/** What the statement is to answer: the same as the chart. */
export interface Asking {
  metric: Metric;
  span: Span;
  stepMs: number;
  by: readonly string[];
  where: Readonly<Record<string, readonly string[]>>;
}

/** The statement whose rows are the points of a chart. */
export function statement({ metric, span, stepMs, by, where }: Asking): string {
  const step = `interval '${spoken(stepMs)}'`;
  const columns = [
    `date_bin(${step}, bucket) as step_start`,
    ...by.map(identifier),
    `measure(${identifier(metric.name)})`,
  ];
  const places = columns.slice(0, -1).map((_, i) => i + 1);
  const conditions = [...timeConditions(span, stepMs, step), ...Object.entries(where).flatMap(condition)];
  return [
    `select ${columns.join(',\n       ')}`,
    `from ${identifier(metric.of)}`,
    `where ${conditions.join('\n  and ')}`,
    `group by ${places.join(', ')}`,
    `order by ${places.join(', ')}`,
  ].join('\n');
}

/** A chart begins with a whole step, and so do the rows. */
function timeConditions(span: Span, stepMs: number, step: string): string[] {
  if (span.kind === 'last')
    return [`bucket >= date_bin(${step}, now() - interval '${spoken(rangeMs(span.range))}')`];
  const { fromMs, toMs } = wholeSteps(span, stepMs);
  return [`bucket >= timestamp '${instantText(fromMs)}'`, `bucket < timestamp '${instantText(toMs)}'`];
}

function condition([dimension, values]: [string, readonly string[]]): string[] {
  const name = identifier(dimension);
  const given = values.filter((value) => value !== '');
  const parts: string[] = [];
  // Compared as text: a dimension may be a number or a truth value, of which the address has only the text.
  const left = given.some((value) => value === 'true' || value === 'false')
    ? `cast(${name} as varchar)`
    : name;
  const [only] = given;
  if (given.length === 1 && only !== undefined) parts.push(`${left} = ${literal(only)}`);
  else if (given.length > 1) parts.push(`${left} in (${given.map(literal).join(', ')})`);
  // The empty value of a filter means none as well.
  if (given.length < values.length) parts.push(`coalesce(cast(${name} as varchar), '') = ''`);
  if (parts.length === 0) return [];
  return [parts.length > 1 ? `(${parts.join(' or ')})` : parts.join('')];
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Words that end a name, or begin something else, where a column or a table is meant. */
const RESERVED = new Set(
  `all and any array as asc at between both by case cast create cross current_date current_time current_timestamp delete desc
  distinct drop else end except exists extract false fetch filter first for from full group grouping having in inner insert
  intersect interval into is join last lateral leading left like limit natural not null nulls offset on or order outer over
  partition position qualify range right row rows select set similar some substring table tablesample then time timestamp to
  top trailing trim true union unique unnest update user using values view when where window with within`.split(
    /\s+/,
  ),
);

/** A name as it stands in a statement: in quotes where it could be read as something else. */
function identifier(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !RESERVED.has(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

const WORDS: Record<string, string> = { s: 'second', m: 'minute', h: 'hour', d: 'day' };

/** A duration as intervals have it: `30 seconds`, `1 hour`. */
function spoken(ms: number): string {
  const [, count = '', unit = ''] = /^(\d+)([smhd])$/.exec(apiDuration(ms)) ?? [];
  return `${count} ${WORDS[unit]}${count === '1' ? '' : 's'}`;
}
