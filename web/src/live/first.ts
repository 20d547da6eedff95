/** A page without figures, or whose server is slow, waits no longer than this for them. */
export const FIRST_WAIT_MS = 3_000;

let tell: () => void = () => {};

/**
 * Resolves when the page has shown its first figures. What is large and can come after them waits for this: on a slow processor the
 * code of charts and maps would hold up the figures by a second.
 */
export const firstFigures: Promise<void> = new Promise((resolve) => {
  tell = resolve;
  setTimeout(resolve, FIRST_WAIT_MS);
});

/** The first figures are there; they are on the screen when the next frame has been painted. */
export function noteFigures(): void {
  // A tab that nobody sees paints no frames; the wait above ends there.
  requestAnimationFrame(() => setTimeout(tell, 0));
}
