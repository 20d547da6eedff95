import type { Metric } from '../api/types';
import { BY_MAX, type Comparison, type Drawing, readState, type Span, writeState } from '../explore/state';
import type { Range } from '../state/range';
import type { Filters } from '../state/where';

/** A place on a board that leads to the page where it can be looked into. */
export interface Drill {
  metric: Pick<Metric, 'name' | 'dimensions'>;
  range: Range;
  where: Filters;
  compare?: Comparison | null;
  drawing?: Drawing | null;
  /** The split to look at; more than the page has room for are left out. */
  by?: readonly string[];
  /** The slice that was chosen: its values become filters. */
  slice?: Readonly<Record<string, string | null>>;
  /** Another time than the board's. */
  span?: Span;
}

/** The parameters of the address of `/explore` that shows the same, with its slice. */
export function drillSearch(drill: Drill): Record<string, string> {
  const { metric, range, where, compare = null, drawing = null, by = [], slice = {}, span } = drill;
  const chosen = Object.entries(slice)
    .filter(([dimension]) => metric.dimensions.includes(dimension))
    .map(([dimension, value]): [string, string[]] => [dimension, [value ?? '']]);
  const filters = { ...where, ...Object.fromEntries(chosen) };
  return writeState({
    ...readState({}),
    metric: metric.name,
    span: span ?? { kind: 'last', range },
    where: filters,
    // What is one value is not split any more.
    by: by.filter((dimension) => !(dimension in slice)).slice(0, BY_MAX),
    compare,
    drawing,
  });
}
