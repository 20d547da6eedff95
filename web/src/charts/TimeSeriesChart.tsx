import type { EChartsType } from 'echarts/core';
import {
  type KeyboardEvent,
  type PointerEvent,
  type RefObject,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { Marks } from '../annotations/Marks';
import type { Mark } from '../annotations/near';
import { useSpeech } from '../i18n/hooks';
import { useSeen } from '../live/hooks';
import { BRUSH_FROM_PX, momentAt, type Stretch, stretchOf } from './brush';
import { useChartColors } from './colors';
import { init } from './echarts';
import { Flags } from './Flags';
import type { Marker } from './markers';
import { type ChartView, chartOption, type DrawnSeries, type TypeSetting } from './option';
import { PacedDrawing } from './pace';
import { Readout } from './Readout';

interface Props extends ChartView {
  label: string;
  stepMs: number;
  /** What only moves on is drawn at a measured pace, and in sight only; anything else at once. */
  isPaced?: boolean | undefined;
  markers: Marker[];
  /** What was noted within the window. */
  marks?: readonly Mark[] | undefined;
  leadTo?: 'list' | 'page' | undefined;
  ghostLabel?: string | undefined;
  /** The courses of the earlier time that the readout tells of, where those are more than are drawn. */
  told?: readonly DrawnSeries[] | undefined;
  /** Somebody has chosen a stretch of time, by pointer or by Shift and the arrow keys. */
  onStretch?: ((stretch: Stretch) => void) | undefined;
  /** Somebody has chosen one step, by a click or by Enter; a click is at a value, too. */
  onPick?: ((atMs: number, value: number | null) => void) | undefined;
  /** Filled with a way to get what is drawn as a picture. */
  snapshot?: RefObject<Snapshot | null> | undefined;
}

interface Plot {
  leftPx: number;
  rightPx: number;
}

/** What is on the canvas, and where on it a moment lies, both in CSS pixels times `ratio`. */
export type Snapshot = (ratio: number) => { canvas: HTMLCanvasElement; toPx: (atMs: number) => number };

/** A time series with a crosshair that pointer and arrow keys move. */
export default function TimeSeriesChart(props: Props) {
  const {
    label,
    stepMs,
    isPaced,
    markers,
    marks,
    leadTo,
    ghostLabel,
    told,
    onStretch,
    onPick,
    snapshot,
    ...view
  } = props;
  const { ref: canvas, isSeen } = useSeen<HTMLDivElement>();
  const chart = useRef<EChartsType | null>(null);
  const [plot, setPlot] = useState<Plot | null>(null);
  const [cursorMs, setCursorMs] = useState<number | null>(null);
  /** Where the pointer went down, and whether the cursor stood on that step before. */
  const press = useRef<{ x: number; atMs: number; wasOn: boolean } | null>(null);
  /** The other end of the stretch that is being chosen; the cursor is this one. */
  const [anchorMs, setAnchorMs] = useState<number | null>(null);
  const [sizeTick, setSizeTick] = useState(0);
  const [drawing] = useState(() => new PacedDrawing());
  const colors = useChartColors();
  const { language } = useSpeech();

  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const instance = init(element);
    chart.current = instance;
    const observer = new ResizeObserver(() => {
      instance.resize();
      setSizeTick((tick) => tick + 1);
    });
    observer.observe(element);
    // On paper everything is in sight.
    const onPrint = () => drawing.flush();
    window.addEventListener('beforeprint', onPrint);
    return () => {
      window.removeEventListener('beforeprint', onPrint);
      observer.disconnect();
      drawing.stop();
      instance.dispose();
      chart.current = null;
    };
  }, [canvas, drawing]);
  useEffect(() => drawing.see(isSeen), [drawing, isSeen]);

  const { series, fromMs, toMs, unfinishedMs, unit, stacked, fromZero, outlook, levels, locale, zone } = view;
  const { ghosts, barMs } = view;
  useEffect(() => {
    const instance = chart.current;
    if (!instance) return;
    const shown = {
      series,
      fromMs,
      toMs,
      unfinishedMs,
      unit,
      stacked,
      fromZero,
      outlook,
      levels,
      locale,
      zone,
      ghosts,
      barMs,
    };
    drawing.next(isPaced ? signatureOf(shown, [language, sizeTick, colors.axis]) : null, () => {
      instance.setOption(chartOption(shown, colors, typeSetting()), { replaceMerge: ['series'] });
      const leftPx = Number(instance.convertToPixel({ xAxisIndex: 0 }, fromMs));
      const rightPx = Number(instance.convertToPixel({ xAxisIndex: 0 }, toMs));
      setPlot((old) => (old?.leftPx === leftPx && old.rightPx === rightPx ? old : { leftPx, rightPx }));
    });
  }, [
    series,
    fromMs,
    toMs,
    unfinishedMs,
    unit,
    stacked,
    fromZero,
    outlook,
    levels,
    ghosts,
    barMs,
    locale,
    zone,
    colors,
    sizeTick,
    language,
    isPaced,
    drawing,
  ]);

  const times = useMemo(() => {
    const all = new Set<number>();
    for (const one of series) for (const [at] of one.points) if (at >= fromMs && at <= toMs) all.add(at);
    for (const { atMs } of outlook) if (atMs <= toMs) all.add(atMs);
    return [...all].sort((a, b) => a - b);
  }, [series, outlook, fromMs, toMs]);

  // A bar stands in the middle of its step, and what points at it does too.
  const centreMs = (barMs ?? 0) / 2;
  const underPointer = (event: PointerEvent<HTMLDivElement>): { x: number; atMs: number } | null => {
    if (!plot || plot.rightPx <= plot.leftPx) return null;
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
    const atMs = nearest(times, momentAt(x, plot, fromMs, toMs) - centreMs);
    return atMs === null ? null : { x, atMs };
  };
  const valueUnder = (event: PointerEvent<HTMLDivElement>): number | null => {
    const y = event.clientY - event.currentTarget.getBoundingClientRect().top;
    const value = Number(chart.current?.convertFromPixel({ yAxisIndex: 0 }, y));
    return Number.isFinite(value) ? value : null;
  };
  const onMove = (event: PointerEvent<HTMLDivElement>) => {
    const found = underPointer(event);
    if (!found) return;
    setCursorMs(found.atMs);
    const start = press.current;
    // A finger that moves reads values; a mouse that is pressed chooses a stretch.
    if (!start || !onStretch || event.pointerType === 'touch') return;
    if (Math.abs(found.x - start.x) >= BRUSH_FROM_PX) setAnchorMs(start.atMs);
  };
  const onDown = (event: PointerEvent<HTMLDivElement>) => {
    const found = underPointer(event);
    if (!found) return;
    press.current = null;
    // A flag is a link of its own.
    const isLink = event.target instanceof Element && event.target.closest('a') !== null;
    if (event.button === 0 && !isLink && (onStretch || onPick)) {
      press.current = { ...found, wasOn: cursorMs === found.atMs };
      if (event.pointerType !== 'touch') event.currentTarget.setPointerCapture(event.pointerId);
    }
    setAnchorMs(null);
    setCursorMs(found.atMs);
  };
  const onUp = (event: PointerEvent<HTMLDivElement>) => {
    const start = press.current;
    press.current = null;
    const found = underPointer(event);
    if (!start || !found) return;
    const isTouch = event.pointerType === 'touch';
    const isClick = Math.abs(found.x - start.x) < BRUSH_FROM_PX;
    setAnchorMs(null);
    if (!isClick && !isTouch) onStretch?.(stretchOf(start.atMs, found.atMs, stepMs));
    // Who has come back to where they began has changed their mind. The first touch of a step reads it, the second chooses it.
    else if (isClick && anchorMs === null && (!isTouch || start.wasOn))
      onPick?.(start.atMs, valueUnder(event));
  };
  const leave = () => {
    if (press.current) return;
    setCursorMs(null);
    setAnchorMs(null);
  };
  // Where a second touch chooses, the first must leave something to choose.
  const onLeave = (event: PointerEvent<HTMLDivElement>) => {
    if (!(onPick && event.pointerType === 'touch')) leave();
  };
  const onKey = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.target !== event.currentTarget) return;
    if (event.key === 'Enter' && cursorMs !== null && (onPick || onStretch)) {
      event.preventDefault();
      if (anchorMs !== null && anchorMs !== cursorMs) onStretch?.(stretchOf(anchorMs, cursorMs, stepMs));
      else onPick?.(cursorMs, null);
      setAnchorMs(null);
      return;
    }
    const target = keyTarget(event.key, times, cursorMs);
    if (target === undefined) return;
    event.preventDefault();
    setAnchorMs(event.shiftKey && onStretch && target !== null ? (anchorMs ?? cursorMs ?? target) : null);
    setCursorMs(target);
  };

  // A cursor whose bucket has slid out of the window is gone.
  const shownMs =
    cursorMs !== null && cursorMs >= fromMs && times.length > 0 ? nearest(times, cursorMs) : null;
  const toPx = (at: number) =>
    plot
      ? plot.leftPx +
        ((Math.min(Math.max(at, fromMs), toMs) - fromMs) / (toMs - fromMs)) * (plot.rightPx - plot.leftPx)
      : 0;

  useEffect(() => {
    const instance = chart.current;
    if (!snapshot || !instance || !plot) return;
    snapshot.current = (ratio) => {
      drawing.flush();
      const perMs = (plot.rightPx - plot.leftPx) / (toMs - fromMs);
      const canvas = instance.renderToCanvas({ pixelRatio: ratio });
      return { canvas, toPx: (at) => (plot.leftPx + (at - fromMs) * perMs) * ratio };
    };
    return () => {
      snapshot.current = null;
    };
  }, [snapshot, plot, fromMs, toMs, drawing]);

  return (
    <div
      className="chart"
      data-picks={onPick !== undefined || undefined}
      role="application"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move the crosshair
      tabIndex={0}
      onPointerMove={onMove}
      onPointerDown={onDown}
      onPointerUp={onUp}
      onPointerCancel={() => {
        press.current = null;
        setAnchorMs(null);
      }}
      onPointerLeave={onLeave}
      onBlur={leave}
      onKeyDown={onKey}
    >
      <div className="chart-canvas" ref={canvas} />
      {plot && anchorMs !== null && cursorMs !== null && (
        <Brush stretch={stretchOf(anchorMs, cursorMs, stepMs)} toPx={toPx} />
      )}
      {plot && marks && <Marks marks={marks} plot={plot} toPx={toPx} />}
      {plot && <Flags markers={markers} toPx={toPx} leadTo={leadTo} />}
      {plot && shownMs !== null && (
        <Readout
          atMs={shownMs}
          stepMs={stepMs}
          isUnfinished={shownMs >= unfinishedMs}
          series={series}
          expected={outlook.find(({ atMs }) => atMs === shownMs)}
          levels={levels?.filter((level) => shownMs >= level.fromMs && shownMs <= level.toMs)}
          ghosts={told ?? ghosts}
          ghostLabel={ghostLabel}
          unit={unit}
          stacked={stacked}
          leftPx={toPx(shownMs + centreMs)}
          onRight={toPx(shownMs + centreMs) > (plot.leftPx + plot.rightPx) / 2}
        />
      )}
    </div>
  );
}

