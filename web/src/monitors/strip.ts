import { offsetMs } from './localTime';

/** A stretch of the strip, as shares of its width from 0 to 1. */
export interface Placed<T> {
  item: T;
  left: number;
  width: number;
  /** Which of the lane's lines it stands on, from 0. */
  line: number;
}

interface Stretch {
  startMs: number;
  endMs: number;
}

/** What is shorter would not be seen; it is drawn this wide. */
const WIDTH_MIN = 0.004;
/** More lines make a lane higher than it is worth; what comes then lies over others. */
const LINES_MAX = 5;

/** Places incidents along the time so that none hides another, as long as there are lines left. */
export function placed<T extends Stretch>(items: readonly T[], fromMs: number, toMs: number): Placed<T>[] {
  const length = Math.max(1, toMs - fromMs);
  const ends: number[] = [];
  const sorted = [...items].sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs);
  return sorted.map((item) => {
    const begin = clamp((item.startMs - fromMs) / length);
    const end = clamp((item.endMs - fromMs) / length);
    const width = Math.max(WIDTH_MIN, end - begin);
    const left = Math.min(begin, 1 - width);
    let line = ends.findIndex((taken) => taken <= left);
    if (line === -1) line = ends.length < LINES_MAX ? ends.length : lineThatEndsFirst(ends);
    ends[line] = Math.max(ends[line] ?? 0, left + width + WIDTH_MIN / 2);
    return { item, left, width, line };
  });
}

function lineThatEndsFirst(ends: readonly number[]): number {
  return ends.indexOf(Math.min(...ends));
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}

const DAY_MS = 86_400_000;
const TICKS_MAX = 9;

/** Midnights in the reader's zone, as many as have room; every day, second day, or week. */
export function midnights(fromMs: number, toMs: number, zone: string): number[] {
  const days = (toMs - fromMs) / DAY_MS;
  const every = [1, 2, 7, 14].find((one) => days / one <= TICKS_MAX) ?? 28;
  const found: number[] = [];
  for (let day = Math.floor(fromMs / DAY_MS) - 1; day * DAY_MS < toMs + DAY_MS; day += 1) {
    // Where clocks change in between, the offset at that midnight is what counts.
    const guess = day * DAY_MS - offsetMs(zone, day * DAY_MS);
    const at = day * DAY_MS - offsetMs(zone, guess);
    if (at >= fromMs && at <= toMs) found.push(at);
  }
  return found.filter((_, i) => (found.length - 1 - i) % every === 0);
}

/** The points of a line in a box of `width` × `height`, with gaps where there is no value. */
export function linePath(
  points: readonly (readonly [number, number | null])[],
  fromMs: number,
  toMs: number,
  width: number,
  height: number,
): string {
  const values = points.flatMap(([, value]) => (value === null ? [] : [value]));
  if (values.length === 0) return '';
  const low = Math.min(...values);
  const spread = Math.max(...values) - low;
  let path = '';
  let isPen = false;
  for (const [at, value] of points) {
    if (value === null) {
      isPen = false;
      continue;
    }
    const x = ((at - fromMs) / Math.max(1, toMs - fromMs)) * width;
    const y = spread === 0 ? height / 2 : height - ((value - low) / spread) * height;
    path += `${isPen ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    isPen = true;
  }
  return path;
}
