import { Store } from '../../live/store';

/** A list that this browser remembers, the same in all its tabs. What is stored is not trusted: others may have written it. */
export class StoredList<T> {
  readonly store: Store<readonly T[]>;
  readonly #key: string;
  readonly #read: (value: unknown) => T | null;
  readonly #max: number;

  constructor(key: string, max: number, read: (value: unknown) => T | null) {
    this.#key = key;
    this.#read = read;
    this.#max = max;
    this.store = new Store(this.#load());
    addEventListener('storage', (event) => {
      if (event.key === key || event.key === null) this.store.set(this.#load());
    });
  }

  /** Whether it could be written down; a full or forbidden storage keeps it for this tab only. */
  update(change: (list: readonly T[]) => readonly T[]): boolean {
    // Another tab may have added to it since.
    const next = change(this.#load(this.store.get())).slice(0, this.#max);
    this.store.set(next);
    try {
      localStorage.setItem(this.#key, JSON.stringify(next));
      return true;
    } catch {
      return false;
    }
  }

  #load(otherwise: readonly T[] = []): readonly T[] {
    try {
      const text = localStorage.getItem(this.#key);
      if (text === null) return otherwise;
      const list: unknown = JSON.parse(text);
      if (!Array.isArray(list)) return otherwise;
      return list.map(this.#read).filter((one) => one !== null);
    } catch {
      return otherwise;
    }
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
