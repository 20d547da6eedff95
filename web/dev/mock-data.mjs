// Plausible payment traffic for working on the page without a server. Figures are a function of time, so that they
// agree between requests; only posted events come on top. Nothing of this is part of the product.

import { operations, panelMetrics } from './mock-panels.mjs';

const MINUTE = 60_000;
const CELL = 10_000;
const DAY = 1440 * MINUTE;
const FIELDS = 5;
export const WEEK = 7 * 1440 * MINUTE;

const dimensions = {
  psp: { adyen: 0.42, stripe: 0.33, worldline: 0.17, checkout: 0.08 },
  method: { card: 0.61, paypal: 0.17, ideal: 0.12, klarna: 0.07, apple_pay: 0.03 },
  issuer: {
    bank_17: 0.2,
    bank_03: 0.18,
    bank_08: 0.16,
    bank_21: 0.14,
    bank_02: 0.1,
    bank_30: 0.08,
    bank_11: 0.07,
    bank_12: 0.05,
    __other__: 0.02,
  },
  country: { DE: 0.36, FR: 0.22, NL: 0.17, ES: 0.12, IT: 0.08, PL: 0.03, SG: 0.02 },
};

const hostileNames = {
  adyen: '<img src=x onerror="document.title=\'owned\'">',
  stripe: '{a|rich} {b} %s {0} "quotes" & \'ticks\'',
  worldline: '</script><script>alert(1)</script>',
  checkout:
    'a very long name of a payment service provider that does not fit anywhere, \u202eright-to-left\u202c and \u{1F4B3}',
  PL: '<img src=x onerror="document.title=\'owned\'">',
  NL: 'constructor',
};

const shared = [
  {
    name: 'authorization_rate',
    unit: 'percent',
    description: 'Share of payment attempts that were approved.',
    formula: 'approved ÷ attempts',
    kind: 'rate',
  },
  {
    name: 'payment_volume',
    unit: 'EUR',
    description: 'Approved amount, converted to EUR at the day\u2019s rate.',
    formula: 'Σ amount of approved payments',
    title: { en: 'Approved volume', zh: '成交金额' },
    kind: 'amount',
  },
  {
    name: 'payment_attempts',
    unit: 'count',
    description: 'Attempts of any outcome.',
    formula: 'count of attempts',
    kind: 'count',
  },
  {
    name: 'latency_p95',
    unit: 'ms',
    description: '95 % of answers of the PSP came within this time.',
    formula: '95th percentile of latency',
    kind: 'other',
  },
  {
    name: 'declined_attempts',
    unit: 'count',
    description: 'Attempts that were declined.',
    formula: 'count of declined attempts',
    kind: 'count',
  },
].map((metric) => ({
  ...metric,
  of: 'payment_attempts',
  dimensions: Object.keys(dimensions),
  bucket_ms: 10_000,
}));
export const metrics = [...shared, ...panelMetrics];

const title = (en, zh) => ({ en, zh });

export const boards = {
  payments: {
    name: 'payments',
    title: title('Payments', '支付'),
    tiles: [
      {
        metric: 'authorization_rate',
        title: title('Authorization rate', '授权成功率'),
        where: {},
        good: 'up',
      },
      { metric: 'payment_volume', title: title('Approved volume', '成交金额'), where: {}, good: 'up' },
      { metric: 'payment_attempts', title: title('Attempts', '支付笔数'), where: {}, good: 'up' },
      { metric: 'latency_p95', title: title('PSP latency p95', '渠道延迟 p95'), where: {}, good: 'down' },
      {
        metric: 'authorization_rate',
        title: title('Authorization rate', '授权成功率'),
        where: { psp: 'adyen' },
        good: 'up',
      },
    ],
    charts: [
      {
        metric: 'authorization_rate',
        by: 'psp',
        title: title('Authorization rate', '授权成功率'),
        window: '1h',
      },
      { metric: 'payment_volume', by: 'method', title: title('Approved volume', '成交金额'), window: '1h' },
      { metric: 'latency_p95', by: 'psp', title: title('PSP latency p95', '渠道延迟 p95'), window: '1h' },
      {
        metric: 'declined_attempts',
        by: 'issuer',
        title: title('Declined attempts', '拒绝笔数'),
        window: '1h',
      },
    ],
    incidents: true,
  },
  commerce: {
    name: 'commerce',
    title: title('Commerce', '电商'),
    tiles: [{ metric: 'payment_attempts', title: title('Orders', '订单数'), good: 'up' }],
    charts: [{ metric: 'payment_attempts', by: 'country', title: title('Orders', '订单数'), window: '24h' }],
    incidents: true,
  },
  operations,
};

