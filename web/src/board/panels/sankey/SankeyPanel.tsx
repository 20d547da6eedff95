import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useRef, useState } from 'react';
import type { Metric, SankeyDefinition } from '../../../api/types';
import { seriesVariable } from '../../../charts/colors';
import { isSum } from '../../../charts/shape';
import { figureText, isComparable } from '../../../format/units';
import { useSpeech } from '../../../i18n/hooks';
import { usePaced, useSeen } from '../../../live/hooks';
import { drillSearch } from '../../drill';
import { UnknownMetric } from '../../UnknownMetric';
import { appliedTo } from '../../view';
import { AsTable } from '../AsTable';
import { askAll, figuresQuery, pulsesOf } from '../asked';
import type { PanelProps } from '../DefinedPanel';
import { PanelFrame } from '../PanelFrame';
import { shareOf } from '../table/rows';
import { panelTexts } from '../texts';
import { useWidth } from '../useWidth';
import { type Flow, type FlowNode, flowOf, keptValues } from './flow';
import { layoutOf, type PlacedLink } from './layout';
import './sankey.css';

export const TOP_DEFAULT = 6;
/** Two calls of several questions each. */
const PACE_MS = 10_000;
/** As many values as are ranked; the largest of them are kept. */
const VALUES_MAX = 100;
/** All pairs of twenty kept values. */
const PAIRS_MAX = 400;

/** How a sum flows through dimensions in order. */
export function SankeyPanel({ panel, metrics, view }: PanelProps<SankeyDefinition>) {
  const metric = metrics.get(panel.metric);
  if (!metric) return <UnknownMetric title={panel.title} name={panel.metric} width={panel.width} isChart />;
  return <Sankey panel={panel} metric={metric} view={view} />;
}

interface Props {
  panel: SankeyDefinition;
  metric: Metric;
  view: PanelProps['view'];
}

function Sankey({ panel, metric, view }: Props) {
  const t = panelTexts.use();
  const speech = useSpeech();
  const { locale } = speech;
  const { range, filters } = view;
  const { by } = panel;
  const { kind, unit } = metric;
  const top = panel.top ?? TOP_DEFAULT;
  const applied = useMemo(() => appliedTo([metric], panel.where, filters), [metric, panel.where, filters]);
  const { where } = applied;
  const { ref, isSeen } = useSeen<HTMLElement>();
  const ask = async (signal: AbortSignal): Promise<Flow> => {
    const [whole, ...totals] = await askAll(
      [
        figuresQuery(metric, range, [], where),
        ...by.map((one) => figuresQuery(metric, range, [one], where, VALUES_MAX)),
      ],
      signal,
    );
    if (!whole) throw new Error('an answer is missing');
    const kept = totals.map((document, i) => keptValues(document, by[i] ?? '', top, kind));
    const hasFlow = kept.every((values) => values.length > 0);
    const pairs = hasFlow
      ? await askAll(
          by.slice(1).map((to, i) => {
            const from = by[i] ?? '';
            const of = (place: number) => (kept[place] ?? []).map(({ value }) => value ?? '');
            const beside = { ...where, [from]: of(i), [to]: of(i + 1) };
            return figuresQuery(metric, range, [from, to], beside, PAIRS_MAX);
          }),
          signal,
        )
      : [];
    return flowOf({ whole, by, totals, pairs, kept, kind });
  };
  const isAdditive = isSum(kind) && isComparable(unit);
  const answer = usePaced(ask, {
    pulses: pulsesOf([metric], range),
    key: JSON.stringify([metric.name, by, where, range, top]),
    paceMs: PACE_MS,
    isSeen: isSeen && isAdditive && applied.excluded === null,
  });
  const flow = answer.data;
  const nameOf = (node: FlowNode) => (node.isOther ? speech.t('slice.other') : speech.sliceValue(node.value));
  const path = by.map(speech.dimension).join(' → ');
  const title = speech.titled(panel.title, metric.name, `${speech.metric(metric.name)}: ${path}`);
  const rangeText = speech.t(`range.last.${range}`);
  const drillTo = (node: FlowNode | null) =>
    drillSearch({
      metric,
      range,
      where,
      by: node ? by.slice(Math.max(0, node.column - 1)) : by,
      slice: node && !node.isOther ? { [by[node.column] ?? '']: node.value } : {},
    });
  const partText = (figure: FlowNode['figure']) =>
    figureText(shareOf(figure, flow?.whole ?? null), 'percent', locale);
  return (
    <PanelFrame
      kind="sankey"
      title={title}
      hint={metric.description}
      note={rangeText}
      width={panel.width}
      own={panel.where}
      applied={applied}
      drill={drillTo(null)}
      frameRef={ref}
      data={{ 'data-metric': metric.name, 'data-updated-at': answer.receivedAtMs ?? '' }}
      error={answer.error}
      onRetry={answer.retry}
      empty={
        isAdditive
          ? flow !== null && flow.links.length === 0 && speech.t('chart.empty', { range: rangeText })
          : t(isSum(kind) ? 'currencies' : 'sankey.notSum')
      }
    >
      {flow ? (
        <>
          <div className="sankey-heads" aria-hidden="true">
            {by.map((one) => (
              <span key={one} className="ellipsis">
                {speech.dimension(one)}
              </span>
            ))}
          </div>
          <Drawing
            flow={flow}
            nameOf={nameOf}
            drillTo={drillTo}
            figureOf={(figure) => `${figureText(figure, unit, locale)} (${partText(figure)})`}
          />
          <p className="panel-said">
            {t('sankey.note', { top })}
            {flow.hasNegative && ` ${t('sankey.negative')}`}
          </p>
          <AsTable
            caption={title}
            heads={[t('sankey.from'), t('sankey.to'), speech.metric(metric.name), t('table.share')]}
            rows={() => {
              const nodes = new Map(flow.columns.flat().map((node) => [node.key, node]));
              const said = (key: string) => {
                const node = nodes.get(key);
                return node ? `${speech.dimension(by[node.column] ?? '')}: ${nameOf(node)}` : '';
              };
              return flow.links.map(({ from, to, figure }) => [
                said(from),
                said(to),
                figureText(figure, unit, locale),
                partText(figure),
              ]);
            }}
          />
        </>
      ) : null}
    </PanelFrame>
  );
}

