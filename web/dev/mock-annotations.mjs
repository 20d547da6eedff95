// Annotations in the mock: two before the incident that stands out, kept, written and removed.
const MINUTE = 60_000;

function first(state) {
  const hostile = state.mode === 'hostile';
  const at = (minutes) => new Date(state.startedAt - minutes * MINUTE).toISOString();
  const one = (id, minutes, more) => ({
    id,
    kind: 'deployment',
    at: at(minutes),
    until: null,
    title: 'checkout 4.12.0',
    text: null,
    by: null,
    url: null,
    where: {},
    created_at: at(minutes),
    ...more,
  });
  return [
    one(1, 44, {
      title: hostile ? '<img src=x onerror="window.__hostile = 1">' : 'checkout 4.12.0',
      text: hostile
        ? '<script>window.__hostile = 1</script>'
        : '3-D Secure 2.3 for all issuers\nrolled out to 100 %',
      by: hostile ? '"><b>ci</b>' : 'ci',
      url: hostile ? 'javascript:window.__hostile=1' : 'https://ci.example/runs/7',
    }),
    one(2, 20, { kind: 'campaign', title: 'Autumn sale', until: at(5), where: { method: 'card' } }),
    one(3, 30, { kind: 'change', title: 'Nobody’s route', where: { psp: 'nobody' } }),
  ];
}

export function annotationCall(state, request, response, parts, url, { json, problem, readBody }) {
  state.annotations ??= state.mode === 'empty' ? [] : first(state);
  if (state.mode === 'error') return problem(response, 500, 'Internal', 'The catalogue cannot be read.');
  if (request.method === 'GET') {
    const [from, to] = ['from', 'to'].map((name) => Date.parse(url.searchParams.get(name)));
    const within = ({ at, until }) => Date.parse(at) < to && Date.parse(until ?? at) >= from;
    const found = state.annotations.filter(within).sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
    return json(response, { annotations: found });
  }
  if (request.method === 'DELETE') {
    state.annotations = state.annotations.filter(({ id }) => id !== Number(parts[1]));
    response.writeHead(204);
    return response.end();
  }
  return readBody(request).then((text) => {
    const written = JSON.parse(text);
    const now = new Date().toISOString();
    const id = Math.max(0, ...state.annotations.map((one) => one.id)) + 1;
    const usual = {
      kind: 'note',
      at: now,
      until: null,
      text: null,
      by: null,
      url: null,
      where: {},
      created_at: now,
    };
    const kept = { id, ...usual, ...written };
    state.annotations.push(kept);
    json(response, kept, 201);
  });
}