/** A number in [0, 1) that depends on its inputs only. */
function noise(text, n) {
  let h = 2166136261 ^ n;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  h ^= h >>> 15;
  h = Math.imul(h, 2246822507);
  h ^= h >>> 13;
  return ((h >>> 0) % 100_003) / 100_003;
}

export class Traffic {
  constructor(startMs) {
    this.startMs = startMs;
    this.dropAtMs = startMs - 7 * MINUTE;
    this.posted = [];
    this.mode = 'normal';
    this.cache = new Map();
  }

  post(event) {
    this.posted.push({ atMs: Date.parse(event.occurred_at) || Date.now(), event });
  }

  name(value) {
    return this.mode === 'hostile' ? (hostileNames[value] ?? value) : value;
  }

  /** What a filter means by a name. */
  value(name) {
    const found =
      this.mode === 'hostile' ? Object.entries(hostileNames).find(([, one]) => one === name) : null;
    return found ? found[0] : name;
  }

  /** Counts of one slice in one 10 s cell. A combination begins with the value that decides how it does. */
  cell(name, share, at) {
    const [value] = name.split(' · ');
    const hour = (at / 3_600_000) % 24;
    const season =
      1 + 0.55 * Math.sin(((hour - 9) / 24) * 2 * Math.PI) + 0.06 * noise('week', Math.floor(at / WEEK));
    const jitter = 0.82 + 0.36 * noise(value, at / 10_000);
    const attempts = Math.round(220 * share * season * jitter);
    const isHit = at >= this.dropAtMs && (value === 'adyen' || value === 'bank_17');
    const usual = { adyen: 0.91, stripe: 0.93, worldline: 0.875, checkout: 0.89 }[value] ?? 0.9;
    const rate =
      (isHit ? (value === 'adyen' ? 0.72 : 0.41) : usual) + 0.035 * (noise(`r${value}`, at / 10_000) - 0.5);
    const approved = Math.round(attempts * Math.min(1, rate));
    const cents = approved * 4_700 + Math.round(approved * 900 * noise(`v${value}`, at / 10_000));
    const latency = (value === 'worldline' ? 640 : 410) * (0.9 + 0.25 * noise(`l${value}`, at / 10_000));
    return { attempts, approved, cents, latency };
  }

  /** Running sums of one slice: by the minute for history, by 10 s around now. Any window is then two look-ups. */
  sums(value, share) {
    let sums = this.cache.get(value);
    if (!sums) {
      const fineFrom = Math.floor((this.startMs - 2 * 60 * MINUTE) / MINUTE) * MINUTE;
      const coarse = this.running(value, share, fineFrom - 15 * 1440 * MINUTE, fineFrom, MINUTE);
      const fine = this.running(value, share, fineFrom, fineFrom + 12 * 60 * MINUTE, CELL);
      sums = { coarse, fine };
      this.cache.set(value, sums);
    }
    return sums;
  }

  running(value, share, from, to, width) {
    const cells = Math.round((to - from) / width);
    const totals = new Float64Array((cells + 1) * FIELDS);
    for (let i = 0; i < cells; i += 1) {
      const { attempts, approved, cents, latency } = this.cell(value, share, from + i * width);
      const scale = width / CELL;
      const added = [attempts * scale, approved * scale, cents * scale, latency * scale, scale];
      for (let f = 0; f < FIELDS; f += 1) totals[(i + 1) * FIELDS + f] = totals[i * FIELDS + f] + added[f];
    }
    return { from, to, width, cells, totals };
  }

