import type { Figure, Incident, MetricKind } from '../api/types';
import { estimate } from '../charts/outlook';
import { isSum } from '../charts/shape';
import { toNumber } from '../format/figure';

/** What a chart of an incident is compared with, and for which time that is meant; null times are the chart's. */
export interface Comparison {
  key: 'expected' | 'bound';
  value: Figure;
  fromMs: number | null;
  toMs: number | null;
  /** Whether it is made of a figure over a longer time. */
  isScaled: boolean;
}

/**
 * The bound or the expected value as a line on a chart of `stepMs`. A sum is a figure of some stretch of time, and is drawn
 * only where it is known of which: a bound of the monitor's window, what was expected of the explained time. A line at
 * what an hour holds above points of a minute would be false.
 */
export function comparisonOf(
  incident: Pick<Incident, 'bound' | 'expected' | 'explanation' | 'slice' | 'started_at' | 'resolved_at'>,
  kind: MetricKind,
  stepMs: number,
  windowMs: number | null,
): Comparison | null {
  const { bound, expected, explanation } = incident;
  const whole = { fromMs: null, toMs: null };
  if (bound !== null && bound !== undefined) {
    if (!isSum(kind)) return { key: 'bound', value: bound, ...whole, isScaled: false };
    const value = windowMs === null ? null : scaled(bound, stepMs / windowMs);
    return value === null ? null : { key: 'bound', value, ...whole, isScaled: windowMs !== stepMs };
  }
  if (!isSum(kind)) {
    if (expected === null) return null;
    // A share is compared with the day before, anything else with what is usual at such a time alone.
    const bad = {
      fromMs: Date.parse(incident.started_at),
      toMs: incident.resolved_at === null ? null : Date.parse(incident.resolved_at),
    };
    return { key: 'expected', value: expected, ...(kind === 'rate' ? whole : bad), isScaled: false };
  }
  if (!explanation) return null;
  const [fromMs, toMs] = [Date.parse(explanation.from), Date.parse(explanation.to)];
  const ownExpected = isSame(incident.slice, {})
    ? explanation.expected
    : (explanation.parts.find(({ slice }) => isSame(slice, incident.slice))?.expected ?? null);
  const value = toMs > fromMs ? scaled(ownExpected, stepMs / (toMs - fromMs)) : null;
  return value === null ? null : { key: 'expected', value, fromMs, toMs, isScaled: true };
}

function scaled(figure: Figure | null, by: number): number | null {
  const number = toNumber(figure);
  return number === null ? null : estimate(number * by);
}

/** Whether two slices are the same, whatever the order of their dimensions. */
export function isSame(a: Record<string, string | null>, b: Record<string, string | null>): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && a[name] === b[name])
  );
}

/** The window that a monitor judges by, from its settings as defined (`{"threshold": {"window": "60s"}}`). */
export function windowMsOf(detect: unknown): number | null {
  if (typeof detect !== 'object' || detect === null) return null;
  const [settings] = Object.values(detect as Record<string, unknown>);
  if (typeof settings !== 'object' || settings === null) return null;
  const { over, window } = settings as { over?: unknown; window?: unknown };
  const match = /^(\d+)s$/.exec(String(over ?? window ?? ''));
  const seconds = Number(match?.[1] ?? 0);
  return seconds > 0 ? seconds * 1000 : null;
}
