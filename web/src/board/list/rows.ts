import type { Localized } from '../../api/types';
import type { ListedBoard } from '../edit/calls';

export const origins = ['all', 'folder', 'catalogue'] as const;
export type Origin = (typeof origins)[number];

/** What the address of the list says. */
export interface ListSearch {
  q: string;
  from: Origin;
}

/** Longer than anything that somebody looks for. */
const TEXT_MAX = 200;

/** Reads an untrusted address: what is not understood is dropped. */
export function readList(raw: Readonly<Record<string, string>>): ListSearch {
  return {
    q: (raw.q ?? '').slice(0, TEXT_MAX),
    from: origins.find((one) => one === raw.from) ?? 'all',
  };
}

export function writeList({ q, from }: ListSearch): Record<string, string> {
  return { ...(q === '' ? {} : { q }), ...(from === 'all' ? {} : { from }) };
}

function wordsOf({ name, title }: { name: string; title: Localized }): string {
  return `${name} ${name.replaceAll('_', ' ')} ${title.en} ${title.zh ?? ''}`.toLowerCase();
}

/** Whether every word of a search stands in a board's name or in its title, of whichever language. */
export function isFound(board: { name: string; title: Localized }, q: string): boolean {
  const text = wordsOf(board);
  return q
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .every((word) => text.includes(word));
}

/** The boards that an address asks for, in the order of the server. */
export function listed<T extends ListedBoard>(boards: readonly T[], { q, from }: ListSearch): T[] {
  return boards.filter((board) => (from === 'all' || (board.from ?? 'folder') === from) && isFound(board, q));
}
