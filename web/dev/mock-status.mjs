// What the mock says of itself: streams that count, a quarantine, cubes, checks, and works that take a few seconds.
import { savedStreams } from './mock-definitions.mjs';
import { channels } from './mock-monitors.mjs';

const MiB = 1 << 20;
const iso = (ms) => new Date(ms).toISOString();

/** How many events have come by now, with a rate that swings. */
function counted(base, rate, startedAt, now) {
  const s = (now - startedAt) / 1_000 + 300;
  return Math.floor(base + rate * s + rate * 12 * Math.sin(s / 40));
}

function lag(buckets, scale) {
  const bounds = [
    100,
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    30_000,
    60_000,
    300_000,
    900_000,
    3_600_000,
    null,
  ];
  return {
    buckets: bounds.map((upto_ms, i) => ({ upto_ms, events: Math.round((buckets[i] ?? 0) * scale) })),
    sum_s: 1_234.5,
  };
}

const source = (name, events, late, now, ago, lag_ms = 0, idle = false) => ({
  name,
  events,
  late,
  last_event_at: iso(now - ago - 400),
  last_received_at: iso(now - ago),
  lag_ms,
  idle,
});

function stream(name, events, change) {
  return {
    name,
    events,
    duplicates: 0,
    rejected: 0,
    overloaded: 0,
    late: 0,
    lateness: lag([], 1),
    delay: lag([], 1),
    sources: [],
    failed: 0,
    derive_failed: 0,
    measure_failed: 0,
    unconverted: 0,
    stored_events: Math.max(0, events - 41_200),
    stored_bytes: events * 38,
    stored_files: 14,
    events_kept_from: null,
    rejects_kept_from: null,
    dedup_ids: Math.min(events, 4_200_000),
    dedup_bytes: Math.min(events, 4_200_000) * 17,
    last_event_at: null,
    watermark: null,
    rate_per_s: 0,
    ...change,
  };
}

