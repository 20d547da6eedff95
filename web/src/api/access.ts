import { Store } from '../live/store';

/** What the server has said last about who may look: nothing against it, that a token is missing, that it is wrong. */
export type Access = 'granted' | 'missing' | 'wrong';

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
  // An answer to a token that has been replaced meanwhile says nothing about the new one.
  if (sent === token) note(response.status, sent);
  return response;
}

function note(status: number, sent: string): void {
  const access: Access = status !== 401 ? 'granted' : sent ? 'wrong' : 'missing';
  if (access === 'wrong') keepToken('');
  if (accessStore.get() === access) return;
  // Of several calls under way with a wrong token only the first finds it stored; the others must not unsay “wrong”.
  if (access === 'missing' && accessStore.get() === 'wrong') return;
  accessStore.set(access);
}

/** Whether a token is one that can be sent at all: a header takes printable ASCII. */
export function isSendable(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}
