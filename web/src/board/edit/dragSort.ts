import { type PointerEvent, type RefObject, useEffect, useRef, useState } from 'react';

/**
 * Where what is dragged would come to stand: after all of the others whose middle is above the pointer. `middles` are those
 * of all rows from top to bottom, the dragged one at `from` among them.
 */
export function dropIndex(middles: readonly number[], from: number, y: number): number {
  return middles.filter((middle, i) => i !== from && middle < y).length;
}

/** Near an edge of the window the page moves along, so that a long list can be dragged through. */
const EDGE_PX = 72;
const EDGE_STEP_PX = 14;

export interface Drag {
  id: string;
  from: number;
  to: number;
}

export interface DragSort {
  drag: Drag | null;
  /** For the handle of a row. */
  handle: (id: string) => {
    onPointerDown: (event: PointerEvent<HTMLElement>) => void;
    onPointerMove: (event: PointerEvent<HTMLElement>) => void;
    onPointerUp: () => void;
    onPointerCancel: () => void;
  };
}

/** Sorting the rows `[data-sort]` of a list by pointer. Keys do the same, and are the list's own. */
export function useDragSort(
  list: RefObject<HTMLElement | null>,
  ids: readonly string[],
  onMove: (id: string, to: number) => void,
): DragSort {
  const [drag, setDrag] = useState<Drag | null>(null);
  const latest = useRef<Drag | null>(null);
  const set = (next: Drag | null) => {
    latest.current = next;
    setDrag(next);
  };
  const isDragging = drag !== null;
  useEffect(() => {
    if (!isDragging) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      event.preventDefault();
      event.stopPropagation();
      latest.current = null;
      setDrag(null);
    };
    document.addEventListener('keydown', onKey, true);
    return () => document.removeEventListener('keydown', onKey, true);
  }, [isDragging]);
  return {
    drag,
    handle: (id) => ({
      onPointerDown: (event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        const from = ids.indexOf(id);
        set({ id, from, to: from });
      },
      onPointerMove: (event) => {
        const now = latest.current;
        if (now?.id !== id) return;
        if (event.clientY < EDGE_PX) window.scrollBy(0, -EDGE_STEP_PX);
        else if (event.clientY > window.innerHeight - EDGE_PX) window.scrollBy(0, EDGE_STEP_PX);
        const rows = [...(list.current?.querySelectorAll<HTMLElement>(':scope > [data-sort]') ?? [])];
        const middles = rows.map((row) => {
          const { top, height } = row.getBoundingClientRect();
          return top + height / 2;
        });
        const to = dropIndex(middles, now.from, event.clientY);
        if (to !== now.to) set({ ...now, to });
      },
      onPointerUp: () => {
        const now = latest.current;
        set(null);
        if (now && now.to !== now.from) onMove(now.id, now.to);
      },
      onPointerCancel: () => set(null),
    }),
  };
}