interface DrawingProps {
  flow: Flow;
  nameOf: (node: FlowNode) => string;
  drillTo: (node: FlowNode | null) => Record<string, string>;
  /** A figure and the part that it is of the whole. */
  figureOf: (figure: FlowNode['figure']) => string;
}

/** What it needs in rem, since names grow with the screen: all of the flow, and a line for each name. */
const ROOM_REM = { flowHeight: 12, gap: 1.3, nodeWidth: 0.65, beside: 0.4 };

function roomIn(width: number) {
  const remPx = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
  const { flowHeight, gap, nodeWidth, beside } = ROOM_REM;
  return {
    width: Math.max(width, 1),
    flowHeight: Math.max(flowHeight * remPx, width * 0.14),
    gap: gap * remPx,
    nodeWidth: nodeWidth * remPx,
    beside: beside * remPx,
  };
}

/** Ribbons in SVG, and names over them in HTML, where long ones end in dots and links are links. */
function Drawing({ flow, nameOf, drillTo, figureOf }: DrawingProps) {
  const t = panelTexts.use();
  const navigate = useNavigate();
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [pointed, setPointed] = useState<PlacedLink | FlowNode | null>(null);
  const columns = flow.columns.length;
  // The last column has its names on its left, so that nothing sticks out.
  const space = useMemo(() => roomIn(width), [width]);
  const layout = useMemo(() => layoutOf(flow, space), [flow, space]);
  const room = Math.max(40, width / Math.max(1, columns - 1) - space.nodeWidth - 2 * space.beside);
  const colorOf = (node: FlowNode) =>
    node.isOther
      ? 'var(--series-other)'
      : `var(${seriesVariable((flow.columns[node.column] ?? []).indexOf(node))})`;
  const touches = ({ link }: PlacedLink) => {
    if (pointed === null) return true;
    if ('link' in pointed) return pointed.link.from === link.from && pointed.link.to === link.to;
    return link.from === pointed.key || link.to === pointed.key;
  };
  const said =
    pointed === null
      ? t('sankey.hint')
      : 'link' in pointed
        ? `${nameOf(pointed.source)} → ${nameOf(pointed.target)}: ${figureOf(pointed.link.figure)}`
        : `${nameOf(pointed)}: ${figureOf(pointed.figure)}`;
  return (
    <>
      <div
        className="sankey"
        ref={box}
        style={{ height: layout.height }}
        onPointerLeave={() => setPointed(null)}
      >
        {width > 0 && (
          <>
            <svg
              width={width}
              height={layout.height}
              viewBox={`0 0 ${width} ${layout.height}`}
              aria-hidden="true"
              focusable="false"
            >
              {layout.links.map((placed) => (
                // biome-ignore lint/a11y/noStaticElementInteractions: names are links for the keyboard, and the table has each flow
                <path
                  key={`${placed.link.from} ${placed.link.to}`}
                  className="sankey-link"
                  d={placed.path}
                  data-testid="sankey-link"
                  data-pale={!touches(placed) || undefined}
                  style={{ fill: colorOf(placed.source) }}
                  onPointerEnter={() => setPointed(placed)}
                  onClick={() => void navigate({ to: '/explore', search: drillTo(placed.source) })}
                />
              ))}
              {layout.nodes.map(({ node, x, y, height }) => (
                <rect
                  key={node.key}
                  x={x}
                  y={y}
                  width={space.nodeWidth}
                  height={height}
                  rx={2}
                  style={{ fill: colorOf(node) }}
                />
              ))}
            </svg>
            {layout.nodes.map(({ node, x, y, height }) => {
              const isLast = node.column === columns - 1;
              const side = isLast
                ? { right: width - x + space.beside, textAlign: 'right' as const }
                : { left: x + space.nodeWidth + space.beside };
              return (
                <Link
                  key={node.key}
                  to="/explore"
                  search={drillTo(node)}
                  className="sankey-name"
                  data-testid="sankey-node"
                  data-column={node.column}
                  data-other={node.isOther || undefined}
                  data-value={node.figure}
                  title={`${nameOf(node)}: ${figureOf(node.figure)}`}
                  style={{
                    top: y + height / 2,
                    maxWidth: room * (node.column >= columns - 2 ? 0.5 : 1),
                    ...side,
                  }}
                  onPointerEnter={() => setPointed(node)}
                  onFocus={() => setPointed(node)}
                  onBlur={() => setPointed(null)}
                >
                  {nameOf(node)}
                  <span className="visually-hidden">: {figureOf(node.figure)}</span>
                </Link>
              );
            })}
          </>
        )}
      </div>
      <p className="panel-readout" role="status">
        {said}
      </p>
    </>
  );
}
