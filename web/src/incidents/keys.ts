import { type RefObject, useRef } from 'react';

/** Which row was gone to last, so that who comes back from it goes on from there. */
let lastId: string | null = null;

export function rememberRow(id: string): void {
  lastId = id;
}

/**
 * Moves the focus through the rows of a list, as a mail inbox does; Enter is then the row's own. When the focused row has
 * left the list, the way goes on from where it was.
 */
export function useRows(list: RefObject<HTMLElement | null>): (by: number) => void {
  const lastIndex = useRef(-1);
  return (by) => {
    const rows = [...(list.current?.querySelectorAll<HTMLElement>('[data-row]') ?? [])];
    if (rows.length === 0) return;
    const focused = rows.indexOf(document.activeElement as HTMLElement);
    const known = rows.findIndex((row) => row.dataset.row === lastId);
    const at = focused >= 0 ? focused : known;
    const next = nextRow(at, lastIndex.current, by, rows.length);
    lastIndex.current = next;
    const row = rows[next];
    if (!row) return;
    rememberRow(row.dataset.row ?? '');
    row.focus();
    row.scrollIntoView({ block: 'nearest' });
  };
}

/** Presses the button of the focused row that says `[data-take]`, if it has one. */
export function takeFocusedRow(): void {
  const id = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.row : undefined;
  if (id !== undefined) document.querySelector<HTMLElement>(`[data-take="${CSS.escape(id)}"]`)?.click();
}

/** The row to go to from row `at`; where that is gone, −1, from the place where one was last. */
export function nextRow(at: number, lastIndex: number, by: number, count: number): number {
  // The row that follows one that is gone has taken its place.
  const from = at >= 0 ? at : lastIndex < 0 ? (by > 0 ? -1 : count) : by > 0 ? lastIndex - 1 : lastIndex;
  return Math.min(Math.max(from + by, 0), count - 1);
}
