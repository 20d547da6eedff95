// What the mock answers to statements in SQL: enough of their form is read to give every kind of answer a page must show.

const cube = {
  name: 'payment_attempts',
  columns: [
    ['bucket', 'Timestamp(µs, "UTC")'],
    ['psp', 'Dictionary(UInt32, Utf8)'],
    ['method', 'Dictionary(UInt32, Utf8)'],
    ['issuer', 'Dictionary(UInt32, Utf8)'],
    ['country', 'Dictionary(UInt32, Utf8)'],
    ['attempts#0', 'Int64'],
    ['approved#0', 'Int64'],
    ['volume_approved#0', 'Decimal128(38, 3)'],
    ['latency#0', 'Binary'],
  ],
};
const stream = {
  name: 'payments',
  columns: [
    ['event_id', 'Utf8View', 'string'],
    ['occurred_at', 'Timestamp(µs, "UTC")', 'timestamp'],
    ['payment_id', 'Int64', 'int64'],
    ['psp', 'Utf8View', 'string'],
    ['method', 'Utf8View', 'string'],
    ['country', 'Utf8View', 'string'],
    ['amount', 'Decimal128(18, 3)', 'decimal(18,3)'],
    ['currency', 'Utf8View', 'string'],
    ['status', 'Utf8View', 'string'],
    ['decline_code', 'Utf8View', 'string'],
    ['exemption_accepted', 'Boolean', 'bool'],
    ['latency_ms', 'Int64', 'int64'],
    ['risk_score', 'Float64', 'float64'],
    ['settled_on', 'Date32', 'date'],
    ['order', 'Utf8View', 'string'],
  ],
};
const values = {
  psp: ['adyen', 'checkout', "o'neil", 'stripe', 'worldline'],
  method: ['apple_pay', 'card', 'ideal', 'klarna', 'paypal'],
  country: ['DE', 'ES', 'FR', 'IT', 'NL', 'PL'],
  issuer: ['bank_02', 'bank_03', 'bank_08', 'bank_17'],
};
const units = { authorization_rate: 'float64', payment_volume: 'decimal(38,3)', latency_p95: 'float64' };
const MINUTE = 60_000;
const ROWS_MAX = 100_000;
export const SLOW_MS = 20_000;

const column = (name, type) => ({ name, type });
const iso = (ms) => new Date(ms).toISOString().replace('.000', '');

function noise(n) {
  let h = Math.imul(n ^ 2166136261, 16777619);
  h = Math.imul(h ^ (h >>> 15), 2246822507);
  return ((h ^ (h >>> 13)) >>> 0) / 4294967296;
}

/** An answer `{columns, rows}`, a problem `{status, …}`, or null while it is still working. */
export function answerSql(sql, { mode, rowsMax = ROWS_MAX }) {
  if (mode === 'error')
    return refused(
      500,
      'internal',
      'The query could not be answered because of a fault in Tillwatch; its log has the details.',
    );
  const fault = faultIn(sql);
  if (fault) return fault;
  if (/pg_sleep|slowly/.test(sql)) return null;
  const answer =
    mode === 'empty' && !/information_schema/.test(sql)
      ? { columns: [column('psp', 'string')], rows: [] }
      : answerOf(sql, mode);
  const limit = Number(/\blimit\s+(\d+)\s*;?\s*$/i.exec(sql)?.[1] ?? Number.POSITIVE_INFINITY);
  const rows = answer.rows.slice(0, limit);
  const max = Math.min(rowsMax, ROWS_MAX);
  if (rows.length > max)
    return refused(
      422,
      'too-many-rows',
      `The answer has more than ${max} rows; add a limit or aggregate more.`,
    );
  return { columns: answer.columns, rows };
}

function refused(status, reason, detail, more = {}) {
  const title =
    status === 400
      ? 'The query cannot be run'
      : status === 422
        ? 'The query is over its limits'
        : 'Query failed';
  return { type: 'about:blank', title, status, detail, reason, ...more };
}

function placed(sql, at, reason, message, suggestion) {
  const before = sql.slice(0, at).split('\n');
  const [line, at1] = [before.length, before.at(-1).length + 1];
  const advice = suggestion ? `; ${suggestion}` : '';
  const detail = `${message} (line ${line}, column ${at1})${advice}${/[?.]$/.test(advice) ? '' : '.'}`;
  return refused(400, reason, detail, { line, column: at1, ...(suggestion ? { suggestion } : {}) });
}

