// Monitors and back-tests for the mock: definitions, and what they would have found of made-up failures.
import { metrics } from './mock-data.mjs';

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

/** Channels of the status. */
export const channels = [
  {
    name: 'on_call',
    kind: 'webhook',
    pending: 0,
    last_delivered_at: null,
    last_failed_at: null,
    error: null,
  },
  {
    name: 'risk_team',
    kind: 'slack',
    pending: 0,
    last_delivered_at: null,
    last_failed_at: null,
    error: null,
  },
];

const rate = (settings) => ({
  rate: {
    sensitivity: 'normal',
    min_samples: 30,
    window: '960s',
    history: '604800s',
    min_change: 0.02,
    ...settings,
  },
});
const threshold = (settings) => ({
  threshold: { above: null, below: null, min_samples: 0, window: '60s', resolve_margin: 0.05, ...settings },
});
const value = (name, settings) => ({
  [name]: { sensitivity: 'normal', window: '300s', history: '2419200s', min_change: 0.1, ...settings },
});

/** As `/v1/monitors` tells them. */
export function monitorsAt(now) {
  const made = (name, metric, by, detect, more) => ({
    name,
    metric,
    by,
    detect,
    severity: 'warning',
    notify: ['on_call'],
    last_judged_at: new Date(Math.floor((now - 20_000) / 10_000) * 10_000).toISOString(),
    slices: 4,
    firing: 0,
    learning: false,
    error: null,
    feedback: { real: 0, false_alarms: 0, brier: null },
    ...more,
  });
  return [
    made('authorization_drop', 'authorization_rate', ['psp', 'issuer'], rate({ min_samples: 8 }), {
      severity: 'critical',
      slices: 34,
      firing: 1,
      feedback: { real: 11, false_alarms: 2, brier: 0.0813 },
    }),
    made('psp_latency', 'latency_p95', ['psp'], threshold({ above: 600, over: '300s' }), {
      feedback: { real: 3, false_alarms: 4, brier: 0.2104 },
    }),
    made('latency_by_method', 'latency_p95', ['method'], threshold({ above: 500, min_samples: 20 }), {
      slices: 0,
      error:
        'nothing is judged: `min_samples: 20` needs a metric that is a count ÷ a count, and `latency_p95` does not tell how many samples are behind a value',
    }),
    made('declines_max', 'declined_attempts', ['method'], {
      count: { sensitivity: 'high', min_samples: 20, window: '3600s', history: '2419200s', min_change: 0.2 },
    }),
    made('volume_shape', 'payment_volume', ['country'], value('forecast', { window: '900s' }), {
      learning: true,
      last_judged_at: null,
      slices: 0,
    }),
    made(
      'volume_silence',
      'payment_attempts',
      [],
      {
        silence: { sensitivity: 'low', window: '21600s', history: '2419200s' },
      },
      { severity: 'info', slices: 1, notify: ['risk_team'] },
    ),
    made(
      'new_country',
      'payment_attempts',
      ['country'],
      { auto: { sensitivity: 'normal' } },
      {
        last_judged_at: null,
        slices: 0,
        severity: 'info',
      },
    ),
    made('acceptance_by_country', 'authorization_rate', ['country'], value('seasonal', {}), {
      last_judged_at: new Date(now - 5 * 60 * MINUTE).toISOString(),
      slices: 6,
    }),
  ];
}

/** What went wrong: when (in hours before now), for how long, where, and how plainly it shows, from 0 to 1. */
const failures = [
  [9, 62, { psp: 'adyen', issuer: 'bank_17' }, 0.95],
  [31, 18, { psp: 'stripe' }, 0.35],
  [58, 240, { psp: 'worldline' }, 0.7],
  [77, 25, { psp: 'adyen', issuer: 'bank_03' }, 0.25],
  [120, 45, {}, 0.8],
  [121, 35, { psp: 'checkout' }, 0.45],
  [150, 12, { psp: 'stripe', issuer: 'bank_21' }, 0.15],
  [199, 90, { psp: 'adyen' }, 0.9],
  [236, 30, { psp: 'worldline', issuer: 'bank_08' }, 0.3],
  [280, 22, { psp: 'checkout' }, 0.2],
  [322, 75, { psp: 'stripe' }, 0.6],
  [430, 130, { psp: 'adyen' }, 0.75],
  [511, 40, { psp: 'worldline' }, 0.4],
  [640, 55, {}, 0.85],
  [900, 33, { psp: 'stripe' }, 0.5],
  [1300, 80, { psp: 'adyen', issuer: 'bank_11' }, 0.65],
  [1750, 95, { psp: 'checkout' }, 0.7],
];

