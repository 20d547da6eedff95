// Boards as the server keeps them: those of the folder, and those that people save, each with a version that guards it.
//   state.boardsRefuse = 401 | 403 | 503     what every write is answered with
//   state.manyBoards = n                     so many more of the folder
//   state.takenByFolder = [name]             names that the folder has taken since
import { metrics, boards as ofFolder } from './mock-data.mjs';

const NAME = /^[a-z_][a-z0-9_]{0,62}$/;
const KEYS = new Set(['title', 'tiles', 'charts', 'incidents', 'panels']);
const SPLIT = { table: [1, 3], sankey: [2, 4] };

function folder(state) {
  const more = Array.from({ length: state.manyBoards ?? 0 }, (_, i) => {
    const n = String(i + 1).padStart(2, '0');
    return { ...ofFolder.commerce, name: `region_${n}`, title: { en: `Region ${n}`, zh: `区域 ${n}` } };
  });
  const taken = (state.takenByFolder ?? []).map((name) => ({ ...ofFolder.commerce, name }));
  return [...Object.values(ofFolder), ...more, ...taken];
}

/** What people saved, by name. */
export function savedBoards(state) {
  state.saved ??= new Map();
  return state.saved;
}

/** Saves a board as if somebody else did. */
export function saveBoard(state, name, board) {
  const saved = savedBoards(state);
  const version = (saved.get(name)?.version ?? 0) + 1;
  const kept = { ...shown(name, board), from: 'catalogue', version, changed_at: new Date().toISOString() };
  saved.set(name, kept);
  return kept;
}

/** The server tells what holds where nothing is written. */
function shown(name, board) {
  const titled = (item) => ({
    ...item,
    title: item.title ?? { en: item.metric ?? '' },
    where: item.where ?? {},
  });
  return {
    name,
    title: board.title,
    tiles: (board.tiles ?? []).map(titled),
    charts: (board.charts ?? []).map((item) => ({ width: 'half', ...titled(item) })),
    incidents: board.incidents ?? true,
    panels: (board.panels ?? []).map((item) => ({ width: 'half', ...titled(item) })),
  };
}

function itemFaults(item, path) {
  const faults = [];
  const put = (field, message, suggestion) =>
    faults.push({ path: `${path}.${field}`, message, ...(suggestion ? { suggestion } : {}) });
  const known = (name) => metrics.find((metric) => metric.name === name);
  if (item.metric !== undefined || !['text', 'funnel'].includes(item.kind)) {
    const metric = known(item.metric);
    if (!metric) put('metric', `there is no metric '${item.metric}'`, `did you mean '${metrics[0].name}'?`);
    const by = Array.isArray(item.by) ? item.by : item.by ? [item.by] : [];
    for (const dimension of by)
      if (metric && !metric.dimensions.includes(dimension))
        put('by', `'${item.metric}' has no dimension '${dimension}'`);
    const [least] = SPLIT[item.kind] ?? [0];
    if (by.length < least) put('by', `needs ${least} dimensions at least`);
    if (item.kind === 'sankey' && metric?.kind === 'rate')
      put('metric', `'${item.metric}' does not add up, so that it has no flow`, 'take a metric that counts');
  }
  for (const [i, step] of (item.steps ?? []).entries()) {
    const metric = known(step.metric);
    if (!metric) put(`steps[${i}].metric`, `there is no metric '${step.metric}'`);
    else if (metric.kind !== 'count') put(`steps[${i}].metric`, `'${step.metric}' does not count`);
  }
  return faults;
}

function faultsOf(board) {
  const faults = [];
  for (const key of Object.keys(board))
    if (!KEYS.has(key)) faults.push({ path: key, message: `unknown key '${key}'` });
  if (typeof board.title?.en !== 'string' || board.title.en.trim() === '')
    faults.push({ path: 'title', message: 'a board needs a title' });
  for (const section of ['tiles', 'charts', 'panels'])
    for (const [i, item] of (board[section] ?? []).entries())
      faults.push(...itemFaults(item, `${section}[${i}]`));
  return faults;
}

