import { Link, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import type { ChartDefinition, Metric } from '../api/types';
import { seriesAt } from '../charts/hit';
import { isSum, unfinishedFrom } from '../charts/shape';
import { REST_KEY } from '../explore/drawn';
import { useSpeech } from '../i18n/hooks';
import { firstFigures } from '../live/first';
import { useSeen } from '../live/hooks';
import { ChartLegend } from './ChartLegend';
import { drillSearch } from './drill';
import { FilterNote } from './FilterNote';
import { ForecastNote } from './ForecastNote';
import { PanelError } from './PanelError';
import { useBoardChart } from './useBoardChart';
import type { BoardView } from './view';

// The browser fetches it with the page (vite.config.ts); it runs when it no longer holds up the figures.
const chartModule = firstFigures.then(() => import('../charts/TimeSeriesChart'));
const LineChart = lazy(() => chartModule);
// Few boards have bars, and those that have none do without their code.
const BarChart = lazy(async () => (await Promise.all([chartModule, import('../charts/barChart')]))[0]);

interface Props {
  chart: ChartDefinition;
  metric: Metric;
  view: BoardView;
  split: string | null;
  onSplit: (dimension: string | null) => void;
}

/** A chart of one metric, split by a dimension, moving with the stream. */
export function ChartPanel({ chart, metric, view, split, onSplit }: Props) {
  const speech = useSpeech();
  const { t, locale, zone } = speech;
  const navigate = useNavigate();
  const { ref, isSeen } = useSeen<HTMLElement>();
  const shown = useBoardChart(chart, metric, view, split, isSeen);
  const { live, document, items, series, drawing, applied, where } = shown;
  const isSplit = split !== null;
  const TimeSeriesChart = drawing === 'bars' ? BarChart : LineChart;

  const title = speech.titled(chart.title, metric.name);
  const spokenTitle = isSplit ? `${title} ${t('chart.by', { dimension: speech.dimension(split) })}` : title;
  const rangeText = t(`range.last.${view.range}`);
  const own = Object.entries(chart.where ?? {}).map(
    ([name, value]) => `${speech.dimension(name)}: ${speech.sliceValue(value)}`,
  );
  const drillTo = (key: string | null) => {
    const slice = shown.slices.find((one) => one.key === key && key !== REST_KEY)?.by ?? {};
    return drillSearch({
      metric,
      range: view.range,
      where,
      compare: shown.compare,
      drawing: chart.shape ?? null,
      by: isSplit ? [split] : [],
      slice,
    });
  };
  const pick = (atMs: number, value: number | null) => {
    const found = value === null ? null : seriesAt(series, atMs, value, shown.isStacked);
    void navigate({ to: '/explore', search: drillTo(found?.key ?? null) });
  };

  return (
    <section
      ref={ref}
      className="panel chart-panel"
      data-width={chart.width ?? 'half'}
      data-testid="chart"
      data-metric={metric.name}
      data-by={split ?? ''}
      data-shape={drawing}
      data-ghosts={shown.ghosts.length}
      data-outlook={shown.outlook.length}
      data-updated-at={live.receivedAtMs ?? ''}
      data-last-bucket={lastBucket(document?.series)}
    >
      <header className="panel-head">
        <h2 title={metric.description ?? undefined}>
          <span className="panel-title" title={title}>
            <Link to="/explore" search={drillTo(null)} className="panel-link" data-testid="chart-link">
              <span className="visually-hidden">{t('chart.explore', { name: '' })}</span>
              {title}
            </Link>
          </span>
          {metric.unit && metric.unit !== 'count' && (
            <span className="panel-unit">{metric.unit === 'percent' ? '%' : metric.unit}</span>
          )}
          {own.length > 0 && <span className="chip ellipsis">{own.join(', ')}</span>}
        </h2>
        {shown.picked?.isCut && !shown.hasRest && items.length > 0 && (
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
      <FilterNote applied={applied} />
      {!document && applied.excluded === null && live.error && <PanelError error={live.error} />}
      {!document && applied.excluded === null && !live.error && <ChartSkeleton />}
      {document && items.length === 0 && (
        <p className="panel-empty">{t('chart.empty', { range: rangeText })}</p>
      )}
      {document && items.length > 0 && (
        <>
          <Suspense fallback={<ChartSkeleton />}>
            <TimeSeriesChart
              label={`${t(`chart.label.${drawing}`, {
                title: spokenTitle,
                range: rangeText,
                count: series.length,
              })} ${t('chart.pick')}`}
              series={series}
              fromMs={shown.fromMs}
              toMs={shown.endMs}
              unfinishedMs={unfinishedFrom(document)}
              stepMs={document.step_ms}
              isPaced
              unit={document.unit}
              stacked={shown.isStacked}
              fromZero={isSum(metric.kind)}
              outlook={shown.outlook}
              ghosts={shown.ghosts}
              told={shown.told}
              ghostLabel={shown.ghostLabel}
              barMs={drawing === 'bars' ? document.step_ms : undefined}
              locale={locale}
              zone={zone}
              markers={shown.markers}
              marks={shown.marks}
              onPick={pick}
            />
          </Suspense>
          <ChartLegend
            items={items}
            unit={document.unit}
            hidden={shown.hidden}
            onToggle={shown.toggle}
            onPoint={shown.setPointed}
            label={t('chart.slices', { range: rangeText })}
            drillTo={drillTo}
          />
          <div className="chart-said dim">
            {shown.ghosts.length > 0 && <p>{t('chart.ghosts', { time: shown.ghostLabel })}</p>}
            {chart.shape === 'stacked' && !isSum(metric.kind) && <p>{t('chart.noStack')}</p>}
          </div>
          {shown.forecast && (
            <ForecastNote
              document={shown.forecast.document}
              isSplit={shown.forecast.isSplit}
              unit={document.unit}
            />
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
