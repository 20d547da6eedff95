import type { Figure, MetricKind, Series, SeriesDocument } from '../../../api/types';
import { restFigure } from '../../../charts/pick';
import { totalOf } from '../../../charts/total';
import { toNumber } from '../../../format/figure';

/** A value of a dimension, or all that are not kept of it. */
export interface FlowNode {
  key: string;
  column: number;
  /** The value; of the others there is none to filter by. */
  value: string | null;
  isOther: boolean;
  figure: Figure;
}

export interface FlowLink {
  from: string;
  to: string;
  figure: Figure;
}

export interface Flow {
  whole: Figure;
  columns: FlowNode[][];
  links: FlowLink[];
  /** Whether values that are negative are left out: nothing flows backwards. */
  hasNegative: boolean;
}

/** The values that a dimension keeps: the largest, without what the cube has already put together. */
export function keptValues(totals: SeriesDocument, dimension: string, top: number, kind: MetricKind): Kept[] {
  return totals.series
    .map((one) => ({ value: valueIn(one, dimension), figure: totalOf(one, undefined, kind) }))
    .filter((one): one is Kept => one.value !== OTHER && (toNumber(one.figure) ?? 0) > 0)
    .sort((a, b) => (toNumber(b.figure) ?? 0) - (toNumber(a.figure) ?? 0))
    .slice(0, top);
}

export interface Kept {
  value: string | null;
  figure: Figure;
}

/** What a cube puts those combinations together as that are more than it holds. */
const OTHER = '__other__';

function valueIn({ by }: Pick<Series, 'by'>, dimension: string): string | null {
  return by[dimension] ?? null;
}

interface Known {
  whole: SeriesDocument;
  by: readonly string[];
  /** Per dimension its totals. */
  totals: readonly SeriesDocument[];
  /** Per two dimensions beside each other, the kept values of both. */
  pairs: readonly SeriesDocument[];
  kept: readonly (readonly Kept[])[];
  kind: MetricKind;
}

/**
 * The flow through dimensions in order. What goes between kept values is known; what goes to and from the others is what is
 * left of each, so that as much leaves a value as comes to it.
 */
export function flowOf({ whole, by, totals, pairs, kept, kind }: Known): Flow {
  const all = totalOf(whole.series[0], undefined, kind) ?? 0;
  const columns = kept.map((values, column): FlowNode[] => {
    const nodes = values.map(({ value, figure }) => ({
      key: nodeKey(column, value),
      column,
      value,
      isOther: false,
      figure,
    }));
    const rest = restFigure(
      values.map(({ figure }) => figure),
      all,
    );
    const other = { key: otherKey(column), column, value: null, isOther: true, figure: rest };
    return isPositive(rest) ? [...nodes, other] : nodes;
  });
  const links = pairs.flatMap((pair, i) => linksOf(pair, i, by, columns, kind));
  const hasNegative = totals.some((document) =>
    document.series.some((one) => (toNumber(totalOf(one, undefined, kind)) ?? 0) < 0),
  );
  return { whole: all, columns, links, hasNegative };
}

function linksOf(
  pair: SeriesDocument,
  column: number,
  by: readonly string[],
  columns: readonly FlowNode[][],
  kind: MetricKind,
): FlowLink[] {
  const [from = '', to = ''] = [by[column], by[column + 1]];
  const known = new Map(
    pair.series.map((one) => [
      `${nodeKey(column, valueIn(one, from))} ${nodeKey(column + 1, valueIn(one, to))}`,
      totalOf(one, undefined, kind),
    ]),
  );
  const [sources, targets] = [columns[column] ?? [], columns[column + 1] ?? []];
  const links: FlowLink[] = [];
  const add = (source: FlowNode, target: FlowNode, figure: Figure | null | undefined) => {
    if (figure !== null && figure !== undefined && isPositive(figure))
      links.push({ from: source.key, to: target.key, figure });
  };
  const between = (keys: (link: FlowLink) => boolean) => links.filter(keys).map(({ figure }) => figure);
  const ofKept = (nodes: readonly FlowNode[]) => nodes.filter(({ isOther }) => !isOther);
  for (const source of ofKept(sources))
    for (const target of ofKept(targets)) add(source, target, known.get(`${source.key} ${target.key}`));
  const otherTarget = targets.find(({ isOther }) => isOther);
  const otherSource = sources.find(({ isOther }) => isOther);
  if (otherTarget)
    for (const source of ofKept(sources)) {
      const gone = between((link) => link.from === source.key);
      add(source, otherTarget, restFigure(gone, source.figure));
    }
  if (otherSource) {
    // Answers that came a moment apart may leave more than there is.
    let left = otherSource.figure;
    for (const target of ofKept(targets)) {
      const come = between((link) => link.to === target.key);
      const rest = restFigure(come, target.figure);
      const figure = (toNumber(rest) ?? 0) > (toNumber(left) ?? 0) ? left : rest;
      add(otherSource, target, figure);
      left = restFigure([figure], left);
    }
  }
  if (otherSource && otherTarget) {
    const gone = between((link) => link.from === otherSource.key);
    add(otherSource, otherTarget, restFigure(gone, otherSource.figure));
  }
  return links;
}

function isPositive(figure: Figure): boolean {
  return (toNumber(figure) ?? 0) > 0;
}

/** Values are data and may be anything: a key of one can be no key of another kind. */
export function nodeKey(column: number, value: string | null): string {
  return `${column} ${JSON.stringify(value)}`;
}

function otherKey(column: number): string {
  return `${column} other`;
}
