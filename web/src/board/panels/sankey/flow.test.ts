import { describe, expect, it } from 'vitest';
import type { Figure, SeriesDocument } from '../../../api/types';
import { sumFigures } from '../../../format/decimal';
import { toNumber } from '../../../format/figure';
import { flowOf, keptValues, nodeKey } from './flow';
import { layoutOf } from './layout';

type Slice = [Record<string, string | null>, Figure];

function totals(by: string[], slices: Slice[]): SeriesDocument {
  return {
    metric: 'm',
    unit: 'EUR',
    from: 0,
    to: 10,
    step_ms: 10,
    by,
    watermark: 10,
    truncated: false,
    series: slices.map(([values, figure]) => ({ by: values, points: [[0, figure]] })),
  };
}

/** All combinations of a small world, from which every answer of the server is computed. */
const world: { method: string | null; psp: string; outcome: string; amount: number }[] = [];
for (const [m, method] of ['card', 'ideal', 'paypal', null].entries())
  for (const [p, psp] of ['adyen', 'stripe', 'other_one', '__other__'].entries())
    for (const [o, outcome] of ['approved', 'declined'].entries())
      world.push({ method, psp, outcome, amount: (5 - m) * (7 - p) * (3 - 2 * o) });

type Dimension = 'method' | 'psp' | 'outcome';

function asked(by: Dimension[], where: Partial<Record<Dimension, (string | null)[]>> = {}): SeriesDocument {
  const sums = new Map<string, Slice>();
  for (const one of world) {
    if (!Object.entries(where).every(([name, values]) => values.includes(one[name as Dimension]))) continue;
    const slice = Object.fromEntries(by.map((name) => [name, one[name]]));
    const key = JSON.stringify(slice);
    sums.set(key, [slice, Number(sums.get(key)?.[1] ?? 0) + one.amount]);
  }
  return totals(
    by,
    by.length === 0 ? [[{}, world.reduce((sum, { amount }) => sum + amount, 0)]] : [...sums.values()],
  );
}

const by: Dimension[] = ['method', 'psp', 'outcome'];

function flow(top: number) {
  const all = by.map((dimension) => asked([dimension]));
  const kept = all.map((document, i) => keptValues(document, by[i] ?? '', top, 'amount'));
  const pairs = by.slice(1).map((to, i) => {
    const from = by[i] ?? 'method';
    const of = (place: number) => (kept[place] ?? []).map(({ value }) => value);
    return asked([from, to], { [from]: of(i), [to]: of(i + 1) });
  });
  return flowOf({ whole: asked([]), by, totals: all, pairs, kept, kind: 'amount' });
}

