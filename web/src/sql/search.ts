import type { View } from './result/ResultPanel';

export interface SqlSearch {
  /** The whole text of the editor at its last run. */
  q?: string | undefined;
  view: View;
}

/** Longer texts do not fit into an address that servers and messengers take. */
const TEXT_MAX = 8_000;

export function readSqlSearch(raw: Record<string, unknown>): SqlSearch {
  const view = raw.view === 'chart' ? 'chart' : 'table';
  return typeof raw.q === 'string' && raw.q.trim() !== '' ? { q: raw.q, view } : { view };
}

export function writeSqlSearch({ q, view }: SqlSearch): Record<string, string> {
  return {
    ...(q !== undefined && q.trim() !== '' && q.length <= TEXT_MAX ? { q } : {}),
    ...(view === 'chart' ? { view } : {}),
  };
}
