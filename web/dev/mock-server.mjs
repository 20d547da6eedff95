// A stand-in for the server while working on the page: the JSON shapes of the API over made-up traffic, the built page
// with the product's Content-Security-Policy, and switches for every state a page can be in.
//   node dev/mock-server.mjs [port] [mode] [--role=ingest|read|operate|admin|ask]
// With a role everybody has it; with `ask` it asks for a token, of which mock-access.mjs has one for each role.
//        POST /__dev/mode {"mode":"normal|empty|error|loading|recovering|hostile|down|locked|reloaded|troubled|forbidden|pending"}
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { accessCall } from './mock-access.mjs';
import { annotationCall } from './mock-annotations.mjs';
import { boardCall } from './mock-boards.mjs';
import { incidentsAt, metrics, Traffic } from './mock-data.mjs';
import { calendarCall, definitionCall, proposeCall } from './mock-definitions.mjs';
import { actOnIncident } from './mock-incidents.mjs';
import { monitorCall } from './mock-monitors.mjs';
import { answerSql, SLOW_MS, toCsv } from './mock-sql.mjs';
import { dataCall, statusOf } from './mock-status.mjs';

/** Another build than the usual one by MOCK_DIST. */
const dist = process.env.MOCK_DIST ?? fileURLToPath(new URL('../dist', import.meta.url));
const csp =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

export { TOKEN, TOKENS } from './mock-access.mjs';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export function startMock(port = 7878, initialMode = 'normal', role = null) {
  const state = {
    mode: initialMode,
    /** What everybody may; `ask` where each of `TOKENS` may what its role may; null where no token is asked for. */
    role,
    /** Tokens that are not taken any more, and why. */
    over: {},
    traffic: new Traffic(Date.now()),
    incidents: [],
    streams: new Set(),
    startedAt: Date.now(),
  };
  const setMode = (mode) => {
    state.mode = mode;
    state.traffic.mode = mode;
    state.incidents = mode === 'empty' ? [] : incidentsAt(state.traffic);
    if (mode === 'down' || mode === 'recovering')
      for (const stream of [...state.streams]) stream.response.destroy();
  };
  setMode(initialMode);
  const server = createServer((request, response) => handle(state, setMode, request, response));
  const timer = setInterval(() => {
    for (const stream of state.streams) stream.tick();
  }, 1_000);
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => {
      const url = `http://127.0.0.1:${server.address().port}`;
      const endToken = (kind, why) => {
        state.over[kind] = why;
        for (const stream of [...state.streams]) stream.response.destroy();
      };
      const close = () => {
        clearInterval(timer);
        server.closeAllConnections();
        return new Promise((done) => server.close(done));
      };
      resolve({ url, setMode, endToken, close, state });
    });
  });
}

function handle(state, setMode, request, response) {
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname === '/__dev/mode') {
    return readBody(request).then((text) => {
      setMode(JSON.parse(text).mode);
      json(response, { mode: state.mode });
    });
  }
  if (state.mode === 'down') return request.socket.destroy();
  if (url.pathname.startsWith('/v1/')) return api(state, request, response, url);
  return page(response, url.pathname);
}

