import type { Draft } from './draft';

/** What was not saved when the page went away: a reload, or a server that asked for a token in between. */
interface Kept {
  draft: Draft;
  /** The version that the draft was begun from; null for a board that is new. */
  version: number | null;
  atMs: number;
}

const PREFIX = 'tillwatch.board-draft.';

/** Kept until the tab is closed: a draft is no board, and nobody else should come upon it. */
export function keepDraft(key: string, draft: Draft, version: number | null): void {
  try {
    sessionStorage.setItem(PREFIX + key, JSON.stringify({ draft, version, atMs: Date.now() } satisfies Kept));
  } catch {
    // A browser that forbids storage, or has none left, loses the draft with the page.
  }
}

export function forgetDraft(key: string): void {
  try {
    sessionStorage.removeItem(PREFIX + key);
  } catch {
    // There is nothing to forget then.
  }
}

export function keptDraft(key: string): Kept | null {
  try {
    const text = sessionStorage.getItem(PREFIX + key);
    if (text === null) return null;
    const kept = JSON.parse(text) as Kept;
    const isWhole = typeof kept.draft?.name === 'string' && Array.isArray(kept.draft.panels);
    return isWhole ? kept : null;
  } catch {
    return null;
  }
}