function faultIn(sql) {
  if (/^\s*(drop|insert|update|delete)\b/i.test(sql))
    return refused(
      400,
      'query-not-allowed',
      "'drop table' is not allowed: queries only read; ask with select, show tables or describe.",
      { suggestion: 'ask with select, show tables or describe' },
    );
  const wrong = /\bpps\b/.exec(sql);
  if (wrong)
    return placed(sql, wrong.index, 'unknown-name', "There is no column 'pps'", "did you mean 'psp'?");
  const bare = /(?<!measure\()\bauthorization_rate\b(?!')/.exec(sql.replace(/--.*/g, ''));
  if (bare && /select\s+authorization_rate/.test(sql))
    return placed(
      sql,
      bare.index,
      'unknown-name',
      "'authorization_rate' is a measure or metric, not a column",
      'write measure(authorization_rate)',
    );
  const broken = /\bselct\b/i.exec(sql);
  if (broken) return placed(sql, broken.index, 'sql-syntax', 'Expected: an SQL statement, found: selct');
  return null;
}

function answerOf(sql, mode) {
  if (/information_schema\.columns/.test(sql)) {
    const tables = mode === 'empty' ? [] : [cube, stream];
    const rows = tables.flatMap(({ name, columns }) => columns.map(([one, type]) => [name, one, type]));
    return {
      columns: ['table_name', 'column_name', 'data_type'].map((name) => column(name, 'string')),
      rows: /not like '%#%'/.test(sql) ? rows.filter(([, name]) => !name.includes('#')) : rows,
    };
  }
  const distinct = /select distinct "?(\w+)"? from/i.exec(sql)?.[1];
  if (distinct)
    return { columns: [column(distinct, 'string')], rows: (values[distinct] ?? []).map((value) => [value]) };
  const series = /generate_series\(1,\s*(\d+)\)/.exec(sql);
  if (series)
    return {
      columns: [column('value', 'int64')],
      rows: Array.from({ length: Number(series[1]) }, (_, i) => [i + 1]),
    };
  if (/forecast\(/.test(sql)) return forecast();
  const measures = [
    ...sql.matchAll(/measure\((\w+)\)(?:\s*filter\s*\([^)]*(?:\([^)]*\))*[^)]*\))?(?:\s+as\s+(\w+))?/g),
  ].map(([, name, alias]) => [alias ?? name, name]);
  if (/date_bin|window_start|select bucket/.test(sql)) return course(sql, measures);
  const by = /select\s+(psp|method|country|issuer)\b/i.exec(sql)?.[1];
  if (by) return split(by, measures, sql, mode);
  if (/from\s+payments\b/i.test(sql)) return events(mode);
  return { columns: [column('Int64(1)', 'int64')], rows: [[1]] };
}

function figure(name, n) {
  if (name === 'authorization_rate') return 0.86 + noise(n) * 0.04;
  if (name === 'payment_volume') return (120_000 + noise(n + 7) * 40_000).toFixed(3);
  if (name === 'latency_p95') return 380 + noise(n + 13) * 60;
  return Math.round(900 + noise(n + 29) * 300);
}

function course(sql, measures) {
  const step = /'day'/.test(sql) ? 1440 * MINUTE : 5 * MINUTE;
  const count = /'day'/.test(sql) ? 30 : 72;
  const start = Math.floor(Date.now() / step) * step - count * step;
  const name = /window_start/.test(sql) ? 'window_start' : /select bucket/.test(sql) ? 'bucket' : 'time';
  const parts = /\bpsp\b/.test(sql) ? values.psp : [null];
  return {
    columns: [
      column(name, 'timestamp'),
      ...(parts[0] === null ? [] : [column('psp', 'string')]),
      ...measures.map(([as, one]) => column(as, units[one] ?? 'int64')),
    ],
    rows: Array.from({ length: count }, (_, i) => i).flatMap((i) =>
      parts.map((part, p) => [
        iso(start + i * step),
        ...(part === null ? [] : [part]),
        ...measures.map(([, one]) => figure(one, i * 11 + p * 101)),
      ]),
    ),
  };
}

function split(by, measures, sql, mode) {
  const names = [...values[by], null];
  if (mode === 'hostile') names[0] = '<img src=x onerror="document.title=\'owned\'">';
  const shown = measures.length > 0 ? measures : [['events', 'count']];
  const total = /sum\("?amount"?\) as (\w+)/.exec(sql)?.[1];
  return {
    columns: [
      column(by, 'string'),
      ...shown.map(([as, one]) => column(as, units[one] ?? 'int64')),
      ...(total ? [column(total, 'decimal(38,3)')] : []),
    ],
    rows: names.map((name, i) => [
      name,
      ...shown.map(([, one]) => figure(one, i * 17)),
      ...(total ? [(1e6 * (1 + noise(i))).toFixed(3)] : []),
    ]),
  };
}

function forecast() {
  const start = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  return {
    columns: [
      column('start', 'timestamp'),
      ...['value', 'lower_80', 'upper_80'].map((name) => column(name, 'float64')),
    ],
    rows: Array.from({ length: 24 }, (_, i) => {
      const value = 4_000 + 1_800 * Math.sin((i / 24) * 2 * Math.PI) + 100 * noise(i);
      return [iso(start + i * 3_600_000), value, value - 220, value + 240];
    }),
  };
}

function events(mode) {
  const currencies = ['EUR', 'USD', 'JPY', 'KWD'];
  return {
    columns: stream.columns.map(([name, , type]) => column(name, type)),
    rows: Array.from({ length: 25_000 }, (_, i) => {
      const isDeclined = noise(i) > 0.86;
      const at = Date.now() - i * 337;
      const psp = mode === 'hostile' && i % 3 === 0 ? '<script>alert(1)</script>' : values.psp[i % 5];
      return [
        `evt_${(0x9e3779b9 * (i + 1)).toString(36)}`,
        new Date(at).toISOString(),
        i % 50 === 0 ? '9223372036854775807' : 40_000_000 + i,
        psp,
        values.method[(i * 7) % 5],
        values.country[(i * 5) % 6],
        (noise(i + 3) * 900 + 1).toFixed(3),
        currencies[i % 4],
        isDeclined ? 'declined' : 'approved',
        isDeclined ? 'insufficient_funds' : null,
        i % 4 === 0 ? null : i % 3 === 0,
        i % 11 === 0 ? null : 200 + (i % 700),
        noise(i + 5),
        iso(at + 172_800_000).slice(0, 10),
        i % 9 === 0
          ? 'Geschenk für Ada – bitte nicht vor Freitag liefern, sonst öffnet sie es; 如有问题请联系客服'
          : `ord-${i}`,
      ];
    }),
  };
}

export function toCsv({ columns, rows }) {
  const quote = (text) => (/^$|[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = [
    columns.map(({ name }) => quote(name)),
    ...rows.map((row) => row.map((cell) => (cell === null ? '' : quote(String(cell))))),
  ];
  return `${lines.map((line) => line.join(',')).join('\r\n')}\r\n`;
}