function api(state, request, response, url) {
  const parts = url.pathname.split('/').slice(2).map(decodeURIComponent);
  const denied = accessCall(state, request, response, parts, { json, refuse });
  if (denied !== null) return denied;
  if (parts[0] === 'status' && state.mode === 'pending') return undefined;
  if (parts[0] === 'status' && state.mode !== 'forbidden') {
    const progress = state.mode === 'recovering' ? 0.43 : 1;
    return json(response, {
      version: '0.1.0',
      started_at: new Date(state.startedAt).toISOString(),
      state: progress < 1 ? 'recovering' : 'ready',
      progress,
      ...statusOf(state),
    });
  }
  if (state.mode === 'recovering')
    return problem(response, 503, 'Recovering', 'The journal is being replayed.');
  const answered = dataCall(state, request, response, parts, url, { json, problem, readBody });
  if (answered !== null) return answered;
  if (parts[0] === 'definitions')
    return definitionCall(state, request, response, parts, url, { json, problem, readBody });
  if (parts[0] === 'calendars') return calendarCall(state, response, json);
  if (parts[0] === 'propose') return proposeCall(state, request, response, url, { json, problem, readBody });
  if (parts[0] === 'annotations')
    return annotationCall(state, request, response, parts, url, { json, problem, readBody });
  if (parts[0] === 'boards')
    return boardCall(state, request, response, parts, url, { json, problem, readBody });
  if (parts[0] === 'metrics' && parts.length === 1) return json(response, { metrics: metricsIn(state) });
  if (parts[0] === 'live') return combinedCall(state, request, response, url);
  if (parts[0] === 'metrics') return metricCall(state, response, parts, url);
  if (parts[0] === 'series') return seriesCall(state, response, url);
  if (parts[0] === 'monitors') return monitorCall(state, request, response, parts);
  if (parts[0] === 'incidents') return incidentCall(state, request, response, parts);
  if (parts[0] === 'silences') return silenceCall(state, request, response, parts);
  if (parts[0] === 'sql' && request.method === 'POST') return sqlCall(state, request, response);
  if (parts[0] === 'streams' && request.method === 'POST') {
    return readBody(request).then((text) => {
      const events = text.trim().startsWith('[')
        ? JSON.parse(text)
        : text
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line));
      for (const event of events) state.traffic.post(event);
      for (const stream of state.streams) stream.tick();
      json(response, { accepted: events.length, duplicates: 0, rejected: 0, rejections: [] });
    });
  }
  return problem(response, 404, 'Not found', `No such call: ${url.pathname}`);
}

/** In the mode `reloaded` somebody has removed a metric that the board shows. */
function metricsIn(state) {
  return state.mode === 'reloaded' ? metrics.filter(({ name }) => name !== 'latency_p95') : metrics;
}

function metricCall(state, response, parts, url) {
  const metric = metricsIn(state).find(({ name }) => name === parts[1]);
  if (!metric) return problem(response, 404, 'Unknown metric', `There is no metric ${parts[1]}.`);
  if (state.mode === 'error')
    return problem(response, 500, 'Query failed', 'The cube payment_attempts is over its memory limit.');
  if (state.mode === 'loading') return undefined;
  if (parts[2] === 'forecast') return json(response, state.traffic.forecast(metric, url.searchParams));
  return json(response, state.traffic.document(metric, url.searchParams));
}

/** Several series in one answer, each a document or a problem. */
function seriesCall(state, response, url) {
  if (state.mode === 'loading') return undefined;
  const answers = url.searchParams.getAll('q').map((text) => {
    const [name, parameters] = text.split('?');
    const metric = metricsIn(state).find((one) => one.name === name);
    if (!metric) return { title: 'Unknown metric', status: 404, detail: `There is no metric ${name}.` };
    if (state.mode === 'error')
      return {
        title: 'Query failed',
        status: 500,
        detail: 'The cube payment_attempts is over its memory limit.',
      };
    return state.traffic.document(metric, new URLSearchParams(parameters));
  });
  return json(response, { answers });
}

/** Several series in one stream; each event says by `query` which it belongs to. */
function combinedCall(state, request, response, url) {
  if (state.mode === 'error')
    return problem(response, 500, 'Query failed', 'The cube payment_attempts is over its memory limit.');
  if (state.mode === 'loading') return undefined;
  const questions = url.searchParams.getAll('q').map((text) => {
    const [name, parameters] = text.split('?');
    return { name, parameters: new URLSearchParams(parameters), isGone: false };
  });
  const answer = ({ name, parameters }) => {
    const metric = metricsIn(state).find((one) => one.name === name);
    return metric ? state.traffic.document(metric, parameters) : null;
  };
  if (!questions.some(answer)) return problem(response, 404, 'Unknown metric', 'There is no such metric.');
  const tell = (event) => {
    for (const [query, question] of questions.entries()) {
      if (question.isGone) continue;
      const document = answer(question);
      if (document === null) {
        question.isGone = true;
        const detail = `There is no metric ${question.name}.`;
        send('problem', { query, type: 'about:blank', title: 'No such metric', status: 404, detail });
        continue;
      }
      const tail = (one) => ({ ...one, points: one.points.slice(-2) });
      send(event, {
        query,
        ...document,
        series: event === 'update' ? document.series.map(tail) : document.series,
      });
    }
  };
  const send = sse(state, request, response, () => tell('update'));
  tell('snapshot');
}