/** All of `/v1/status` but what the server's own state says. */
export function statusOf(state) {
  const now = Date.now();
  const data = dataOf(state);
  const isEmpty = state.mode === 'empty';
  const events = counted(8_412_300, 184, state.startedAt, now) + data.accepted;
  const refunds = counted(212_400, 3.2, state.startedAt, now);
  const isTroubled = state.mode === 'troubled';
  const fresh = isTroubled ? Math.floor((now - state.startedAt) / 2_000) : 0;
  const streams = isEmpty
    ? [
        stream('payments', 0, {
          stored_events: 0,
          stored_bytes: 0,
          stored_files: 0,
          dedup_ids: 0,
          dedup_bytes: 0,
        }),
      ]
    : [
        stream('payments', events, {
          duplicates: 1_204 + data.duplicates,
          rejected: data.quarantine.length + fresh,
          late: 3_911,
          failed: isTroubled ? 12 : 0,
          unconverted: isTroubled ? 37 : 0,
          lateness: lag([6_200, 2_100, 900, 420, 210, 96, 31, 12, 4, 2], 800),
          delay: lag([120, 640, 3_100, 4_200, 1_400, 380, 110, 40, 6, 3], 800),
          sources: [
            source('http', Math.floor(events * 0.82), 2_404, now, 300),
            source('psp_export', Math.floor(events * 0.18), 1_507, now, 2_600, 2_300),
            source('quarantine', 14, 0, now, 3_900_000, 3_840_000, true),
          ],
          events_kept_from: iso(now - (now % 86_400_000) - 90 * 86_400_000),
          last_event_at: iso(now - 1_000),
          watermark: iso(now - 2_000),
          rate_per_s: 184.2,
        }),
        stream('refunds', refunds, {
          duplicates: 18,
          late: 7,
          lateness: lag([900, 80, 12, 3], 200),
          delay: lag([10, 60, 700, 200, 30], 200),
          sources: [source('http', refunds, 7, now, 900)],
          last_event_at: iso(now - 64_000),
          watermark: iso(now - 124_000),
          rate_per_s: 3.2,
        }),
        stream('shipments', 10_324, {
          sources: [source('http', 10_324, 0, now, 5_400_000, 0, true)],
          lateness: lag([10_000, 324], 1),
          delay: lag([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10_324], 1),
          last_event_at: iso(now - 40 * 86_400_000),
          watermark: iso(now - 40 * 86_400_000 - 60_000),
        }),
        stream('a_stream_with_a_name_that_is_longer_than_most_columns_are', 0, {}),
      ];
  return {
    definitions: {
      loaded_at: iso(state.startedAt),
      errors: isTroubled
        ? [
            "definitions/payments.yaml:48:14: there is no field 'amout' in stream 'payments'\n    help: did you mean 'amount'?",
            "definitions/monitors.yaml:7:5: 'windw' is not a key of a monitor\n    help: did you mean 'window'?",
            "channel 'ops' is inactive: the environment variable OPS_WEBHOOK is not set",
          ]
        : [],
    },
    journal: {
      state: isTroubled ? 'disk_low' : 'writable',
      fault: null,
      instance: '5f0c2a9be8d14b7f9a3c61d2e47b8805',
      bytes: 731 * MiB,
      segments: 4,
      durable_to: '31:188423168',
      queued_batches: 2,
      queued_bytes: 48_200,
      queued_bytes_high: 9 * MiB,
      free_bytes: isTroubled ? 700 * MiB : 212 * 1_024 * MiB,
      free_bytes_min: 1_024 * MiB,
      refused_full: isTroubled ? 18 : 0,
    },
    history: {
      state: isTroubled ? 'failing' : 'ok',
      fault: isTroubled ? 'writing history/events/payments: No space left on device' : null,
      flushed_to: '31:141033472',
      flushed_at: iso(now - 24_000),
      unflushed_events: 41_200,
      compactions: 212,
      roll_ups: 36,
      files_expired: 3,
      files_deleted: 1_846,
    },
    audit: {
      last_at: isEmpty ? null : iso(now - 190_000),
      buckets: isEmpty ? 0 : 48_120,
      keys: isEmpty ? 0 : 812_400,
      figures: isEmpty ? 0 : 4_874_400,
      events: isEmpty ? 0 : 9_911_206,
      differences: 0,
      unsure: 0,
      skipped: 2,
      last_difference: null,
      fault: null,
    },
    memory: {
      bytes_max: 4_096 * MiB,
      bytes: isTroubled ? 3_900 * MiB : 612 * MiB,
      parts: [
        { part: 'ingest', bytes: 18 * MiB, refused: 0 },
        { part: 'queries', bytes: 6 * MiB, refused: isTroubled ? 4 : 0 },
        { part: 'caches', bytes: 41 * MiB, refused: 0 },
        { part: 'cubes', bytes: isTroubled ? 3_550 * MiB : 402 * MiB, refused: 0 },
        { part: 'dedup', bytes: 96 * MiB, refused: 0 },
        { part: 'index', bytes: 31 * MiB, refused: 0 },
        { part: 'other', bytes: 18 * MiB, refused: 0 },
      ],
    },
    streams: [...streams, ...savedStreams(state).map((name) => stream(name, 0, {}))].filter(
      ({ name }, i, all) => all.findIndex((one) => one.name === name) === i,
    ),
    cubes: [
      cube('payment_attempts', { revised_buckets: 412, revised_events: 3_911, other_rows: 0 }),
      cube('payment_totals', {
        rows: 18_400,
        bytes: 9 * MiB,
        combinations: 100_000,
        other_rows: 2_410,
        failed: isTroubled ? 12 : 0,
        covers_from: iso(now - (now % 86_400_000) - 30 * 86_400_000),
      }),
    ],
    sources: isEmpty
      ? []
      : [
          polled('psp_export', 'http_poll', now, { events: 1_514_200, duplicates: 204, unchanged: 118 }),
          polled('rates_ecb', 'http_poll', now, {
            state: isTroubled ? 'failing' : 'ok',
            failures: isTroubled ? 6 : 0,
            last_ok_at: iso(now - 3_720_000),
            last_error: 'the answer took longer than 30 s',
            last_error_at: iso(now - (isTroubled ? 40_000 : 90_000_000)),
            events: 62,
            unchanged: 4_031,
          }),
        ],
    channels: channels.map((channel, i) =>
      isTroubled && i === 0 ? { ...channel, pending: 2, error: 'hooks.example.com answered 503' } : channel,
    ),
    live_clients: 3,
  };
}

function cube(name, change) {
  return {
    name,
    rows: 214_800,
    bytes: 61 * MiB,
    chunks: 38,
    stored_rows: 6_120_400,
    stored_bytes: 418 * MiB,
    stored_files: 57,
    combinations: 4_812,
    other_rows: 0,
    failed: 0,
    revised_buckets: 0,
    revised_events: 0,
    revised_known_from: null,
    covers_from: null,
    ...change,
  };
}

function polled(name, kind, now, change) {
  return {
    name,
    kind,
    state: 'ok',
    last_ok_at: iso(now - 12_000),
    last_error: null,
    last_error_at: null,
    failures: 0,
    next_at: iso(now + 48_000 - (now % 30_000)),
    unchanged: 0,
    events: 0,
    duplicates: 0,
    rejected: 0,
    ...change,
  };
}

