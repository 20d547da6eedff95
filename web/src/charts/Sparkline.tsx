import { useId } from 'react';
import { type DrawnPoint, sparkPath } from './shape';

interface Props {
  points: readonly DrawnPoint[];
  fromMs: number;
  toMs: number;
  /** Sums start at zero; rates show their own spread. */
  fromZero: boolean;
}

const WIDTH = 240;
const HEIGHT = 36;

/** The course of a tile's figure. It repeats what the figure says, so it is hidden from screen readers. */
export function Sparkline({ points, fromMs, toMs, fromZero }: Props) {
  const gradient = useId();
  const { line, area } = sparkPath(points, fromMs, toMs, WIDTH, HEIGHT, fromZero);
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
      <path d={area} fill={`url(#${gradient})`} />
      <path d={line} className="sparkline-line" vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