const sensitive = { low: 0.25, normal: 0, high: -0.2 };

/** How plainly something must show for a definition to find it. */
function demands(definition) {
  const [detector, settings] =
    typeof definition.detect === 'string' ? [definition.detect, {}] : Object.entries(definition.detect)[0];
  const change = Number(settings.min_change ?? 0.02) * 2;
  return 0.3 + change + (sensitive[settings.sensitivity] ?? 0) + (detector === 'threshold' ? 0.25 : 0);
}

function run(state, definition, name, from, to) {
  const metric = metrics.find((one) => one.name === definition.metric);
  const demanded = demands(definition);
  const by = definition.by ?? [];
  const iso = (ms) => new Date(ms).toISOString();
  const base = Math.floor(state.startedAt / (60 * MINUTE)) * 60 * MINUTE;
  const found = failures
    .map(([hours, minutes, slice, plain], i) => ({
      i,
      at: base - hours * 60 * MINUTE,
      minutes,
      slice,
      plain,
    }))
    .filter(({ at, plain }) => plain >= demanded && at >= from && at < to)
    .reverse()
    .map(({ i, at, minutes, slice, plain }) => {
      const delayS = Math.round((1.1 - plain + demanded) * 400);
      const kept = Object.fromEntries(
        Object.entries(slice)
          .filter(([dimension]) => by.includes(dimension))
          .map(([dimension, one]) => [dimension, state.traffic.name(one)]),
      );
      const [usual, bad] = { percent: [0.8812, 0.41], ms: [405, 642.4], EUR: [18_400, 9_120.5] }[
        metric.unit
      ] ?? [1_200, 640];
      const where = Object.values(kept).join(', ') || 'all traffic';
      return {
        incident: {
          id: `inc_${name}_${i}`,
          monitor: name,
          metric: metric.name,
          unit: metric.unit,
          severity: definition.severity ?? 'warning',
          state: 'resolved',
          slice: kept,
          opened_at: iso(at + delayS * 1_000),
          started_at: iso(at),
          updated_at: iso(at + minutes * MINUTE),
          resolved_at: iso(at + minutes * MINUTE),
          value: usual + (bad - usual) * plain,
          expected: usual,
          bound: null,
          numerator: null,
          denominator: null,
          affected: Math.round(minutes * 7 * plain),
          probability: 0.5 + plain / 2,
          direction: 'down',
          summary: `${metric.name} of ${where} was off for ${minutes} minutes.`,
          timeline: [],
        },
        delay_s: delayS,
        live: i === 0 ? 'inc_01JDR8' : null,
        label: null,
        verdict: i === 0 ? 'real' : null,
      };
    });
  return {
    metric: metric.name,
    by,
    detect:
      definition.detect === 'auto'
        ? rate({})
        : typeof definition.detect === 'string'
          ? { [definition.detect]: {} }
          : definition.detect,
    direction: definition.direction ?? 'both',
    steps: Math.round((to - from) / MINUTE),
    resolution: [
      { from: iso(from), step_s: 60 },
      { from: iso(to - DAY), step_s: 10 },
    ],
    learning_hours: from < to - 50 * DAY ? 51 : 0,
    per_week: found.length / ((to - from) / (7 * DAY)),
    counts: {
      found: found.length,
      real: found.filter(({ verdict }) => verdict === 'real').length,
      false_alarms: 0,
      unlabelled: found.filter(({ verdict }) => verdict === null).length,
      missed: 0,
    },
    incidents: found,
    truncated: false,
    missed: [],
  };
}

const seconds = (text) => {
  const match = /^(\d+)(s|m|h|d)$/.exec(text ?? '');
  return match ? Number(match[1]) * { s: 1, m: 60, h: 3_600, d: 86_400 }[match[2]] : null;
};

