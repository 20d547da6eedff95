import { type RefObject, useEffect } from 'react';

/** Smaller than this nobody reads it from across a room; what does not fit then is cut off. */
const ZOOM_MIN = 0.55;
/** A difference that is not seen is not worth another layout. */
const ZOOM_STEP = 0.02;

/** On a wall what there is room for is drawn larger: it is read from far away. */
const ZOOM_MAX = 1.5;
/** Kinds that are as high as what they say; the others take the height that they get. */
const GROWING = new Set(['table', 'funnel', 'text']);

/** How much smaller or larger something has to be drawn to fill its room. */
export function zoomFor(needed: number, room: number, mayGrow = false): number {
  if (needed <= 0 || room <= 0) return 1;
  const most = mayGrow ? ZOOM_MAX : 1;
  return Math.min(most, Math.max(ZOOM_MIN, room / needed));
}

/** What is drawn smaller may show more, as a column that there was no room for; then it is measured again. */
const PASSES_MAX = 5;

/** How many times as wide as its room something is. A table scrolls sideways in a box of its own, which nobody does here. */
function overhang(figure: HTMLElement): number {
  const boxes = [figure, ...figure.querySelectorAll<HTMLElement>('.top-scroll')];
  return Math.max(1, ...boxes.map((box) => box.scrollWidth / Math.max(1, box.clientWidth)));
}

/**
 * Draws what a panel shows as small as it takes to fit into its cell, and what is only words and rows as large as it may be. A
 * panel that is as high as its content would have to be scrolled otherwise; a chart takes the height that it gets by itself.
 */
export function useFit(cell: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const root = cell.current;
    if (!root) return;
    let figure: HTMLElement | null = null;
    let zoom = 1;
    let frame = 0;
    const measure = () => {
      frame = 0;
      if (!figure) return;
      const kind = figure.closest<HTMLElement>('[data-kind]')?.dataset.kind ?? '';
      const mayGrow = GROWING.has(kind);
      figure.style.zoom = '1';
      const last = figure.lastElementChild?.getBoundingClientRect().bottom ?? 0;
      const content = last - figure.getBoundingClientRect().top;
      const needed = mayGrow ? Math.max(content, 1) : figure.scrollHeight;
      let next = zoomFor(needed, figure.clientHeight, mayGrow);
      figure.style.zoom = String(next);
      // Larger words take more lines.
      if (next > 1 && figure.scrollHeight > figure.clientHeight + 1)
        next = Math.max(1, (next * figure.clientHeight) / figure.scrollHeight);
      // Larger words are wider, too: a column that is cut off is worse than small words.
      const wanted = next;
      for (let pass = 0; pass < PASSES_MAX; pass += 1) {
        figure.style.zoom = String(next);
        const wide = overhang(figure);
        if (wide === 1) break;
        next = Math.max(ZOOM_MIN, next / wide);
      }
      if (Math.abs(next - zoom) >= ZOOM_STEP || next === 1 || next < wanted) zoom = next;
      figure.style.zoom = String(zoom);
    };
    const soon = () => {
      frame ||= requestAnimationFrame(measure);
    };
    const sizes = new ResizeObserver(soon);
    // A panel is loaded, and gets its figures, after its cell is there.
    const find = () => {
      const found = root.querySelector<HTMLElement>('.panel-figure');
      if (found === figure) return;
      figure = found;
      sizes.disconnect();
      sizes.observe(root);
      for (const child of found?.children ?? []) sizes.observe(child);
      // Its box stays as wide as it is while a table becomes wider.
      for (const table of found?.querySelectorAll('.top-table') ?? []) sizes.observe(table);
    };
    const changes = new MutationObserver(find);
    changes.observe(root, { childList: true, subtree: true });
    sizes.observe(root);
    find();
    return () => {
      cancelAnimationFrame(frame);
      changes.disconnect();
      sizes.disconnect();
    };
  }, [cell]);
}