describe('a flow', () => {
  it('keeps the largest values, and none that the cube has put together', () => {
    const kept = keptValues(asked(['psp']), 'psp', 6, 'amount');
    expect(kept.map(({ value }) => value)).toEqual(['adyen', 'stripe', 'other_one']);
    expect(keptValues(asked(['method']), 'method', 2, 'amount').map(({ value }) => value)).toEqual([
      'card',
      'ideal',
    ]);
  });

  it.each([1, 2, 3, 20])('is conserved at every value with the %i largest kept', (top) => {
    const { columns, links, whole } = flow(top);
    for (const column of columns) expect(sumFigures(column.map(({ figure }) => figure))).toBe(whole);
    for (const node of columns.flat()) {
      const come = links.filter(({ to }) => to === node.key).map(({ figure }) => figure);
      const gone = links.filter(({ from }) => from === node.key).map(({ figure }) => figure);
      if (node.column > 0) expect(sumFigures(come), `to ${node.key}`).toBe(node.figure);
      if (node.column < columns.length - 1) expect(sumFigures(gone), `from ${node.key}`).toBe(node.figure);
    }
  });

  it('knows what goes between kept values from the combinations', () => {
    const { links } = flow(2);
    const expected = world
      .filter(({ method, psp }) => method === 'card' && psp === 'stripe')
      .reduce((sum, { amount }) => sum + amount, 0);
    const found = links.find(({ from, to }) => from === nodeKey(0, 'card') && to === nodeKey(1, 'stripe'));
    expect(found?.figure).toBe(expected);
  });

  it('takes a value that is missing for a value, and none for what another is called', () => {
    const { columns } = flow(20);
    expect(columns[0]?.map(({ value, isOther }) => [value, isOther])).toEqual([
      ['card', false],
      ['ideal', false],
      ['paypal', false],
      [null, false],
    ]);
    expect(nodeKey(0, 'other')).not.toBe(columns[1]?.find(({ isOther }) => isOther)?.key);
    expect(nodeKey(0, 'null')).not.toBe(nodeKey(0, null));
  });

  it('is exact in decimals', () => {
    const whole = totals([], [[{}, '0.30']]);
    const a = totals(['a'], [[{ a: 'x' }, '0.10']]);
    const b = totals(['b'], [[{ b: 'y' }, '0.20']]);
    const pair = totals(['a', 'b'], [[{ a: 'x', b: 'y' }, '0.10']]);
    const kept = [keptValues(a, 'a', 6, 'amount'), keptValues(b, 'b', 6, 'amount')];
    const { columns, links } = flowOf({
      whole,
      by: ['a', 'b'],
      totals: [a, b],
      pairs: [pair],
      kept,
      kind: 'amount',
    });
    expect(columns.map((column) => column.map(({ figure }) => figure))).toEqual([
      ['0.10', '0.20'],
      ['0.20', '0.10'],
    ]);
    expect(links.map(({ figure }) => figure)).toEqual(['0.10', '0.10', '0.10']);
  });

  it('never carries more from the others than they are, however its answers differ', () => {
    const whole = totals([], [[{}, 10]]);
    const a = totals(['a'], [[{ a: 'x' }, 9]]);
    const b = totals(
      ['b'],
      [
        [{ b: 'y' }, 6],
        [{ b: 'z' }, 4],
      ],
    );
    const kept = [keptValues(a, 'a', 6, 'count'), keptValues(b, 'b', 6, 'count')];
    const pairs = [totals(['a', 'b'], [])];
    const { links } = flowOf({ whole, by: ['a', 'b'], totals: [a, b], pairs, kept, kind: 'count' });
    expect(links.map(({ figure }) => figure)).toEqual([1]);
  });

  it('leaves out what is negative, and says so', () => {
    const a = totals(
      ['a'],
      [
        [{ a: 'x' }, 5],
        [{ a: 'refund' }, -2],
      ],
    );
    const kept = [keptValues(a, 'a', 6, 'amount')];
    const found = flowOf({
      whole: totals([], [[{}, 3]]),
      by: ['a'],
      totals: [a],
      pairs: [],
      kept,
      kind: 'amount',
    });
    expect(found.hasNegative).toBe(true);
    expect(found.columns[0]).toHaveLength(1);
  });
});

describe('the drawing of a flow', () => {
  const room = { width: 600, flowHeight: 200, gap: 20, nodeWidth: 10 };
  const found = flow(2);
  const layout = layoutOf(found, room);

  it('has its columns from edge to edge', () => {
    expect([...new Set(layout.nodes.map(({ x }) => x))]).toEqual([0, 295, 590]);
  });

  it('has heights by figures, and room for each name', () => {
    const whole = toNumber(found.whole) ?? 1;
    for (const { node, height } of layout.nodes)
      expect(height).toBeCloseTo(((toNumber(node.figure) ?? 0) / whole) * 200);
    for (const column of [0, 1, 2]) {
      const nodes = layout.nodes.filter(({ node }) => node.column === column);
      for (const [i, one] of nodes.entries()) {
        const next = nodes[i + 1];
        if (next) expect(next.y - (one.y + one.height)).toBeCloseTo(20);
      }
    }
  });

  it('has a ribbon for each link, and none where nothing is', () => {
    expect(layout.links).toHaveLength(found.links.length);
    expect(layoutOf({ ...found, whole: 0, columns: [], links: [] }, room)).toMatchObject({
      nodes: [],
      links: [],
    });
  });
});
