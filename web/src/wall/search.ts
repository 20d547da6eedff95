import { isRange, type Range } from '../state/range';

/** How long a page stays unless the address says otherwise. */
export const EVERY_DEFAULT_MS = 30_000;
/** Shorter is a flicker that nobody reads, longer is a board that stands still. */
export const EVERY_MIN_MS = 5_000;
export const EVERY_MAX_MS = 3_600_000;
/** More boards than this would not come round within a shift. */
const BOARDS_MAX = 50;

/** What the address of a wall screen says. */
export interface WallSearch {
  /** The boards in their order; empty for all. */
  boards: string[];
  everyMs: number;
  /** Null for what each board says. */
  range: Range | null;
}

/** Reads an untrusted address: what is not understood is dropped. */
export function readWall(raw: Readonly<Record<string, string | undefined>>): WallSearch {
  const names = (raw.boards ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return {
    boards: [...new Set(names)].slice(0, BOARDS_MAX),
    everyMs: readEvery(raw.every) ?? EVERY_DEFAULT_MS,
    range: isRange(raw.range) ? raw.range : null,
  };
}

/** `30s`, `2m`, `1h`, or seconds without a unit. */
function readEvery(text: string | undefined): number | null {
  const match = /^(\d{1,6})(s|m|h)?$/.exec(text ?? '');
  if (!match) return null;
  const ms = Number(match[1]) * (match[2] === 'h' ? 3_600_000 : match[2] === 'm' ? 60_000 : 1_000);
  return Math.min(Math.max(ms, EVERY_MIN_MS), EVERY_MAX_MS);
}
