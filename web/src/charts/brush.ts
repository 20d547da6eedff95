/** A stretch of time that somebody is choosing on a chart. */
export interface Stretch {
  fromMs: number;
  toMs: number;
}

/** A pointer that moved less than this has clicked. */
export const BRUSH_FROM_PX = 6;

/** The stretch between two moments in either order, both of which lie in steps that belong to it. */
export function stretchOf(aMs: number, bMs: number, stepMs: number): Stretch {
  return { fromMs: Math.min(aMs, bMs), toMs: Math.max(aMs, bMs) + stepMs };
}

/** The moment under a pointer, within the plot. */
export function momentAt(x: number, plot: { leftPx: number; rightPx: number }, fromMs: number, toMs: number) {
  const share = (x - plot.leftPx) / (plot.rightPx - plot.leftPx);
  return fromMs + Math.min(1, Math.max(0, share)) * (toMs - fromMs);
}
