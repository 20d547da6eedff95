import type { ReactNode } from 'react';
import { Sparkline } from '../charts/Sparkline';
import { CheckIcon, SeverityIcon } from '../shell/icons';
import { COURSE_MS, counterHistory } from './counters';
import { useSay } from './say';
import type { Tone } from './signs';

/** A name with a sign whose shape and colour say how it is. */
export function ToneBadge({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className="data-badge" data-tone={tone}>
      <ToneIcon tone={tone} />
      {children}
    </span>
  );
}

export function ToneIcon({ tone }: { tone: Tone }) {
  if (tone === 'good') return <CheckIcon />;
  if (tone === 'quiet') return <span className="data-dot" aria-hidden="true" />;
  return <SeverityIcon severity={tone === 'bad' ? 'critical' : 'warning'} />;
}

interface FactsProps {
  /** What has no value is left out. */
  facts: readonly (readonly [term: string, value: ReactNode, hint?: string] | null)[];
}

export function Facts({ facts }: FactsProps) {
  return (
    <dl className="data-facts">
      {facts.map(
        (fact) =>
          fact && (
            <div key={fact[0]}>
              <dt>{fact[0]}</dt>
              <dd title={fact[2]}>{fact[1]}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

interface PanelProps {
  title: string;
  children: ReactNode;
  /** Beside the title. */
  aside?: ReactNode;
  testId?: string;
}

export function Panel({ title, aside, children, testId }: PanelProps) {
  return (
    <section className="panel data-panel" data-testid={testId}>
      <div className="data-panel-head">
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** A course that has just begun is not drawn wider than this. */
const COURSE_MIN_MS = 30_000;

interface CourseProps {
  /** A key of `counterHistory`. */
  of: string;
  atMs: number;
}

/** The rate of the last minutes. It repeats what a figure says, so it is hidden from screen readers. */
export function Course({ of, atMs }: CourseProps) {
  const points = counterHistory.course(of);
  // A line along nothing would be drawn in the middle.
  if (!points.some(([, rate]) => rate !== null && rate > 0)) return null;
  return (
    <Sparkline
      points={points}
      fromMs={atMs - Math.min(COURSE_MS, Math.max(COURSE_MIN_MS, counterHistory.watchedMs(of)))}
      toMs={atMs}
      unfinishedMs={Number.POSITIVE_INFINITY}
      fromZero
    />
  );
}

export interface MeterPart {
  name: string;
  bytes: number;
  /** Beside the figure. */
  note?: string | null;
}

interface MeterProps {
  label: string;
  parts: readonly MeterPart[];
  /** What the whole bar stands for. */
  max: number;
}

/** Parts of a whole: a bar to see them and a list to read them. */
export function Meter({ label, parts, max }: MeterProps) {
  const say = useSay();
  const whole = Math.max(max, 1);
  return (
    <div>
      <svg
        className="data-meter"
        viewBox="0 0 100 4"
        preserveAspectRatio="none"
        role="img"
        aria-label={label}
      >
        <rect width="100" height="4" className="data-meter-ground" />
        {parts.map((part, i) => {
          const before = parts.slice(0, i).reduce((sum, { bytes }) => sum + bytes, 0);
          const x = (before / whole) * 100;
          const width = (part.bytes / whole) * 100;
          return <rect key={part.name} x={x} width={width} height="4" className={`data-fill-${i % 8}`} />;
        })}
      </svg>
      <ul className="data-legend">
        {parts.map((part, i) => (
          <li key={part.name}>
            <svg className="data-swatch" viewBox="0 0 1 1" aria-hidden="true">
              <rect width="1" height="1" className={`data-fill-${i % 8}`} />
            </svg>
            <span>{part.name}</span>
            <span className="data-figure">{say.bytes(part.bytes)}</span>
            {part.note && <span className="data-legend-note">{part.note}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** How far something is. Without a share it only says that it goes on. */
export function Progress({ label, share }: { label: string; share: number | null }) {
  return (
    <progress
      className="data-progress"
      aria-label={label}
      max={1}
      {...(share === null ? {} : { value: share })}
    />
  );
}
