import { Store } from '../live/store';

/** What the server has said last about who may look: nothing against it, that a token is missing, or why it is not taken. */
export type Access = 'granted' | 'missing' | Refused;
export type Refused = 'wrong' | 'expired' | 'revoked';

/** What a role may do. */
export type Right = 'read' | 'ingest' | 'operate' | 'define' | 'administer';
export type Role = 'ingest' | 'read' | 'operate' | 'admin';

/** Who the server says one is. */
export interface Identity {
  required: boolean;
  name: string | null;
  role: Role;
  may: readonly Right[];
  expires_at: string | null;
}

export const accessStore = new Store<Access>('granted');

const KEY = 'tillwatch.token';

/** Kept until the tab is closed, and never longer: a wall screen reloads, a shared computer forgets. */
let token = stored();

function stored(): string {
  try {
    return sessionStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

/** Sends this token from now on; an empty one is forgotten. */
export function keepToken(next: string): void {
  token = next;
  try {
    if (next) sessionStorage.setItem(KEY, next);
    else sessionStorage.removeItem(KEY);
  } catch {
    // A browser that forbids storage asks again after a reload.
  }
}

/** `fetch` with the token, if there is one. What the answer says about it goes to `accessStore`. */
export async function fetchWithToken(path: string, init: RequestInit, send = fetch): Promise<Response> {
  const sent = token;
  const headers = new Headers(init.headers);
  if (sent) headers.set('authorization', `Bearer ${sent}`);
  const response = await send(path, { ...init, headers });
  const access = response.status === 401 ? await refusal(response, sent) : 'granted';
  // An answer to a token that has been replaced meanwhile says nothing about the new one.
  if (sent === token) note(access);
  return response;
}

/** Why a call was refused. The body is read from a copy: whoever called wants it, too. */
async function refusal(response: Response, sent: string): Promise<Access> {
  if (!sent) return 'missing';
  try {
    const { type } = (await response.clone().json()) as { type?: unknown };
    const kind = /\/token-(expired|revoked)$/.exec(String(type))?.[1];
    return kind === 'expired' || kind === 'revoked' ? kind : 'wrong';
  } catch {
    return 'wrong';
  }
}

function note(access: Access): void {
  if (access !== 'granted' && access !== 'missing') keepToken('');
  const before = accessStore.get();
  if (before === access) return;
  // Of several calls under way with a refused token only the first finds it stored; the others must not unsay why.
  if (access === 'missing' && before !== 'granted') return;
  accessStore.set(access);
}

/** Forgets the token, and shows nothing more that was seen with it. */
export function signOut(): void {
  keepToken('');
  accessStore.set('missing');
}

/** Whether a token is one that can be sent at all: a header takes printable ASCII. */
export function isSendable(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}