/** JSON is YAML; the mock reads no more of it. */
function readYaml(text, name) {
  const own = /^boards:\s*\n\s+([a-z0-9_]+):/.exec(text)?.[1];
  if (own !== undefined && own !== name)
    return { fault: { path: 'board', message: `the board is '${own}' here and '${name}' in the address` } };
  const body = text.replace(/^boards:\s*\n\s+[a-z0-9_]+:\s*/, '');
  try {
    return { board: JSON.parse(body) };
  } catch {
    return { fault: { path: `boards.${name}`, message: 'line 3: mapping values are not allowed here' } };
  }
}

function toYaml(name, { title, tiles, charts, incidents, panels }) {
  const text = JSON.stringify({ title, tiles, charts, incidents, panels }, null, 2);
  return `boards:\n  ${name}:\n    ${text.replaceAll('\n', '\n    ')}\n`;
}

export function boardCall(state, request, response, parts, url, { json, problem, readBody }) {
  const saved = savedBoards(state);
  const all = folder(state);
  if (parts.length === 1) {
    const brief = ({ name, title, from = 'folder', version, changed_at }) => ({
      name,
      title,
      from,
      ...(version ? { version, changed_at } : {}),
    });
    const isHidden = ({ name }) => all.some((board) => board.name === name);
    return json(response, {
      boards: [...all, ...[...saved.values()].filter((board) => !isHidden(board))].map(brief),
      shadowed: [...saved.values()].filter(isHidden).map(brief),
    });
  }
  const name = parts[1];
  const fixed = all.find((board) => board.name === name);
  if (request.method === 'GET') {
    const isMeant = url.searchParams.get('from') === 'catalogue';
    const board = fixed && !isMeant ? { ...fixed, from: 'folder' } : saved.get(name);
    if (!board) return problem(response, 404, 'Unknown board', `There is no board ${name}.`);
    response.setHeader('etag', `"${board.version ?? 'folder-1'}"`);
    if (request.headers.accept?.includes('yaml')) {
      response.writeHead(200, { 'content-type': 'application/yaml' });
      return response.end(toYaml(name, board));
    }
    return json(response, board);
  }
  if (state.boardsRefuse) {
    return readBody(request).then(() =>
      problem(response, state.boardsRefuse, 'Not allowed', 'The role read may not call this.'),
    );
  }
  return readBody(request).then((text) => write(state, request, response, name, text, fixed, problem));
}

function write(state, request, response, name, text, fixed, problem) {
  const saved = savedBoards(state);
  const answer = (status, body) => {
    response.writeHead(status, {
      'content-type': status < 300 ? 'application/json' : 'application/problem+json',
    });
    response.end(JSON.stringify(body));
  };
  if (fixed && !(request.method === 'DELETE' && saved.has(name))) {
    const detail = `'${name}' is a board of the definitions folder, which only its files change; save yours under another name.`;
    return answer(409, { title: 'Conflict', status: 409, detail, suggestion: `${name}_2` });
  }
  const now = saved.get(name);
  const version = /^"(\d+)"$/.exec(request.headers['if-match'] ?? '')?.[1];
  const isOtherwise = version !== undefined && Number(version) !== now?.version;
  if (isOtherwise || (request.headers['if-none-match'] === '*' && now)) {
    const detail = now
      ? `The board '${name}' was saved at ${now.changed_at} and is at version ${now.version}; read it again.`
      : `There is no saved board '${name}'.`;
    return answer(412, {
      title: 'It is not what you took it for',
      status: 412,
      detail,
      ...(now ? { version: now.version, changed_at: now.changed_at } : {}),
    });
  }
  if (request.method === 'DELETE') {
    if (!saved.delete(name)) return problem(response, 404, 'Unknown board', `There is no board ${name}.`);
    response.writeHead(204);
    return response.end();
  }
  const read = request.headers['content-type']?.includes('yaml')
    ? readYaml(text, name)
    : { board: JSON.parse(text) };
  const faults = read.fault ? [read.fault] : faultsOf(read.board);
  if (!NAME.test(name)) faults.push({ path: 'name', message: `'${name}' is no name` });
  if (faults.length > 0)
    return answer(422, {
      type: 'about:blank',
      title: 'The definition cannot work',
      status: 422,
      detail: `The board '${name}' cannot work: ${faults.length} faults.`,
      faults,
    });
  return answer(now ? 200 : 201, saveBoard(state, name, read.board));
}