  sum(value, share, from, to) {
    const { coarse, fine } = this.sums(value, share);
    const total = [0, 0, 0, 0, 0];
    for (const part of [coarse, fine]) {
      const place = (at) => Math.min(part.cells, Math.max(0, (at - part.from) / part.width));
      // History has minutes; of a shorter step it has its share of one, in whole events.
      const upTo = (at, f) => {
        const i = part === coarse ? Math.floor(place(at)) : Math.ceil(place(at));
        const [here, next] = [i, Math.min(part.cells, i + 1)].map((cell) => part.totals[cell * FIELDS + f]);
        return part === coarse ? Math.round(here + (next - here) * (place(at) - i)) : here;
      };
      for (let f = 0; f < FIELDS; f += 1) total[f] += upTo(to, f) - upTo(from, f);
    }
    return total;
  }

  figure(metric, dimension, values, from, to) {
    const now = Date.now();
    const end = Math.max(from, Math.min(to, now - 1_000));
    const total = { attempts: 0, approved: 0, cents: 0, latency: 0, cells: 0 };
    for (const [value, share] of values) {
      const part = this.sum(value, share, from, end);
      for (const [f, field] of Object.keys(total).entries()) total[field] += part[f];
    }
    for (const { atMs, event } of this.posted) {
      const matches = values.length > 1 || values[0]?.[0] === event[dimension];
      if (!matches || atMs < from || atMs >= to) continue;
      total.attempts += 1;
      if (event.status === 'approved') {
        total.approved += 1;
        total.cents += Math.round(Number(event.amount) * 100);
      }
    }
    if (total.attempts === 0) return metric.kind === 'count' ? 0 : null;
    if (metric.name === 'authorization_rate') return total.approved / total.attempts;
    if (metric.name === 'payment_volume') return (total.cents / 100).toFixed(2);
    if (metric.name === 'checkouts') return Math.round(total.attempts * 1.35);
    if (metric.name === 'latency_p95')
      return total.cells > 0 ? Math.round((total.latency / total.cells) * 10) / 10 : null;
    if (metric.name === 'approved_attempts') return total.approved;
    return metric.name === 'declined_attempts' ? total.attempts - total.approved : total.attempts;
  }

  /** What was a day ago is expected again, more or less, until the day ends in UTC. */
  forecast(metric, query) {
    const now = Date.now();
    const step = duration(query.get('step') ?? '1h');
    const midnight = Math.ceil((now + 1) / DAY) * DAY;
    const shares = Object.entries(dimensions.psp);
    const first = Math.floor((now - 2_000) / step) * step;
    const spread = (value) => ({
      value,
      lower_80: value * 0.9,
      upper_80: value * 1.1,
      lower_95: value * 0.85,
      upper_95: value * 1.15,
    });
    const points = [];
    for (let start = first; start < midnight; start += step) {
      const value = Number(this.figure(metric, 'psp', shares, start - DAY, start - DAY + step));
      points.push({ start, ...spread(value) });
    }
    const isReady = this.mode !== 'empty';
    const adds = metric.kind === 'count' || metric.kind === 'amount';
    const total = Number(this.figure(metric, 'psp', shares, midnight - 2 * DAY, midnight - DAY));
    const one = {
      by: {},
      status: isReady ? 'ready' : 'learning',
      ...(isReady ? { footing: 'full' } : {}),
      points: isReady ? points : [],
      day: isReady && adds ? { from: midnight - DAY, to: midnight, ...spread(total) } : null,
    };
    return { metric: metric.name, unit: metric.unit, step_ms: step, forecasts: [one] };
  }

