import { useId } from 'react';
import { type DrawnPoint, sparkPath, sparkScale, splitUnfinished } from './shape';

interface Props {
  points: readonly DrawnPoint[];
  fromMs: number;
  toMs: number;
  /** What begins here or later may still change; it is drawn dashed. */
  unfinishedMs: number;
  /** Sums start at zero; rates show their own spread. */
  fromZero: boolean;
}

const WIDTH = 240;
const HEIGHT = 36;
/** Room at the right for the dot of a newest point that stands alone. */
const MARGIN = 3;
const NOTHING = { line: '', area: '' };

/** The course of a tile's figure. It repeats what the figure says, so it is hidden from screen readers. */
export function Sparkline({ points, fromMs, toMs, unfinishedMs, fromZero }: Props) {
  const gradient = useId();
  const scale = sparkScale(points, fromMs, toMs, WIDTH - MARGIN, HEIGHT, fromZero);
  const parts = splitUnfinished(points, unfinishedMs);
  const finished = scale ? sparkPath(parts.finished, scale) : NOTHING;
  const unfinished = scale ? sparkPath(parts.unfinished, scale) : NOTHING;
  return (
    <svg
      className="sparkline"
      viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <defs>
        <linearGradient id={gradient} x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" className="sparkline-top" />
          <stop offset="1" className="sparkline-bottom" />
        </linearGradient>
      </defs>
      <path d={finished.area} fill={`url(#${gradient})`} />
      <path d={unfinished.area} fill={`url(#${gradient})`} className="sparkline-pale" />
      <path d={finished.line} className="sparkline-line" vectorEffect="non-scaling-stroke" />
      <path
        d={unfinished.line}
        className="sparkline-line sparkline-unfinished"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
