import { type Draft, type Item, type Section, sectionOf, sections } from './draft';

/** Puts what stands at `from` in front of what stands at `to` when that is further up, behind it when further down. */
export function moved<T>(items: readonly T[], from: number, to: number): T[] {
  const next = [...items];
  const target = Math.min(Math.max(to, 0), items.length - 1);
  const [one] = next.splice(from, 1);
  if (one !== undefined) next.splice(target, 0, one);
  return next;
}

export function withItem(draft: Draft, item: Item): Draft {
  const section = sectionOf(item.kind);
  return { ...draft, [section]: [...draft[section], item] };
}

export function withoutItem(draft: Draft, id: string): Draft {
  return eachSection(draft, (items) => items.filter((item) => item.id !== id));
}

export function withPatch(draft: Draft, id: string, patch: Partial<Item>): Draft {
  return eachSection(draft, (items) => items.map((item) => (item.id === id ? { ...item, ...patch } : item)));
}

export function withMove(draft: Draft, id: string, to: number): Draft {
  return eachSection(draft, (items) => {
    const from = items.findIndex((item) => item.id === id);
    return from < 0 ? items : moved(items, from, to);
  });
}

/** Another item like this one, right behind it. */
export function withCopy(draft: Draft, id: string, copy: Item): Draft {
  return eachSection(draft, (items) => {
    const at = items.findIndex((item) => item.id === id);
    return at < 0 ? items : items.toSpliced(at + 1, 0, copy);
  });
}

/** What has not changed stays the same object, so that a preview draws again only what has. */
function eachSection(draft: Draft, change: (items: Item[]) => Item[]): Draft {
  const next = { ...draft };
  for (const section of sections) {
    const items = change(draft[section]);
    const isSame =
      items.length === draft[section].length && items.every((item, i) => item === draft[section][i]);
    if (!isSame) next[section] = items;
  }
  return next;
}

/** Where an item stands. */
export function placeOf(draft: Draft, id: string): { section: Section; index: number; item: Item } | null {
  for (const section of sections) {
    const index = draft[section].findIndex((item) => item.id === id);
    const item = draft[section][index];
    if (item) return { section, index, item };
  }
  return null;
}

/** What was done, for the words of the button that undoes it. */
export type Deed = 'add' | 'remove' | 'move' | 'copy' | 'change' | 'title' | 'load';

export interface Change {
  draft: Draft;
  deed: Deed;
  /** Changes of one tag that follow each other are one: a word is undone, not a letter. */
  tag?: string | undefined;
}

/** A draft, and how it came about. */
export interface History {
  draft: Draft;
  /** What was before, the newest last. */
  past: readonly { draft: Draft; deed: Deed }[];
  tag: string | null;
}

/** As many steps back as anybody takes. */
export const UNDO_MAX = 100;

export function begin(draft: Draft): History {
  return { draft, past: [], tag: null };
}

export function done(history: History, { draft, deed, tag }: Change): History {
  if (draft === history.draft) return history;
  if (tag !== undefined && tag === history.tag) return { ...history, draft };
  const past = [...history.past, { draft: history.draft, deed }].slice(-UNDO_MAX);
  return { draft, past, tag: tag ?? null };
}

export function undone(history: History): History {
  const last = history.past.at(-1);
  return last ? { draft: last.draft, past: history.past.slice(0, -1), tag: null } : history;
}
