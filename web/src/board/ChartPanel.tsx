import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useMemo, useState } from 'react';
import { forecastQuery } from '../api/queries';
import type { ChartDefinition, Metric } from '../api/types';
import { ColorAssignment, useChartColors } from '../charts/colors';
import { markersFor } from '../charts/markers';
import type { DrawnSeries } from '../charts/option';
import { forecastStep, outlookOf } from '../charts/outlook';
import { pickSlices, restCourse, restFigure } from '../charts/pick';
import { isSum, shapePoints, unfinishedFrom } from '../charts/shape';
import { totalOf } from '../charts/total';
import { useSpeech } from '../i18n/hooks';
import { serverNow } from '../live/clock';
import { useIncidents, useLiveSeries, useTick } from '../live/hooks';
import { sliceKey } from '../live/merge';
import { aheadMs, apiDuration, type Range, rangeMs, stepFor, wholeStep, windowOf } from '../state/range';
import { ChartLegend, type LegendItem } from './ChartLegend';
import { ForecastNote } from './ForecastNote';
import { PanelError } from './PanelError';
import { sliceText } from './slice';

// Asked for at once, so that the drawing code is on its way while the figures are; yet it does not hold up the tiles.
const chartModule = import('../charts/TimeSeriesChart');
const TimeSeriesChart = lazy(() => chartModule);

/** More lines than this cannot be told apart; the server picks the largest slices. */
export const SERIES_SHOWN_MAX = 8;
/** Figures are asked for more slices than lines: over one step the server may weigh slices otherwise, and each line has its figure. */
export const FIGURES_MAX = 100;
/** The key of what the lines leave out; no slice can have it. */
const REST_KEY = 'rest';

interface Props {
  chart: ChartDefinition;
  metric: Metric;
  range: Range;
  split: string | null;
  /** Whether it shows what is expected of the rest of the day. */
  withForecast: boolean;
  onSplit: (dimension: string | null) => void;
}

const everything: Record<string, string> = {};

