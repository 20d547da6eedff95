import type { Incident } from '../api/types';
import type { Draft } from './draft';
import type { BacktestRun, Monitor } from './types';

/** Keys of a definition that a server may not tell, as they are written. */
export const untellable = [
  'description',
  'direction',
  'for',
  'resolve_after',
  'impact',
  'owner',
  'calendar',
] as const;
export type Untellable = (typeof untellable)[number];

/** Which way is bad unless a definition says so. */
export function directionUnlessTold({ detect }: Pick<Monitor, 'detect'>): string {
  const { above, below } = detect.threshold ?? {};
  const hasAbove = above !== null && above !== undefined;
  const hasBelow = below !== null && below !== undefined;
  if (!detect.threshold || hasAbove === hasBelow) return 'both';
  return hasAbove ? 'up' : 'down';
}

/** Whether the server tells all of a definition: what is absent then is not there. */
function tellsAll(monitor: Monitor): boolean {
  return monitor.early !== undefined;
}

/** What a back-test and its incidents tell of a monitor beyond what `/v1/monitors` does. */
export function learnedOf(
  monitor: Monitor,
  run: BacktestRun | null,
  incidents: readonly Incident[],
): Partial<Pick<Draft, Untellable>> {
  const learned: Partial<Pick<Draft, Untellable>> = {};
  if (monitor.direction === undefined && run)
    learned.direction = run.direction === directionUnlessTold(run) ? '' : run.direction;
  if (tellsAll(monitor)) return learned;
  // The newest incident was opened by the definition that is most like the present one.
  const newest = incidents
    .filter((incident) => incident.monitor === monitor.name)
    .sort((a, b) => Date.parse(b.opened_at) - Date.parse(a.opened_at))[0];
  if (monitor.owner === undefined && newest?.owner) learned.owner = newest.owner;
  if (monitor.impact === undefined && newest?.impact) learned.impact = newest.impact.metric;
  return learned;
}

/** Keys of which nothing is known: neither the server tells them, nor was anything learned of them. */
export function untoldKeys(monitor: Monitor, learned: Partial<Pick<Draft, Untellable>>): Untellable[] {
  if (tellsAll(monitor)) return [];
  return untellable.filter((key) => monitor[key] === undefined && learned[key] === undefined);
}
