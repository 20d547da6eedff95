import i18next from 'i18next';
import { ApiError } from '../api/client';
import type { Speech } from './hooks';

/** What the server's kinds of problem are called in a language other than its own. It comes with that language. */
export const PROBLEMS = 'problems';

/** Kinds that say all there is to say: what the server adds is of no use to who reads a page. */
const WHOLE = new Set([
  'overloaded',
  'recovering',
  'stopping',
  'definitions-changed',
  'too-many-live-clients',
  'timeout',
  'disk-low',
  'journal-full',
  'token-missing',
  'token-wrong',
  'token-expired',
  'token-revoked',
]);

/**
 * Why something failed, in the reader's language as far as it is known in it. The server's own words, which are English and
 * name places, stand behind that where they say more.
 */
export function problemText(error: Error, { t, language }: Pick<Speech, 't' | 'language'>): string {
  if (!(error instanceof ApiError)) return error.message;
  if (error.status === 0 && !error.problem) return t('state.unreachable');
  const { problem } = error;
  const detail = problem?.detail ?? problem?.title ?? error.message;
  const said = problem?.suggestion && problem.detail ? withSuggestion(detail, problem.suggestion) : detail;
  const kind = problem?.type?.split('/').at(-1) ?? '';
  const own: unknown = i18next.getResource(language, PROBLEMS, kind);
  if (typeof own !== 'string') return said;
  return WHOLE.has(kind) ? `${own}。` : `${own}：${said}`;
}

/** Some details end with the suggestion already. */
function withSuggestion(detail: string, suggestion: string): string {
  return detail.includes(suggestion) ? detail : `${detail} ${suggestion}`;
}