/** A chart of one metric, split by a dimension, moving with the stream. */
export function ChartPanel({ chart, metric, range, split, withForecast, onSplit }: Props) {
  const speech = useSpeech();
  const { t, locale, zone } = speech;
  const isSplit = split !== null;
  const base = { metric: metric.name, where: everything, ...windowOf(range) };
  const sliced = { ...base, by: isSplit ? [split] : [] };
  const stepMs = stepFor(range, metric);
  const step = apiDuration(stepMs);
  const whole = apiDuration(wholeStep(range, metric.bucket_ms));
  const live = useLiveSeries(metric.of, { ...sliced, step, limit: SERIES_SHOWN_MAX }, 'series');
  const totals = useLiveSeries(metric.of, { ...sliced, step: whole, limit: FIGURES_MAX }, 'total');
  const document = live.document;
  const picked = useMemo(
    () => document && pickSlices(document, totals.document, metric.kind, SERIES_SHOWN_MAX),
    [document, totals.document, metric.kind],
  );
  // Sums are stacked, and a stack without its rest would understate the whole. Nothing more is asked for where nothing is cut.
  const hasRest = isSplit && isSum(metric.kind) && picked?.isCut === true;
  const allCourse = useLiveSeries(
    metric.of,
    hasRest ? { ...base, by: [], step } : { ...sliced, step, limit: SERIES_SHOWN_MAX },
    'series',
  );
  const allTotal = useLiveSeries(
    metric.of,
    hasRest ? { ...base, by: [], step: whole } : { ...sliced, step: whole, limit: FIGURES_MAX },
    'total',
  );
  const { incidents } = useIncidents();
  const colors = useChartColors();
  const [assignment] = useState(() => new ColorAssignment());
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [pointed, setPointed] = useState<string | null>(null);
  const now = useTick(range === '15m' || range === '1h' ? 2_000 : 15_000);

  // The lines and their figures come apart: a new figure, twice a second, must not draw the canvas again.
  const pickedKeys = picked ? [...picked.figures.keys()].join('\n') : '';
  const restValue = useMemo(() => {
    const whole = hasRest ? totalOf(allTotal.document?.series[0], undefined, metric.kind) : null;
    return picked && whole !== null ? restFigure(picked.figures.values(), whole) : 0;
  }, [hasRest, picked, allTotal.document, metric.kind]);
  const wholeSeries = hasRest && restValue !== 0 ? allCourse.document?.series[0] : undefined;
  const slices = useMemo(() => {
    const keys = new Set(pickedKeys.split('\n'));
    const drawn = (document?.series ?? []).filter(({ by }) => keys.has(sliceKey(by)));
    const shown = drawn.map(({ by, points }) => {
      const key = sliceKey(by);
      const isOther = Object.values(by).includes('__other__');
      const color = isOther ? colors.other : colors.series[assignment.indexOf(key) % colors.series.length];
      const name = isSplit ? sliceText(by, speech) : t('chart.total');
      return { key, name, color: color || 'currentColor', points };
    });
    if (wholeSeries) {
      const points = restCourse(drawn, wholeSeries);
      shown.push({ key: REST_KEY, name: t('chart.rest'), color: colors.other, points });
    }
    return shown;
  }, [document, pickedKeys, wholeSeries, assignment, colors, speech, t, isSplit]);
  const items: LegendItem[] = slices.map(({ key, name, color }) => {
    const value = key === REST_KEY ? restValue : (picked?.figures.get(key) ?? null);
    return { key, name, color, value };
  });

  const stacked = isSum(metric.kind) && isSplit;
  const series: DrawnSeries[] = useMemo(() => {
    if (!document) return [];
    return slices
      .filter(({ key }) => !hidden.has(key))
      .map(({ key, name, color, points }) => {
        const faded = pointed !== null && pointed !== key;
        return { key, name, color, points: shapePoints(points, document, metric.kind), faded };
      });
  }, [document, slices, hidden, pointed, metric.kind]);

  // The answer's own `to` is rounded up to a whole step and may lie in the future.
  const toMs = serverNow(now);
  const fromMs = toMs - rangeMs(range);
  // What is forecast is the whole: the line of a chart without a split, or the top of a stack of which nothing is hidden.
  const ahead = withForecast ? aheadMs(range) : null;
  const isForecast = ahead !== null && (!isSplit || isSum(metric.kind));
  const asked = forecastQuery(metric.name, apiDuration(forecastStep(stepMs)), zone);
  const forecast = useQuery({ ...asked, enabled: isForecast });
  const untilMs = isForecast && hidden.size === 0 ? toMs + ahead : 0;
  const outlook = useMemo(
    () => outlookOf(forecast.data, stepMs, metric.kind, untilMs),
    [forecast.data, stepMs, metric.kind, untilMs],
  );
  const endMs = Math.max(toMs, outlook.at(-1)?.atMs ?? 0);
  const markers = useMemo(
    () => markersFor(incidents, metric.name, fromMs, toMs),
    [incidents, metric.name, fromMs, toMs],
  );
  const title = speech.text(chart.title, metric.name);
  const spokenTitle = isSplit ? `${title} ${t('chart.by', { dimension: speech.dimension(split) })}` : title;
  const rangeText = t(`range.last.${range}`);
  const toggle = (key: string) =>
    setHidden((old) => {
      const next = new Set(old);
      if (!next.delete(key)) next.add(key);
      return next;
    });

  return (
    <section
      className="panel chart-panel"
      data-testid="chart"
      data-metric={metric.name}
      data-by={split ?? ''}
      data-outlook={outlook.length}
      data-updated-at={live.receivedAtMs ?? ''}
      data-last-bucket={lastBucket(document?.series)}
    >
      <header className="panel-head">
        <h3 title={metric.description ?? undefined}>
          <span className="panel-title" title={title}>
            {title}
          </span>
          {metric.unit && metric.unit !== 'count' && (
            <span className="panel-unit">{metric.unit === 'percent' ? '%' : metric.unit}</span>
          )}
        </h3>
        {picked?.isCut && !wholeSeries && items.length > 0 && (
          <span className="dim panel-note">{t('chart.top', { count: items.length })}</span>
        )}
        <label className="split">
          <span className="visually-hidden">{t('chart.splitBy')}</span>
          <select value={split ?? ''} onChange={(event) => onSplit(event.target.value || null)}>
            <option value="">{t('chart.noSplit')}</option>
            {splitChoices(metric, split).map((dimension) => (
              <option key={dimension} value={dimension}>
                {t('chart.by', { dimension: speech.dimension(dimension) })}
              </option>
            ))}
          </select>
        </label>
      </header>
      {!document && live.error && <PanelError error={live.error} />}
      {!document && !live.error && <ChartSkeleton />}
      {document && items.length === 0 && (
        <p className="panel-empty">{t('chart.empty', { range: rangeText })}</p>
      )}
      {document && items.length > 0 && (
        <>
          <Suspense fallback={<ChartSkeleton />}>
            <TimeSeriesChart
              label={t('chart.label', { title: spokenTitle, range: rangeText, count: series.length })}
              series={series}
              fromMs={fromMs}
              toMs={endMs}
              unfinishedMs={unfinishedFrom(document)}
              stepMs={document.step_ms}
              unit={document.unit}
              stacked={stacked}
              fromZero={isSum(metric.kind)}
              outlook={outlook}
              locale={locale}
              zone={zone}
              markers={markers}
            />
          </Suspense>
          <ChartLegend
            items={items}
            unit={document.unit}
            hidden={hidden}
            onToggle={toggle}
            onPoint={setPointed}
            label={t('chart.slices', { range: rangeText })}
          />
          {ahead !== null && (
            <ForecastNote document={forecast.data} isSplit={!isForecast} unit={document.unit} />
          )}
        </>
      )}
    </section>
  );
}

function splitChoices(metric: Metric, split: string | null): string[] {
  return split !== null && !metric.dimensions.includes(split)
    ? [split, ...metric.dimensions]
    : metric.dimensions;
}

function lastBucket(series: { points: [number, unknown][] }[] | undefined): number | '' {
  const newest = Math.max(0, ...(series ?? []).map(({ points }) => points.at(-1)?.[0] ?? 0));
  return newest || '';
}

export function ChartSkeleton() {
  return <div className="skeleton skeleton-chart" aria-hidden="true" />;
}
