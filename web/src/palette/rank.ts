export const kinds = ['board', 'incident', 'metric', 'monitor', 'page', 'action'] as const;
export type EntryKind = (typeof kinds)[number];

/** Something to go to, or to do. */
export interface Entry {
  id: string;
  kind: EntryKind;
  title: string;
  /** What stands small beside it. */
  note?: string | undefined;
  /** Further words that it is found by. */
  words: string;
  run: () => void;
}

export interface Group {
  /** Null for what was used last. */
  kind: EntryKind | null;
  entries: Entry[];
}

/** Each kind has its place in a long list; a better match gets the others out of the way by itself. */
const PER_KIND_MAX = 8;
/** Nobody reads further than this; who does not find it types another letter. */
const SHOWN_MAX = 40;
/** What somebody has used lately is rather what they look for, but not before what fits better. */
const RECENT_BONUS = 6;
const SHARE_BONUS = 4;

/** How well one word fits: 0 where it does not. */
export function closeness(word: string, title: string, words: string): number {
  if (title === word) return 100;
  if (title.startsWith(word)) return 80;
  if (startsWord(word, title)) return 60;
  const initials = word.length >= 2 ? initialsOf(title) : '';
  if (initials.startsWith(word)) return 45;
  if (title.includes(word)) return 40;
  if (startsWord(word, words)) return 30;
  if (words.includes(word)) return 20;
  return initials.includes(word) ? 10 : 0;
}

function startsWord(word: string, text: string): boolean {
  let at = text.indexOf(word);
  while (at >= 0) {
    if (at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1] ?? '')) return true;
    at = text.indexOf(word, at + 1);
  }
  return false;
}

/** The letters that words begin with: `ar` is an abbreviation of `authorization rate`. */
function initialsOf(text: string): string {
  return text
    .split(/[^\p{L}\p{N}]+/u)
    .map((word) => word[0] ?? '')
    .join('');
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll('_', ' ');
}

/** How well an entry fits a search: every word has to. The whole search as one title is better than its words apart. */
export function score(entry: Pick<Entry, 'title' | 'words' | 'note'>, search: string): number {
  const wanted = plain(search).trim();
  if (wanted === '') return 1;
  const title = plain(entry.title);
  const words = plain(`${entry.words} ${entry.note ?? ''}`);
  const parts = wanted.split(/\s+/);
  let least = Number.POSITIVE_INFINITY;
  let sum = 0;
  for (const part of parts) {
    const one = closeness(part, title, words);
    if (one === 0) return 0;
    least = Math.min(least, one);
    sum += one;
  }
  const whole = parts.length > 1 ? closeness(wanted, title, words) : 0;
  // Of two that fit alike, the one of which more was typed.
  const share = Math.min(1, wanted.length / Math.max(1, title.length));
  return Math.max(whole, least * 0.5 + (sum / parts.length) * 0.5) + share * SHARE_BONUS;
}

/**
 * What is shown for a search, in groups of a kind, the kind with the best match first. Without a search: what was used
 * last, then pages and actions.
 */
export function ranked(entries: readonly Entry[], search: string, recent: readonly string[]): Group[] {
  if (search.trim() === '') return unasked(entries, recent);
  const found = entries
    .map((entry, at) => {
      const fits = score(entry, search);
      const place = recent.indexOf(entry.id);
      return { entry, at, fits: fits > 0 && place >= 0 ? fits + RECENT_BONUS - place * 0.5 : fits };
    })
    .filter(({ fits }) => fits > 0)
    .sort((a, b) => b.fits - a.fits || a.at - b.at);
  const groups = new Map<EntryKind, Entry[]>();
  let shown = 0;
  for (const { entry } of found) {
    const group = groups.get(entry.kind) ?? [];
    if (group.length >= PER_KIND_MAX || shown >= SHOWN_MAX) continue;
    group.push(entry);
    groups.set(entry.kind, group);
    shown += 1;
  }
  return [...groups].map(([kind, one]) => ({ kind, entries: one }));
}

function unasked(entries: readonly Entry[], recent: readonly string[]): Group[] {
  const used = recent.flatMap((id) => entries.find((entry) => entry.id === id) ?? []);
  const rest = (kind: EntryKind) =>
    entries.filter((entry) => entry.kind === kind && !used.includes(entry)).slice(0, PER_KIND_MAX);
  return [
    { kind: null, entries: used },
    { kind: 'board' as const, entries: rest('board') },
    { kind: 'page' as const, entries: rest('page') },
    {
      kind: 'action' as const,
      entries: entries.filter((one) => one.kind === 'action' && !used.includes(one)),
    },
  ].filter((group) => group.entries.length > 0);
}
