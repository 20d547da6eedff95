import { isRecord, StoredList } from './stored';

/** A statement that somebody gave a name. */
export interface SavedQuery {
  name: string;
  sql: string;
}

/** As many as local storage has room for by far. */
const SAVED_MAX = 500;

const saved = new StoredList<SavedQuery>('tillwatch.sql.saved', SAVED_MAX, (value) => {
  if (!isRecord(value)) return null;
  const { name, sql } = value;
  return typeof name === 'string' && name !== '' && typeof sql === 'string' ? { name, sql } : null;
});

export const savedStore = saved.store;

const byName = (a: SavedQuery, b: SavedQuery) => a.name.localeCompare(b.name, undefined, { numeric: true });

/** Keeps a statement under a name; the one that had it is replaced. */
export function saveQuery(name: string, sql: string): boolean {
  return saved.update((list) => [...list.filter((one) => one.name !== name), { name, sql }].sort(byName));
}

export function renameQuery(from: string, to: string): boolean {
  return saved.update((list) => {
    const rest = list.filter(({ name }) => name !== to || name === from);
    return rest.map((one) => (one.name === from ? { ...one, name: to } : one)).sort(byName);
  });
}

export function deleteQuery(name: string): boolean {
  return saved.update((list) => list.filter((one) => one.name !== name));
}

/** Adds what was read from a file and tells how many were new. What is there stays; another of its name gets a number. */
export function addQueries(read: readonly SavedQuery[]): number {
  let added = 0;
  saved.update((list) => {
    const next = merged(list, read);
    added = next.length - list.length;
    return [...next].sort(byName);
  });
  return added;
}

export function merged(list: readonly SavedQuery[], read: readonly SavedQuery[]): SavedQuery[] {
  const next = [...list];
  for (const { name, sql } of read) {
    if (next.some((one) => baseName(one.name) === baseName(name) && one.sql === sql)) continue;
    let free = name;
    for (let n = 2; next.some((one) => one.name === free); n += 1) free = `${name} (${n})`;
    next.push({ name: free, sql });
  }
  return next;
}

function baseName(name: string): string {
  return name.replace(/ \(\d+\)$/, '');
}