/** The silences of incidents, numbered by their place. */
function silenceCall(state, request, response, parts) {
  const silenced = state.incidents.flatMap((incident, id) => {
    const { monitor, slice, silenced_until: until } = incident;
    return Date.parse(until ?? '') > Date.now()
      ? [{ id, monitor, slice, until, incident: incident.id, by: 'ada' }]
      : [];
  });
  if (request.method === 'GET') return json(response, { silences: silenced });
  const ended = silenced.find(({ id }) => String(id) === parts[1]);
  if (!ended) return problem(response, 404, 'Not found', `There is no silence ${parts[1]}.`);
  state.incidents[ended.id].silenced_until = null;
  response.writeHead(204);
  return response.end();
}

function incidentCall(state, request, response, parts) {
  if (state.mode === 'loading') return undefined;
  if (parts[1] === 'live') {
    const send = sse(state, request, response, () => {
      const incident = state.incidents.find((one) => one.state === 'open' && one.denominator !== null);
      if (!incident) return;
      incident.denominator += 3;
      incident.numerator += 1;
      incident.affected += 2;
      incident.value = incident.numerator / incident.denominator;
      incident.updated_at = new Date().toISOString();
      send('incident', incident);
    });
    return send('snapshot', { incidents: state.incidents.filter((one) => one.state !== 'resolved') });
  }
  if (parts.length === 1) return json(response, { incidents: state.incidents });
  const incident = state.incidents.find(({ id }) => id === parts[1]);
  if (!incident) return problem(response, 404, 'Unknown incident', `There is no incident ${parts[1]}.`);
  if (request.method === 'GET') return json(response, incident);
  return readBody(request).then(async (text) => {
    await state.beforeAct?.(parts[2]);
    const { status, title, detail } = actOnIncident(incident, parts[2], text === '' ? {} : JSON.parse(text));
    return status === 200 ? json(response, incident) : problem(response, status, title, detail);
  });
}

/** A statement in SQL. One that takes its time is given up when the client hangs up, which `cancelled` counts. */
async function sqlCall(state, request, response) {
  if (state.mode === 'loading') return;
  const { sql, rows_max: rowsMax } = JSON.parse(await readBody(request));
  const answer = answerSql(sql, { mode: state.mode, ...(rowsMax ? { rowsMax } : {}) });
  if (answer === null) {
    const late = () => problem(response, 504, 'Too slow', 'The query took longer than 30000 ms.');
    const timer = setTimeout(late, SLOW_MS);
    response.on('close', () => {
      clearTimeout(timer);
      if (!response.writableEnded) state.cancelled = (state.cancelled ?? 0) + 1;
    });
    return;
  }
  if (answer.status) {
    response.writeHead(answer.status, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify(answer));
  } else if (request.headers.accept?.includes('text/csv')) {
    response.writeHead(200, { 'content-type': 'text/csv; charset=utf-8; header=present' });
    response.end(toCsv(answer));
  } else json(response, answer);
}

function sse(state, request, response, tick) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  let id = 0;
  const stream = { response, tick };
  state.streams.add(stream);
  request.on('close', () => state.streams.delete(stream));
  return (event, data) => {
    id += 1;
    response.write(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
  };
}

function page(response, path) {
  let file = normalize(join(dist, path));
  if (!file.startsWith(dist) || !existsSync(file) || statSync(file).isDirectory())
    file = join(dist, 'index.html');
  if (!existsSync(file)) return problem(response, 404, 'Not built', 'Run npm run build first.');
  response.writeHead(200, {
    'content-type': types[extname(file)] ?? 'application/octet-stream',
    'content-security-policy': csp,
    'x-content-type-options': 'nosniff',
  });
  createReadStream(file).pipe(response);
}

function json(response, body, status = 200) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function problem(response, status, title, detail) {
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ type: 'about:blank', title, status, detail }));
}

function refuse(response, { status, slug, title, detail }) {
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ type: `https://tillwatch.dev/problems/${slug}`, title, status, detail }));
}

async function readBody(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { role: { type: 'string' } },
  });
  const [port, mode] = positionals;
  const { url } = await startMock(Number(port ?? 7878), mode ?? 'normal', values.role ?? null);
  console.log(`mock of the Tillwatch API on ${url}`);
}