function Brush({ stretch, toPx }: { stretch: Stretch; toPx: (atMs: number) => number }) {
  const left = toPx(stretch.fromMs);
  return <div className="brush" style={{ left, width: Math.max(1, toPx(stretch.toMs) - left) }} />;
}

/** What is the same as long as a chart only moves on. */
function signatureOf(view: ChartView, rest: readonly unknown[]): string {
  const looks = (series: readonly DrawnSeries[] = []) =>
    series.map(({ key, color, faded }) => [key, color, faded]);
  const { unit, stacked, fromZero, barMs, locale, zone, fromMs, toMs } = view;
  const lasting = [unit, stacked, fromZero, barMs, locale, zone];
  return JSON.stringify([
    ...lasting,
    // A window that slides stays as long as it is; what is forecast ends at a step.
    view.outlook.length === 0 ? toMs - fromMs : view.outlook.length,
    looks(view.series),
    looks(view.ghosts),
    rest,
  ]);
}

function typeSetting(): TypeSetting {
  const remPx = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
  return { remPx, family: getComputedStyle(document.body).fontFamily };
}

function nearest(times: number[], at: number): number | null {
  let best: number | null = null;
  for (const time of times) if (best === null || Math.abs(time - at) < Math.abs(best - at)) best = time;
  return best;
}

function keyTarget(key: string, times: number[], cursor: number | null): number | null | undefined {
  const index = cursor === null ? times.length : times.indexOf(cursor);
  if (key === 'ArrowLeft') return times[Math.max(0, index - 1)] ?? null;
  if (key === 'ArrowRight') return times[Math.min(times.length - 1, index + 1)] ?? null;
  if (key === 'Home') return times[0] ?? null;
  if (key === 'End') return times.at(-1) ?? null;
  if (key === 'Escape') return null;
  return undefined;
}