const reasons = [
  [
    'currency',
    "'EURO' is not an ISO 4217 currency code; write 'EUR'",
    (i) => `{"id":"p_${i}","currency":"EURO","amount":"19.90"}`,
  ],
  ['amount', "'12,50' is no decimal number", (i) => `{"id":"p_${i}","currency":"EUR","amount":"12,50"}`],
  ['created_at', 'is required, but missing', (i) => `{"id":"p_${i}","currency":"EUR","amount":"5.00"}`],
  [
    null,
    'is not JSON at byte 31: expected a comma',
    (i) => `{"id":"p_${i}","note":"card ************1111" "amount":"5.00"}`,
  ],
];

/** What was changed since the mock has started. */
function dataOf(state) {
  state.data ??= {
    accepted: 0,
    duplicates: 0,
    seen: new Map(),
    quarantine: Array.from({ length: 137 }, (_, i) => {
      const [field, reason, raw] = reasons[[0, 0, 1, 0, 2, 3, 1][i % 7]];
      const text = i % 29 === 3 ? `${raw(i)}${' <img src=x onerror=alert(1)>'.repeat(12)}` : raw(i);
      return {
        received_at: iso(state.startedAt - i * 41_000),
        line: 1 + ((i * 7) % 60),
        ...(field ? { field } : {}),
        reason,
        raw: text,
        ...(i % 5 === 0 ? { source: 'psp_export' } : {}),
      };
    }),
    works: {},
  };
  return state.data;
}

/** Answers the calls of the data page; null for others. `answer` has `json` and `problem`. */
export function dataCall(state, request, response, parts, url, { json, problem, readBody }) {
  const data = dataOf(state);
  const [kind, name, action, further] = parts;
  if (state.mode === 'forbidden')
    return problem(
      response,
      403,
      'This host name is not served here',
      "The host 'example.test' is not among those of this server.",
    );
  if (kind === 'streams' && action === 'quarantine') {
    if (state.mode === 'error')
      return problem(
        response,
        500,
        'Something went wrong on our side',
        'The cause is in the server’s log under this request’s id.',
      );
    const all = name === 'payments' && state.mode !== 'empty' ? data.quarantine : [];
    const limit = Number(url.searchParams.get('limit') ?? 100);
    if (further !== 'replay')
      return json(response, { stream: name, lines: all.slice(0, limit), truncated: all.length > limit });
    const tried = all.slice(0, limit);
    // The field was mended meanwhile.
    const isMended = (line) => line.field === 'currency' && !line.raw.endsWith('>');
    const accepted = tried.filter(isMended).length;
    data.accepted += accepted;
    data.quarantine = data.quarantine.filter((line) => !(tried.includes(line) && isMended(line)));
    const rest = tried.filter((line) => !isMended(line));
    return setTimeout(() => {
      json(response, {
        replayed: tried.length,
        accepted,
        duplicates: 0,
        rejected: rest.length,
        rejections: rest.slice(0, 5).map(({ line, field, reason }) => ({ line, field, reason })),
      });
    }, 600);
  }
  // Lines that a page uploads; those that a test posts go into the traffic.
  const type = request.headers['content-type'] ?? '';
  const isUpload =
    type.startsWith('text/csv') || (type.includes('ndjson') && request.headers['sec-fetch-site']);
  if (kind === 'streams' && action === 'events' && isUpload)
    return readBody(request).then((text) => takeCsv(state, data, request, response, text, { json, problem }));
  if (['verify', 'backup', 'maintain'].includes(kind)) {
    if (request.method === 'GET') return json(response, { [kind]: workOf(data, kind) });
    return readBody(request).then((text) =>
      begin(state, data, kind, text === '' ? {} : JSON.parse(text), response, { json, problem }),
    );
  }
  return null;
}