  document(metric, query) {
    const now = Date.now();
    const to = time(query.get('to') ?? 'now', now);
    const from = time(query.get('from') ?? '-1h', now);
    const step = duration(query.get('step') ?? '30s');
    const by = query.getAll('by');
    const where = query
      .getAll('where')
      .map((pair) => pair.split(/:(.*)/s))
      .map(([dimension, value]) => [dimension, this.value(value)]);
    const dimension = by[0] ?? where[0]?.[0] ?? 'psp';
    const shares = combinations(by.length > 0 ? by : [dimension], where);
    const limit = Number(query.get('limit') ?? 100);
    const groups = by.length > 0 ? shares.slice(0, limit).map((pair) => [pair]) : [shares];
    const first = step >= to - from ? from : Math.floor(from / step) * step;
    const series = groups.map((group) => {
      const points = [];
      for (let at = first; at < to; at += step)
        points.push([at, this.figure(metric, dimension, group, at, Math.min(at + step, to))]);
      const named = by.map((name, i) => [name, this.name(group[0][2][i])]);
      return { by: Object.fromEntries(named), points };
    });
    return {
      metric: metric.name,
      unit: metric.unit,
      from,
      to,
      step_ms: step,
      by,
      watermark: this.mode === 'empty' ? null : now - 2_000,
      series: this.mode === 'empty' ? [] : series,
      truncated: by.length > 0 && shares.length > limit,
    };
  }
}

/**
 * The combinations of some dimensions, each with its share, the largest first. Filters on other dimensions leave a part of
 * each, which is traffic of its own and has a name of its own.
 */
function combinations(names, where) {
  const of = (name) => {
    const values = where.filter(([dimension]) => dimension === name).map(([, value]) => value);
    const all = Object.entries(dimensions[name] ?? {});
    return values.length > 0 ? all.filter(([value]) => values.includes(value)) : all;
  };
  const others = [...new Set(where.map(([dimension]) => dimension))].filter((name) => !names.includes(name));
  const part = others.reduce((share, name) => share * of(name).reduce((sum, [, one]) => sum + one, 0), 1);
  const suffix = others.map((name) => of(name).map(([value]) => value)).join(' ');
  let found = [[[], part]];
  for (const name of names)
    found = found.flatMap(([values, share]) =>
      of(name).map(([value, one]) => [[...values, value], share * one]),
    );
  return found
    .map(([values, share]) => [[...values, suffix].filter(Boolean).join(' · '), share, values])
    .sort(([, a], [, b]) => b - a);
}

const unitMs = { s: 1_000, m: MINUTE, h: 60 * MINUTE, d: 1440 * MINUTE };

function duration(text) {
  const match = /^(\d+)([smhd])$/.exec(text);
  return match ? Number(match[1]) * unitMs[match[2]] : 60_000;
}

function time(text, now) {
  if (text === 'now') return now;
  if (text.startsWith('-')) return now - duration(text.slice(1));
  return /^\d+$/.test(text) ? Number(text) : Date.parse(text);
}

