// The definitions folder as the server serves it: files with their tags, checks before anything is written, single items,
// calendars with maintenance windows, and what is proposed of a file.
//   state.readOnly = true          nothing can be written
//   state.proposals                what was asked to be proposed
//   state.reloadMs = n             how long a saved stream takes to appear
import { createHash } from 'node:crypto';

const SECTIONS = [
  'streams',
  'cubes',
  'metrics',
  'monitors',
  'boards',
  'channels',
  'calendars',
  'maintenance',
];

const shop = `# What the shop sends, and who is told of it.
streams:
  orders:
    id: order_id
    time: created_at
    fields:
      order_id: string
      created_at: timestamp
      amount: decimal(12, 2)

metrics:
  order_value: {of: orders, sum: amount, unit: EUR}   # before returns
`;
const monitors = `monitors:
  # Told to the people on call.
  authorization_drop:
    metric: authorization_rate
    by: [psp, country]
    detect: rate   # of each slice
    severity: critical
    notify: [on_call]

  psp_latency:
    metric: latency_p95
    detect: {threshold: {above: 600}}
    over: 5m
`;
const calendars = `calendars:
  germany:
    zone: Europe/Berlin
    days:
      "2026-12-25": sun
      "2026-12-26": sun
      "2026-11-27": none
      "2027-01-01": sun
`;
const maintenance = `maintenance:
  weekly_release:
    days: [sat, sun]
    from: "23:30"
    to: "01:00"
    zone: Europe/Berlin
  adyen_moves:
    from: "2027-03-01 22:00"
    to: "2027-03-02 04:00"
    zone: Europe/Berlin
    where:
      psp: adyen
`;
const pack = `streams:
  payments:
    id: id
    time: created_at
monitors:
  declines_max:
    metric: declined_attempts
`;

const tagOf = (text) => `"${createHash('sha256').update(text).digest('hex').slice(0, 16)}"`;

function folderOf(state) {
  if (!state.folder) {
    const evil = '<img src=x onerror=alert(1)>.yaml';
    state.folder = new Map(
      Object.entries({
        'shop.yaml': shop,
        'monitors.yaml': monitors,
        'calendars.yaml': calendars,
        'maintenance.yaml': maintenance,
        ...(state.mode === 'hostile'
          ? { [evil]: '# <script>alert(1)</script>\nmetrics:\n  "<img src=x onerror=alert(2)>": {}\n' }
          : {}),
      }),
    );
    if (state.mode === 'empty') state.folder.clear();
  }
  return state.folder;
}

/** Writes a file as somebody else would. */
export function writeAside(state, file, text) {
  folderOf(state).set(file, text);
}

