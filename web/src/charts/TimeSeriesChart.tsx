import type { EChartsType } from 'echarts/core';
import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from 'react';
import { useSpeech } from '../i18n/hooks';
import { useChartColors } from './colors';
import { init } from './echarts';
import { Flags } from './Flags';
import type { Marker } from './markers';
import { type ChartView, chartOption, type TypeSetting } from './option';
import { Readout } from './Readout';

interface Props extends ChartView {
  label: string;
  stepMs: number;
  markers: Marker[];
}

interface Plot {
  leftPx: number;
  rightPx: number;
}

/** A time series with a crosshair that pointer and arrow keys move. */
export default function TimeSeriesChart({ label, stepMs, markers, ...view }: Props) {
  const canvas = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const [plot, setPlot] = useState<Plot | null>(null);
  const [cursorMs, setCursorMs] = useState<number | null>(null);
  const [sizeTick, setSizeTick] = useState(0);
  const colors = useChartColors();
  const { language } = useSpeech();

  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const instance = init(element, null, { renderer: 'canvas' });
    chart.current = instance;
    const observer = new ResizeObserver(() => {
      instance.resize();
      setSizeTick((tick) => tick + 1);
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      instance.dispose();
      chart.current = null;
    };
  }, []);

  const { series, fromMs, toMs, unfinishedMs, unit, stacked, fromZero, outlook, locale, zone } = view;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new size or language asks for a new drawing
  useEffect(() => {
    const instance = chart.current;
    if (!instance) return;
    const type = typeSetting();
    const shown = { series, fromMs, toMs, unfinishedMs, unit, stacked, fromZero, outlook, locale, zone };
    const option = chartOption(shown, colors, type);
    instance.setOption(option, { replaceMerge: ['series'] });
    const leftPx = Number(instance.convertToPixel({ xAxisIndex: 0 }, fromMs));
    const rightPx = Number(instance.convertToPixel({ xAxisIndex: 0 }, toMs));
    setPlot((old) => (old?.leftPx === leftPx && old.rightPx === rightPx ? old : { leftPx, rightPx }));
  }, [
    series,
    fromMs,
    toMs,
    unfinishedMs,
    unit,
    stacked,
    fromZero,
    outlook,
    locale,
    zone,
    colors,
    sizeTick,
    language,
  ]);

  const times = useMemo(() => {
    const all = new Set<number>();
    for (const one of series) for (const [at] of one.points) if (at >= fromMs && at <= toMs) all.add(at);
    for (const { atMs } of outlook) if (atMs <= toMs) all.add(atMs);
    return [...all].sort((a, b) => a - b);
  }, [series, outlook, fromMs, toMs]);

  const onPointer = (event: PointerEvent<HTMLDivElement>) => {
    if (!plot || plot.rightPx <= plot.leftPx) return;
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
    const at = fromMs + ((x - plot.leftPx) / (plot.rightPx - plot.leftPx)) * (toMs - fromMs);
    setCursorMs(nearest(times, at));
  };
  const onKey = (event: KeyboardEvent<HTMLDivElement>) => {
    const target = keyTarget(event.key, times, cursorMs);
    if (target === undefined) return;
    event.preventDefault();
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

  return (
    <div
      className="chart"
      role="application"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move the crosshair
      tabIndex={0}
      onPointerMove={onPointer}
      onPointerDown={onPointer}
      onPointerLeave={() => setCursorMs(null)}
      onBlur={() => setCursorMs(null)}
      onKeyDown={onKey}
    >
      <div className="chart-canvas" ref={canvas} />
      {plot && <Flags markers={markers} toPx={toPx} />}
      {plot && shownMs !== null && (
        <Readout
          atMs={shownMs}
          stepMs={stepMs}
          isUnfinished={shownMs >= unfinishedMs}
          series={series}
          expected={outlook.find(({ atMs }) => atMs === shownMs)}
          unit={unit}
          stacked={stacked}
          leftPx={toPx(shownMs)}
          onRight={toPx(shownMs) > (plot.leftPx + plot.rightPx) / 2}
        />
      )}
    </div>
  );
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