export function incidentsAt(traffic) {
  const iso = (ms) => new Date(ms).toISOString();
  const { dropAtMs, startMs } = traffic;
  const made = (id, values) => ({
    id,
    monitor: 'authorization_drop',
    metric: 'authorization_rate',
    unit: 'percent',
    severity: 'critical',
    state: 'open',
    resolved_at: null,
    numerator: null,
    denominator: null,
    affected: null,
    probability: 0.999,
    direction: 'down',
    timeline: [],
    ...values,
    slice: Object.fromEntries(
      Object.entries(values.slice).map(([name, value]) => [name, traffic.name(value)]),
    ),
  });
  return [
    made('inc_01JDR8', {
      slice: { psp: 'adyen', issuer: 'bank_17' },
      opened_at: iso(dropAtMs + 62_000),
      started_at: iso(dropAtMs),
      updated_at: iso(startMs),
      value: 0.4103,
      expected: 0.8812,
      numerator: 128,
      denominator: 312,
      affected: 147,
      summary:
        'Authorization rate on psp adyen, issuer bank_17 is 41.0 % instead of 88.1 %. All other slices are normal.',
      impact: { metric: 'requested_volume', value: 9120.5, unit: 'EUR' },
      owner: 'payments on call',
      parts: ['inc_01JDR5'],
      explanation: {
        slice: { psp: traffic.name('adyen'), issuer: traffic.name('bank_17') },
        from: iso(dropAtMs),
        to: iso(startMs),
        compared_with: [{ from: iso(dropAtMs - 24 * 60 * MINUTE), to: iso(dropAtMs) }],
        expected: 0.8812,
        value: 0.8104,
        parts: [
          {
            slice: { psp: traffic.name('adyen'), issuer: traffic.name('bank_17') },
            expected: 0.8812,
            value: 0.4103,
            share: 0.93,
            affected: 147,
            denominator: 312,
          },
        ],
        alternatives: [{ slices: [{ issuer: traffic.name('bank_17') }], score: 210.5 }],
        mix: null,
        dimensions: ['psp', 'issuer', 'method'],
        dimensions_left_out: ['merchant'],
        events_sql: 'select * from "payments" order by "occurred_at" desc limit 1000',
      },
      timeline: [
        { at: iso(dropAtMs + 62_000), kind: 'opened', text: '41.3 % of 92 attempts, expected 88.1 %' },
        { at: iso(dropAtMs + 63_000), kind: 'delivered', text: 'on_call' },
        { at: iso(dropAtMs + 180_000), kind: 'updated', text: '147 payments affected' },
      ],
    }),
    made('inc_01JDR2', {
      slice: { psp: 'worldline' },
      metric: 'latency_p95',
      unit: 'ms',
      monitor: 'psp_latency',
      severity: 'warning',
      state: 'acknowledged',
      direction: 'up',
      opened_at: iso(dropAtMs - 24 * MINUTE),
      started_at: iso(dropAtMs - 26 * MINUTE),
      updated_at: iso(startMs),
      value: 642.4,
      expected: 405,
      affected: 1_840,
      probability: 0.974,
      summary: 'Latency p95 of psp worldline is 642 ms instead of 405 ms.',
      timeline: [
        { at: iso(dropAtMs - 20 * MINUTE), kind: 'acknowledged', text: 'by m.keller: PSP informed' },
      ],
    }),
    made('inc_01JDR5', {
      slice: { psp: 'adyen' },
      monitor: 'psp_errors',
      metric: 'error_rate',
      part_of: 'inc_01JDR8',
      direction: 'up',
      opened_at: iso(dropAtMs + 90_000),
      started_at: iso(dropAtMs + 30_000),
      updated_at: iso(startMs),
      value: 0.19,
      expected: null,
      bound: 0.15,
      summary: 'Error rate on psp adyen is 19 %, above the bound of 15 %.',
    }),
    made('inc_01JDR4', {
      slice: { method: 'klarna' },
      monitor: 'declines_max',
      severity: 'warning',
      opened_at: iso(dropAtMs - 10 * MINUTE),
      started_at: iso(dropAtMs - 11 * MINUTE),
      updated_at: iso(startMs),
      value: 0.783,
      expected: null,
      bound: 0.8,
      denominator: 412,
      probability: null,
      summary: 'Authorization rate on method klarna is 78.3 %, below the bound of 80 %.',
    }),
    made('inc_01JDQ5', {
      slice: { method: 'ideal', country: 'NL' },
      state: 'resolved',
      opened_at: iso(startMs - 190 * MINUTE),
      started_at: iso(startMs - 192 * MINUTE),
      updated_at: iso(startMs - 171 * MINUTE),
      resolved_at: iso(startMs - 171 * MINUTE),
      value: 0.613,
      expected: 0.942,
      affected: 388,
      summary: 'Authorization rate on method ideal, country NL was 61.3 % instead of 94.2 %.',
    }),
    made('inc_01JDP9', {
      slice: {},
      metric: 'payment_volume',
      unit: 'EUR',
      monitor: 'volume_silence',
      severity: 'info',
      state: 'resolved',
      opened_at: iso(startMs - 31 * 60 * MINUTE),
      started_at: iso(startMs - 31 * 60 * MINUTE),
      updated_at: iso(startMs - 30 * 60 * MINUTE),
      resolved_at: iso(startMs - 30 * 60 * MINUTE),
      value: '1204.50',
      expected: '18400.00',
      affected: null,
      summary: 'Approved volume was EUR 1,204.50 instead of EUR 18,400.00.',
    }),
  ];
}