/** Faults as the server words them. */
function faultsOf(definition) {
  const faults = [];
  const metric = metrics.find((one) => one.name === definition.metric);
  if (!metric) faults.push({ path: 'monitor.metric', message: `there is no metric '${definition.metric}'` });
  for (const [i, dimension] of (definition.by ?? []).entries()) {
    if (metric && !metric.dimensions.includes(dimension))
      faults.push({
        path: `monitor.by.${i}`,
        message: `the cube has no dimension '${dimension}'`,
        suggestion: "did you mean 'psp'?",
      });
  }
  for (const [i, channel] of (definition.notify ?? []).entries()) {
    if (!channels.some(({ name }) => name === channel))
      faults.push({
        path: `monitor.notify.${i}`,
        message: `there is no channel '${channel}'`,
        suggestion: "did you mean 'on_call'?",
      });
  }
  const [name, settings] =
    typeof definition.detect === 'string' ? [definition.detect, {}] : Object.entries(definition.detect)[0];
  if (settings.window !== undefined && !(seconds(settings.window) >= 10))
    faults.push({ path: `monitor.detect.${name}.window`, message: 'must be between 10s and 24h' });
  if (name === 'rate' && metric && metric.kind !== 'rate')
    faults.push({
      path: 'monitor.detect',
      message: `metric \`${metric.name}\` is no ratio of two counts, which \`rate\` needs`,
    });
  return faults;
}

function answer(response, status, body, headers = {}) {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type, ...headers });
  response.end(JSON.stringify(body));
}

/** `GET /v1/monitors` and `POST /v1/monitors/{name}/backtest`; one test at a time, ended by who hangs up. */
export async function monitorCall(state, request, response, parts) {
  if (state.mode === 'loading') return;
  if (state.mode === 'error') {
    const detail = 'The catalogue cannot be read.';
    return answer(response, 500, { type: 'about:blank', title: 'Something went wrong', status: 500, detail });
  }
  const listed = state.mode === 'empty' ? [] : monitorsAt(Date.now());
  const like = monitorsAt(Date.now())[0];
  const added = (state.newMonitors ?? []).map((one) => ({
    ...like,
    ...one,
    detect: like.detect,
    by: one.by ?? [],
  }));
  const monitors = [...listed, ...added].filter(({ name }) => !state.goneMonitors?.includes(name));
  if (parts.length === 1) return answer(response, 200, { monitors });
  let text = '';
  for await (const chunk of request) text += chunk;
  const asked = text === '' ? {} : JSON.parse(text);
  const existing = monitors.find(({ name }) => name === parts[1]);
  const faults = asked.monitor ? faultsOf(asked.monitor) : [];
  if (faults.length > 0) {
    const title = 'The definition cannot work';
    return answer(response, 422, {
      type: 'about:blank/bad-definition',
      title,
      status: 422,
      detail: title,
      faults,
    });
  }
  if (!existing && !asked.monitor)
    return answer(response, 404, {
      title: 'No such monitor',
      status: 404,
      detail: `There is no monitor '${parts[1]}'.`,
    });
  if (state.testing) {
    const detail = '1 back-test is running, which is the limit; send this again shortly.';
    return answer(response, 429, { title: 'Too much at once', status: 429, detail }, { 'retry-after': '2' });
  }
  state.testing = true;
  state.tests = (state.tests ?? 0) + 1;
  const began = Date.now();
  const timer = setTimeout(() => {
    state.testing = false;
    const to = Math.floor((Date.now() - 2_000) / MINUTE) * MINUTE;
    const from = asked.from ? Date.parse(asked.from) : to - 14 * DAY;
    const before = existing && { ...existing, direction: 'down' };
    const a = before ? run(state, before, parts[1], from, to) : null;
    const b = asked.monitor ? run(state, asked.monitor, `${parts[1]}2`, from, to) : null;
    const number = ({ incident }) => incident.id.split('_').at(-1);
    const at = (list, one) => list.incidents.find((other) => number(other) === number(one));
    const comparison = a &&
      b && {
        both: a.incidents
          .filter((one) => at(b, one))
          .map((one) => ({
            existing: one.incident.id,
            proposed: at(b, one).incident.id,
            later_s: at(b, one).delay_s - one.delay_s,
          })),
        only_existing: a.incidents.filter((one) => !at(b, one)).map(({ incident }) => incident.id),
        only_proposed: b.incidents.filter((one) => !at(a, one)).map(({ incident }) => incident.id),
      };
    answer(response, 200, {
      monitor: parts[1],
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      took_s: (Date.now() - began) / 1_000,
      existing: a,
      proposed: b,
      comparison,
    });
  }, state.backtestMs ?? 700);
  response.on('close', () => {
    if (response.writableEnded) return;
    clearTimeout(timer);
    state.testing = false;
  });
}
