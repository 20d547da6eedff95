import type { Incident } from '../api/types';

/**
 * Whether an incident is about what is looked at: the metric, and a slice that has something in common with the filters and
 * with one of the slices that alone are drawn. An incident of all traffic is about every slice.
 */
export function concerns(
  incident: Pick<Incident, 'metric' | 'slice'>,
  metric: string,
  where: Readonly<Record<string, readonly string[]>>,
  only: readonly Readonly<Record<string, string | null>>[],
): boolean {
  if (incident.metric !== metric) return false;
  const slice: Record<string, string | null | undefined> = incident.slice;
  const fits = (dimension: string, values: readonly (string | null)[]) => {
    const value = slice[dimension];
    return value === undefined || values.some((one) => (one ?? '') === (value ?? ''));
  };
  if (!Object.entries(where).every(([dimension, values]) => fits(dimension, values))) return false;
  const isOf = (one: Readonly<Record<string, string | null>>) =>
    Object.entries(one).every(([dimension, value]) => fits(dimension, [value]));
  return only.length === 0 || only.some(isOf);
}
