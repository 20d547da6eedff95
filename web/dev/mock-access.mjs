// Who calls the mock: what a token of each role may do, and what the real server answers to one that may not.

/** What the mock accepts in the mode `locked`: an admin's token. */
export const TOKEN = 'letmein-0123456789';

/** A token of each role for a mock that asks, and two that are not taken any more. */
export const TOKENS = {
  ingest: 'twt_ingest-0123456789',
  read: 'twt_read-0123456789',
  operate: 'twt_operate-0123456789',
  admin: 'twt_admin-0123456789',
  expired: 'twt_expired-0123456789',
  revoked: 'twt_revoked-0123456789',
};

const names = { ingest: 'shop', read: 'wall-screen', operate: 'ann', admin: 'root@shop.example' };
const may = {
  ingest: ['ingest'],
  read: ['read'],
  operate: ['read', 'ingest', 'operate'],
  admin: ['read', 'ingest', 'operate', 'define', 'administer'],
};
const least = { read: 'read', ingest: 'ingest', operate: 'operate', define: 'admin', administer: 'admin' };

/** The role of who calls; the problem that the call has where nobody may call like this. */
function roleOf(state, request) {
  const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1];
  if (state.mode === 'locked') return token === TOKEN ? 'admin' : refused(token, 'wrong');
  if (state.role === null) return 'admin';
  if (state.role !== 'ask') return state.role;
  const kind = Object.keys(TOKENS).find((one) => TOKENS[one] === token);
  if (kind === undefined || state.over[kind] || !(kind in may))
    return refused(token, state.over[kind] ?? kind);
  return kind;
}

function refused(token, kind) {
  const slug = token ? `token-${kind === 'expired' || kind === 'revoked' ? kind : 'wrong'}` : 'token-missing';
  return {
    status: 401,
    slug,
    title: 'A bearer token is required',
    detail: 'Send Authorization: Bearer <token>.',
  };
}

/** The right that a call needs; null for any. */
function rightOf(method, parts) {
  if (parts[0] === 'access') return null;
  if (method === 'GET') return 'read';
  if (parts[0] === 'streams' && parts[2] === 'events') return 'ingest';
  if (parts[0] === 'definitions') return 'define';
  if (['verify', 'backup', 'maintain'].includes(parts[0])) return 'administer';
  if (parts[0] === 'sql' || parts[0] === 'propose' || parts[0] === 'check' || parts[2] === 'backtest')
    return 'read';
  return 'operate';
}

/** Answers the call where it is refused or asks who one is; else gives null. */
export function accessCall(state, request, response, parts, { json, refuse }) {
  const role = roleOf(state, request);
  if (typeof role !== 'string') return refuse(response, role);
  const right = rightOf(request.method, parts);
  if (right !== null && !may[role].includes(right))
    return refuse(response, {
      status: 403,
      slug: 'role-insufficient',
      title: 'The token\u2019s role may not do this',
      detail: `This call needs a token of the role '${least[right]}', and this token has the role '${role}'.`,
    });
  if (parts[0] !== 'access') return null;
  const required = state.mode === 'locked' || state.role !== null;
  return json(response, {
    required,
    name: state.role === null ? null : names[role],
    role,
    may: may[role],
    expires_at: role === 'operate' && required ? new Date(Date.now() + 90 * 86_400_000).toISOString() : null,
  });
}