/** Rows whose amount is no number are rejected, ids that came before are duplicates. */
function takeCsv(state, data, request, response, text, { json, problem }) {
  state.uploads ??= [];
  state.uploads.push({
    type: request.headers['content-type'],
    key: request.headers['idempotency-key'],
    text,
  });
  const busy = state.busy?.(state.uploads.length);
  if (busy) {
    response.setHeader('retry-after', String(busy.after));
    return problem(
      response,
      busy.status,
      'Too much at once',
      'As many calls bring events of this stream as may at once.',
    );
  }
  const lines = text.split('\n').filter((line) => line !== '');
  const isNdjson = request.headers['content-type'].includes('ndjson');
  const asRow = (line) => Object.values(JSON.parse(line)).join(',');
  const [head, ...rows] = isNdjson
    ? [Object.keys(JSON.parse(lines[0])).join(','), ...lines.map(asRow)]
    : lines;
  const columns = (head ?? '').split(/[,;\t]/);
  const at = columns.indexOf('amount');
  const receipt = { accepted: 0, duplicates: 0, rejected: 0, rejections: [] };
  for (const [i, row] of rows.entries()) {
    const cells = row.split(/[,;\t]/);
    if (at >= 0 && !/^\d+(\.\d+)?$/.test(cells[at] ?? '')) {
      receipt.rejected += 1;
      if (receipt.rejections.length < 100)
        receipt.rejections.push({
          line: i + 2,
          field: 'amount',
          reason: `'${cells[at]}' is no decimal number`,
        });
    } else if (data.seen.has(cells[0])) receipt.duplicates += 1;
    else {
      data.seen.set(cells[0], true);
      receipt.accepted += 1;
    }
  }
  data.accepted += receipt.accepted;
  data.duplicates += receipt.duplicates;
  const nothing = receipt.rejected > 0 && receipt.accepted + receipt.duplicates === 0;
  const answer = () => {
    if (!nothing) return json(response, receipt);
    response.writeHead(422, { 'content-type': 'application/problem+json' });
    return response.end(
      JSON.stringify({
        title: 'No event was accepted',
        status: 422,
        detail: `All ${receipt.rejected} lines were rejected.`,
        ...receipt,
      }),
    );
  };
  return setTimeout(answer, state.uploadDelayMs ?? 0);
}

function begin(state, data, kind, asked, response, { json, problem }) {
  const running = workOf(data, kind);
  if (running?.state === 'running')
    return problem(response, 409, 'The present state does not allow this', 'Another one is running.');
  if (kind === 'backup' && state.mode === 'troubled')
    return problem(
      response,
      409,
      'The present state does not allow this',
      'The server was started without a folder for backups; start it with --backups.',
    );
  data.works[kind] = { asked, startedAt: Date.now() };
  response.statusCode = 202;
  return json(response, workOf(data, kind));
}

const DURATIONS = { verify: 8_000, backup: 3_000, maintain: 3_000 };

function workOf(data, kind) {
  const work = data.works[kind];
  if (!work) return null;
  const now = Date.now();
  const share = Math.min(1, (now - work.startedAt) / DURATIONS[kind]);
  const isDone = share >= 1;
  const common = {
    state: isDone ? 'done' : 'running',
    started_at: iso(work.startedAt),
    ended_at: isDone ? iso(work.startedAt + DURATIONS[kind]) : null,
    fault: null,
  };
  if (kind === 'backup') {
    const name = work.asked.name ?? '2026-11-22T140000Z';
    const files = isDone ? 214 : 0;
    return {
      ...common,
      name,
      path: `/var/lib/tillwatch/backups/${name}`,
      files,
      bytes: isDone ? 1_812 * MiB : 0,
    };
  }
  if (kind === 'maintain')
    return {
      ...common,
      flushed_events: 41_200,
      journal_segments: 1,
      compactions: 6,
      roll_ups: 2,
      files_replaced: 48,
      files_expired: 0,
      files_deleted: isDone ? 61 : 0,
      deletion_deferred: false,
      took_s: 2.9,
    };
  const reading = {
    place: 'events/payments',
    bytes: Math.round(share * 2 * 340 * MiB),
    total_bytes: 340 * MiB,
  };
  return {
    ...common,
    progress: isDone
      ? null
      : share < 0.5
        ? { ...reading, cube: null, buckets: 0 }
        : {
            place: null,
            bytes: 0,
            total_bytes: 0,
            cube: 'payment_attempts',
            buckets: Math.round(share * 200),
          },
    report: isDone ? reportOf(work.asked.seed ?? 7) : null,
  };
}

function reportOf(seed) {
  const place = (name, files, entries, bytes, faults = []) => ({
    place: name,
    files,
    entries,
    bytes,
    faults,
  });
  return {
    ok: true,
    seed,
    places: [
      place('journal', 4, 61_204, 731 * MiB),
      place('state', 9, 4_412_000, 84 * MiB),
      place('events/payments', 14, 8_371_100, 304 * MiB),
      place('cubes/payment_attempts', 57, 6_120_400, 418 * MiB),
    ],
    cubes: ['payment_attempts', 'payment_totals'].map((name) => ({
      cube: name,
      buckets: 200,
      keys: 18_240,
      figures: 109_440,
      events: 412_060,
      differences: 0,
      unsure: 0,
      skipped: 0,
      described: [],
      fault: null,
    })),
  };
}
