import { toNumber } from '../../../format/figure';
import type { Flow, FlowLink, FlowNode } from './flow';

export interface PlacedNode {
  node: FlowNode;
  x: number;
  y: number;
  height: number;
}

export interface PlacedLink {
  link: FlowLink;
  /** The outline of its ribbon. */
  path: string;
  source: FlowNode;
  target: FlowNode;
}

export interface Layout {
  height: number;
  nodes: PlacedNode[];
  links: PlacedLink[];
}

interface Room {
  width: number;
  /** How high all of it is, without gaps. */
  flowHeight: number;
  /** Between two nodes of a column, so that their names have a line each. */
  gap: number;
  nodeWidth: number;
}

/** A ribbon or a node thinner than this is not seen. */
const THIN_PX = 1;

/** Columns from left to right, in each the values from the largest to the smallest and the others last. */
export function layoutOf(flow: Flow, { width, flowHeight, gap, nodeWidth }: Room): Layout {
  const whole = toNumber(flow.whole) ?? 0;
  const scale = whole > 0 ? flowHeight / whole : 0;
  const size = (figure: FlowNode['figure']) => (toNumber(figure) ?? 0) * scale;
  const between = flow.columns.length > 1 ? (width - nodeWidth) / (flow.columns.length - 1) : 0;
  const nodes = flow.columns.flatMap((column, i): PlacedNode[] => {
    let y = gap / 2;
    return column.map((node) => {
      const placed = { node, x: i * between, y, height: Math.max(THIN_PX, size(node.figure)) };
      y += placed.height + gap;
      return placed;
    });
  });
  const places = new Map(nodes.map((placed, order) => [placed.node.key, { ...placed, order }]));
  const out = new Map<string, number>();
  const into = new Map<string, number>();
  const order = (key: string) => places.get(key)?.order ?? 0;
  const sorted = [...flow.links].sort((a, b) => order(a.from) - order(b.from) || order(a.to) - order(b.to));
  const links = sorted.flatMap((link): PlacedLink[] => {
    const [source, target] = [places.get(link.from), places.get(link.to)];
    if (!source || !target) return [];
    const thick = size(link.figure);
    const y0 = source.y + (out.get(link.from) ?? 0);
    const y1 = target.y + (into.get(link.to) ?? 0);
    out.set(link.from, (out.get(link.from) ?? 0) + thick);
    into.set(link.to, (into.get(link.to) ?? 0) + thick);
    const path = ribbon(source.x + nodeWidth, y0, target.x, y1, Math.max(THIN_PX, thick));
    return [{ link, path, source: source.node, target: target.node }];
  });
  const height = Math.max(0, ...nodes.map((one) => one.y + one.height)) + gap / 2;
  return { height, nodes, links };
}

function ribbon(x0: number, y0: number, x1: number, y1: number, thick: number): string {
  const middle = (x0 + x1) / 2;
  const at = (...numbers: number[]) => numbers.map((number) => number.toFixed(1)).join(' ');
  const there = `M${at(x0, y0)}C${at(middle, y0, middle, y1, x1, y1)}`;
  const back = `L${at(x1, y1 + thick)}C${at(middle, y1 + thick, middle, y0 + thick, x0, y0 + thick)}Z`;
  return `${there}${back}`;
}
