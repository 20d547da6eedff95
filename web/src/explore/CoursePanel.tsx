import { lazy, type ReactNode, type RefObject, Suspense } from 'react';
import type { Metric } from '../api/types';
import { ForecastNote } from '../board/ForecastNote';
import { PanelError } from '../board/PanelError';
import type { Stretch } from '../charts/brush';
import { MARKERS_MAX } from '../charts/markers';
import { isSum } from '../charts/shape';
import type { Snapshot } from '../charts/TimeSeriesChart';
import { durationText } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { exploreTexts } from './texts';
import type { Chart } from './useChart';
import type { Exploration } from './useExploration';

// Asked for as soon as the page is, so that the drawing code is on its way while somebody chooses a metric.
const chartModule = Promise.all([import('../charts/TimeSeriesChart'), import('../charts/barChart')]);
const TimeSeriesChart = lazy(async () => (await chartModule)[0]);

interface Props {
  metric: Metric;
  title: string;
  rangeText: string;
  exploration: Exploration;
  chart: Chart;
  /** How far the data has come. */
  clock: ReactNode;
  snapshot: RefObject<Snapshot | null>;
  /** What the page offers when there is nothing to see. */
  remedies: { label: string; act: () => void }[];
  onStretch: (stretch: Stretch) => void;
  onPick: (atMs: number) => void;
}

/** The courses over time, and what is to be known of them. */
export function CoursePanel(props: Props) {
  const { metric, title, rangeText, exploration, chart, clock, snapshot, remedies, onStretch, onPick } =
    props;
  const t = exploreTexts.use();
  const { locale, zone } = useSpeech();
  const { lines, error, stretch } = exploration;
  const { series, ghosts, courses, drawing, forecast, markers } = chart;
  if (!lines) return error ? <PanelError error={error} /> : <div className="skeleton skeleton-chart" />;
  const notes = lines.notes ?? [];
  const hasFigures = courses.some(({ points }) => points.some(([, figure]) => figure !== null));
  const isEmpty = !hasFigures && chart.outlook.length === 0;
  return (
    <>
      {isEmpty ? (
        <div className="panel-empty explore-empty">
          <p>{t('empty.title', { range: rangeText })}</p>
          {notes.map((note) => (
            <p key={note}>{note}</p>
          ))}
          <div className="button-row">
            {remedies.map(({ label, act }) => (
              <button key={label} type="button" className="button" onClick={act}>
                {label}
              </button>
            ))}
          </div>
        </div>
      ) : (
        <Suspense fallback={<div className="skeleton skeleton-chart" />}>
          <TimeSeriesChart
            label={t(`chart.label.${drawing}`, { title, range: rangeText, count: series.length })}
            series={series}
            fromMs={stretch.fromMs}
            toMs={chart.endMs}
            unfinishedMs={chart.unfinishedMs}
            stepMs={chart.stepMs}
            unit={lines.unit}
            stacked={chart.isStacked && courses.length > 1}
            fromZero={isSum(metric.kind)}
            outlook={chart.outlook}
            ghosts={ghosts}
            told={chart.told}
            ghostLabel={chart.ghostLabel}
            barMs={drawing === 'bars' ? chart.stepMs : undefined}
            locale={locale}
            zone={zone}
            markers={markers}
            marks={chart.marks}
            leadTo="page"
            snapshot={snapshot}
            onStretch={onStretch}
            onPick={onPick}
          />
        </Suspense>
      )}
      <div className="chart-notes dim">
        {!isEmpty && <p>{t('chart.steps', { step: durationText(chart.stepMs, locale) })}</p>}
        {ghosts.length > 0 && (
          <p className="chart-ghost-note">{t('chart.ghosts', { time: chart.ghostLabel })}</p>
        )}
        {markers.length === MARKERS_MAX && <p>{t('chart.markers', { count: MARKERS_MAX })}</p>}
        {forecast && (
          <ForecastNote document={forecast.document} isSplit={!forecast.isOfOne} unit={lines.unit} />
        )}
        {clock}
        {!isEmpty && notes.map((note) => <p key={note}>{note}</p>)}
      </div>
    </>
  );
}