/** Names in a block section, by section. */
function holdsOf(text) {
  const holds = {};
  let section = null;
  for (const line of text.split('\n')) {
    const top = /^([a-z_]+):/.exec(line);
    if (top) section = SECTIONS.includes(top[1]) ? top[1] : null;
    const name = /^ {2}("?)([^\s#"][^:"]*)\1:/.exec(line);
    if (section && name) holds[section] = [...(holds[section] ?? []), name[2]];
  }
  return holds;
}

function faultsOf(file, text) {
  return text.split('\n').flatMap((line, i) => {
    const at = (column, reason, suggestion = null) => ({ file, line: i + 1, column, reason, suggestion });
    const tab = line.indexOf('\t');
    if (tab >= 0) return [at(tab + 1, 'a tab is no indentation in YAML', 'indent with spaces')];
    const wrong = line.indexOf('amout');
    if (wrong >= 0) return [at(wrong + 1, "there is no field 'amout'", "did you mean 'amount'?")];
    const top = /^([a-z_]+):/.exec(line)?.[1];
    return top && !SECTIONS.includes(top) ? [at(1, `'${top}' is no section`, SECTIONS.join(', '))] : [];
  });
}

/** Where an item's lines are: `[first, last)`, counted from 0. */
function linesOf(text, section, name) {
  const lines = text.split('\n');
  const head = lines.indexOf(`${section}:`);
  if (head < 0) return null;
  const first = lines.findIndex((line, i) => i > head && new RegExp(`^ {2}${name}:`).test(line));
  if (first < 0) return null;
  let last = first + 1;
  while (last < lines.length && (/^ {3,}/.test(lines[last]) || /^ {4}/.test(lines[last]))) last += 1;
  return [first, last];
}

/** Block YAML as this page writes it, and lists in one line. */
export function readYaml(text) {
  const root = {};
  const stack = [{ indent: -1, at: root }];
  const value = (raw) => {
    const one = raw.replace(/\s+#.*$/, '').trim();
    if (one.startsWith('['))
      return one
        .slice(1, -1)
        .split(',')
        .map((part) => value(part))
        .filter((part) => part !== '');
    if (one === '{}') return {};
    if (one.startsWith('"')) return JSON.parse(one);
    return /^-?\d+(\.\d+)?$/.test(one) ? Number(one) : one;
  };
  for (const line of text.split('\n')) {
    const match = /^( *)("(?:[^"\\]|\\.)*"|[^\s#:][^:]*):(?: (.*))?$/.exec(line);
    if (!match) continue;
    const indent = match[1].length;
    while (stack.at(-1).indent >= indent) stack.pop();
    const key = match[2].startsWith('"') ? JSON.parse(match[2]) : match[2];
    const parent = stack.at(-1).at;
    if (match[3]) parent[key] = value(match[3]);
    else {
      parent[key] = {};
      stack.push({ indent, at: parent[key] });
    }
  }
  return root;
}

export async function definitionCall(state, request, response, parts, url, { json, problem, readBody }) {
  const folder = folderOf(state);
  const answer = (status, body, headers = {}) => {
    response.writeHead(status, {
      'content-type': status < 300 ? 'application/json' : 'application/problem+json',
      ...headers,
    });
    response.end(JSON.stringify(body));
  };
  if (state.mode === 'loading') return;
  if (parts.length === 1) {
    const files = [...folder].map(([file, text]) => ({
      file,
      bytes: text.length,
      changed_at: new Date(state.startedAt).toISOString(),
      etag: tagOf(text),
      reason: null,
      holds: holdsOf(text),
    }));
    return json(response, {
      writable: !state.readOnly,
      reason: state.readOnly ? 'the folder is read-only' : null,
      digest: '0123456789abcdef',
      in_force: true,
      files,
      packs: [{ name: 'payments', holds: holdsOf(pack), files: ['payments.yaml'] }],
      faults: [...folder].flatMap(([file, text]) => faultsOf(file, text)),
    });
  }
  if (parts[1] === 'packs') return text(response, pack);
  const isWrite = request.method !== 'GET';
  const body = isWrite ? await readBody(request) : '';
  if (isWrite && state.readOnly)
    return answer(409, {
      type: 'https://tillwatch.dev/problems/definitions-read-only',
      title: 'The definitions are not changed here',
      status: 409,
      detail: 'The folder of definitions is read-only.',
    });
  const refuse = (faults) =>
    answer(422, {
      type: 'https://tillwatch.dev/problems/bad-definition',
      title: 'The definition cannot work',
      status: 422,
      detail: `${faults.length} faults`,
      faults,
    });
  if (parts[1] === 'files') {
    const file = parts.slice(2).join('/');
    const now = folder.get(file);
    if (request.method === 'GET') {
      if (now === undefined) return problem(response, 404, 'No such file', `There is no file ${file}.`);
      return text(response, now);
    }
    const isDry = url.searchParams.get('dry_run') === 'true';
    const faults = request.method === 'PUT' ? faultsOf(file, body) : [];
    if (
      request.method === 'DELETE' &&
      file === 'calendars.yaml' &&
      /calendar: germany/.test(monitorsText(state))
    )
      faults.push({
        file: 'monitors.yaml',
        line: 4,
        column: 5,
        reason: "there is no calendar 'germany'",
        suggestion: null,
      });
    if (faults.length > 0) return refuse(faults);
    if (isDry) return answer(200, changed({ file, etag: now === undefined ? null : tagOf(now) }));
    const tag = request.headers['if-match'];
    const isNew = request.headers['if-none-match'] === '*';
    if (!tag && !isNew) return problem(response, 428, 'Say what you change', 'Send If-Match.');
    if ((isNew && now !== undefined) || (tag && tag !== (now === undefined ? null : tagOf(now))))
      return failed(answer, file, now === undefined ? null : tagOf(now));
    if (request.method === 'DELETE') folder.delete(file);
    else folder.set(file, body);
    state.puts = [...(state.puts ?? []), { file, body }];
    if (request.method === 'PUT') state.newStreamsAt = Date.now() + (state.reloadMs ?? 0);
    const etag = request.method === 'DELETE' ? null : tagOf(body);
    return answer(now === undefined ? 201 : 200, changed({ file, etag }), etag ? { etag } : {});
  }
  return itemCall(state, request, response, parts, url, body, { answer, refuse, problem });
}

/** What came of a change, with every key that the server has. */
function changed({ file, line, etag }) {
  const at = line === undefined ? {} : { line };
  return { file, ...at, etag, digest: 'fedcba9876543210', in_force: true, reason: null, faults: [] };
}

/** Somebody else was there before: with the tag of what is there now. */
function failed(answer, name, etag) {
  return answer(412, {
    type: 'https://tillwatch.dev/problems/precondition-failed',
    title: 'It is not what you took it for',
    status: 412,
    detail:
      etag === null
        ? `'${name}' is not there.`
        : `'${name}' is not what it was when you read it; read it again.`,
    etag,
  });
}

/** Streams of files that were saved through the API, once the reload has them. */
export function savedStreams(state) {
  if (Date.now() < (state.newStreamsAt ?? 0)) return [];
  const files = new Set((state.puts ?? []).map(({ file }) => file));
  return [...folderOf(state)].flatMap(([file, text]) =>
    files.has(file) ? (holdsOf(text).streams ?? []) : [],
  );
}

const monitorsText = (state) => folderOf(state).get('monitors.yaml') ?? '';

function text(response, body) {
  response.writeHead(200, { 'content-type': 'application/yaml; charset=utf-8', etag: tagOf(body) });
  response.end(body);
}

function itemCall(state, request, response, [, section, name], url, body, { answer, refuse, problem }) {
  const folder = folderOf(state);
  const found = [...folder].flatMap(([file, one]) => {
    const lines = linesOf(one, section, name);
    return lines ? [{ file, text: one, lines }] : [];
  })[0];
  const isPacks = !found && new RegExp(`^ {2}${name}:`, 'm').test(pack);
  const lines = found ? found.text.split('\n').slice(...found.lines) : null;
  const own = lines?.map((line) => line.replace(/^ {4}/, ''));
  const yaml = own ? `${own.slice(1).join('\n').trimEnd()}\n` : '';
  if (request.method === 'GET') {
    if (isPacks)
      return answer(200, {
        section,
        name,
        file: null,
        pack: 'payments',
        line: 5,
        yaml: 'metric: declined_attempts\n',
        etag: tagOf('pack'),
        editable: false,
        reason: "it is of the pack 'payments'; write one of the same name into the folder to have your own",
      });
    if (!found) return problem(response, 404, 'No such item', `There is no ${section} '${name}'.`);
    return answer(200, {
      section,
      name,
      file: found.file,
      pack: null,
      line: found.lines[0] + 1,
      yaml,
      etag: tagOf(yaml),
      editable: true,
      reason: null,
    });
  }
  if (isPacks)
    return problem(
      response,
      409,
      'It is of a pack',
      `'${name}' is of the pack 'payments', which is changed by its own file.`,
    );
  if (request.method === 'DELETE' && !found)
    return problem(response, 404, 'No such definition', `There is no ${section} '${name}'.`);
  const wanted = request.headers['if-match'];
  if (wanted && (!found || wanted !== tagOf(yaml))) return failed(answer, name, found ? tagOf(yaml) : null);
  if (request.headers['if-none-match'] === '*' && found) return failed(answer, name, tagOf(yaml));
  const faults = faultsOf(`${section}.yaml`, body);
  if (faults.length > 0) return refuse(faults);
  if (url.searchParams.get('dry_run') === 'true')
    return answer(200, changed({ file: found?.file ?? `${section}.yaml`, etag: found ? tagOf(yaml) : null }));
  state.puts = [...(state.puts ?? []), { method: request.method, section, name, body }];
  if (request.method === 'DELETE') {
    const rest = found.text.split('\n');
    rest.splice(found.lines[0], found.lines[1] - found.lines[0]);
    folder.set(found.file, rest.join('\n'));
    state.goneMonitors = [...(state.goneMonitors ?? []), ...(section === 'monitors' ? [name] : [])];
    return answer(200, changed({ file: found.file, line: found.lines[0] + 1, etag: null }));
  }
  const tree = body.startsWith(`${section}:`) ? body.slice(body.indexOf('\n') + 1) : null;
  const item = tree ?? `  ${name}:\n${body.replace(/^(?=.)/gm, '    ')}`;
  const itemLines = item.trimEnd().split('\n');
  const file = found?.file ?? `${section}.yaml`;
  const next = (folder.get(file) ?? `${section}:`).trimEnd().split('\n');
  if (found) next.splice(found.lines[0], found.lines[1] - found.lines[0], ...itemLines);
  else next.push(...itemLines);
  folder.set(file, `${next.join('\n')}\n`);
  const line = next.findIndex((one) => one.startsWith(`  ${name}:`)) + 1;
  if (section === 'monitors') {
    state.goneMonitors = (state.goneMonitors ?? []).filter((one) => one !== name);
    if (!found) state.newMonitors = [...(state.newMonitors ?? []), { name, ...readYaml(item)[name] }];
  }
  const keys = itemLines.slice(1).map((one) => one.replace(/^ {4}/, ''));
  const etag = tagOf(`${keys.join('\n')}\n`);
  return answer(found ? 200 : 201, changed({ file, line, etag }), { etag });
}

const ZONES_AHEAD_MS = 3_600_000;

/** Calendars and windows as the folder has them now. */
export function calendarCall(state, response, json) {
  const of = (section) =>
    Object.assign({}, ...[...folderOf(state).values()].map((one) => readYaml(one)[section] ?? {}));
  const monitorsNow = Object.entries(of('monitors'));
  const days = Object.entries(of('calendars')).map(([name, { zone, days: named }]) => ({
    name,
    zone: zone ?? 'UTC',
    days: Object.entries(named ?? {}).map(([day, like]) => ({ day, like })),
    used_by: [
      ...monitorsNow.filter(([, one]) => one.calendar === name).map(([one]) => one),
      ...(name === 'germany' ? ['authorization_drop'] : []),
    ],
  }));
  const windows = Object.entries(of('maintenance')).map(([name, window]) => {
    const isOnce = String(window.from).length > 5;
    const from = isOnce
      ? Date.parse(`${String(window.from).replace(' ', 'T')}:00Z`) - ZONES_AHEAD_MS
      : Math.ceil(Date.now() / 86_400_000) * 86_400_000;
    return {
      name,
      from: window.from,
      to: window.to,
      zone: window.zone ?? 'UTC',
      days: window.days ?? null,
      once: isOnce,
      severity: window.severity ?? null,
      monitors: window.monitors ?? [],
      metrics: window.metrics ?? [],
      where: Object.fromEntries(
        Object.entries(window.where ?? {}).map(([key, one]) => [key, Array.isArray(one) ? one : [one]]),
      ),
      active: false,
      next_from: from > Date.now() ? new Date(from).toISOString() : null,
      next_to: from > Date.now() ? new Date(from + 6 * ZONES_AHEAD_MS).toISOString() : null,
    };
  });
  if (state.mode === 'hostile')
    days.push({ name: '<img src=x onerror=alert(3)>', zone: '<b>UTC</b>', days: [], used_by: ['<i>x</i>'] });
  return json(response, { calendars: days, maintenance: windows });
}

/** A guess at any CSV: each column a field, the first the id, what looks like a date the time. */
export async function proposeCall(state, request, response, url, { json, problem, readBody }) {
  const body = await readBody(request);
  const fileName = url.searchParams.get('file_name') ?? 'file';
  state.proposals = [
    ...(state.proposals ?? []),
    { query: url.search, bytes: body.length, type: request.headers['content-type'] },
  ];
  const isCsv = !/^\s*[{[]/.test(body);
  const lines = body.split('\n').filter((line) => line !== '');
  const head = isCsv ? lines[0].split(/[,;\t]/) : Object.keys(JSON.parse(lines[0]));
  const rows = isCsv
    ? lines.slice(1).map((line) => line.split(/[,;\t]/))
    : lines.map((line) => Object.values(JSON.parse(line)).map(String));
  const stream =
    url.searchParams.get('stream') ??
    fileName
      .replace(/\.\w+$/, '')
      .toLowerCase()
      .replaceAll(/[^a-z0-9_]+/g, '_');
  const fields = head.map((name, i) => {
    const first = rows[0]?.[i] ?? '';
    const type = /^\d+\.\d+$/.test(first)
      ? 'decimal(18, 2)'
      : /^\d{4}-\d\d-\d\d/.test(first)
        ? 'timestamp'
        : 'string';
    return {
      name,
      type,
      optional: rows.some((row) => !row[i]),
      examples: [...new Set(rows.map((row) => row[i]))].slice(0, 3),
    };
  });
  const time = fields.find(({ type }) => type === 'timestamp')?.name ?? null;
  if (time === null)
    return problem(
      response,
      422,
      'Nothing can be proposed',
      `${fileName}: no column has a date or time in almost every line.`,
    );
  const amount = fields.find(({ type }) => type.startsWith('decimal'))?.name ?? null;
  const rejections = rows.flatMap((row, i) =>
    row[head.indexOf(amount)] === 'many' ? [`line ${i + 2}: ${amount}: 'many' is no decimal number`] : [],
  );
  return json(response, {
    stream,
    format: isCsv ? 'CSV' : 'NDJSON',
    lines: rows.length,
    rejected: rejections.length,
    rejections: rejections.slice(0, 5),
    whole: true,
    yaml: [
      `# Proposed from ${fileName}.`,
      'streams:',
      `  ${stream}:`,
      `    id: ${head[0]}`,
      `    time: ${time}`,
      '    fields:',
      ...fields.map(({ name, type }) => `      ${name}: ${type}`),
      '',
    ].join('\n'),
    fields,
    id: head[0],
    time,
    left_out: [],
    board: {
      name: stream,
      board: {
        title: { en: stream },
        tiles: [{ metric: 'payment_attempts' }],
        charts: [{ metric: 'payment_attempts', width: 'full' }],
        incidents: true,
      },
    },
  });
}
