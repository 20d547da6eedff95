import { useRef, useState } from 'react';
import type { Figure, Metric } from '../api/types';
import { DataClock } from '../board/DataClock';
import { restFigure } from '../charts/pick';
import { isSum } from '../charts/shape';
import type { Snapshot } from '../charts/TimeSeriesChart';
import { FilterBar } from '../filter/FilterBar';
import { durationText } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { useHealth } from '../live/hooks';
import { Actions } from './Actions';
import { CoursePanel } from './CoursePanel';
import { REST_KEY } from './drawn';
import { saveCourses, savePicture, saveTable } from './exports';
import { unitText } from './MetricSearch';
import { SliceTable, type TableRow } from './SliceTable';
import { lastFinished, rowsOf, sliceValues, sortRows } from './slices';
import { spanText } from './spanText';
import { statement } from './sql';
import type { ExploreState } from './state';
import { exploreTexts } from './texts';
import { onlyKeys, useChart } from './useChart';
import { ROWS_MAX, useExploration } from './useExploration';
import { ViewControls } from './ViewControls';
import { forecastUntil, widened, zoomedTo, zoomedToStep } from './window';

interface Props {
  metric: Metric;
  state: ExploreState;
  /** `isStep` changes are those that the browser's back button undoes. */
  onChange: (next: Partial<ExploreState>, isStep?: boolean) => void;
}

/** One metric: how it is looked at, its chart, and its slices beside it. */
export function ExploreView({ metric, state, onChange }: Props) {
  const t = exploreTexts.use();
  const speech = useSpeech();
  const { locale, zone } = speech;
  const health = useHealth();
  const [pointed, setPointed] = useState<string | null>(null);
  const snapshot = useRef<Snapshot | null>(null);
  const exploration = useExploration(metric, state);
  const chart = useChart(metric, state, exploration, pointed);
  const { lines, totals, past, stretch, nowMs } = exploration;
  const [cubes] = useState(() => new Set([metric.of]));

  const dimensions = state.by.map(speech.dimension).join(t('title.and'));
  const name = speech.metric(metric.name);
  const title = state.by.length > 0 ? `${name} ${speech.t('chart.by', { dimension: dimensions })}` : name;
  const rangeText =
    state.span.kind === 'last' ? speech.t(`range.last.${state.span.range}`) : spanText(stretch, locale, zone);
  const valueName = t(isSum(metric.kind) ? 'table.total' : 'table.whole');
  const lastName = t('table.last', { step: durationText(chart.stepMs, locale) });

  const drawn = new Map(chart.courses.map(({ key }) => [key, chart.colorOf(key)]));
  const drawable = new Set((lines?.series ?? []).map(({ by }) => JSON.stringify(sliceValues(by, state.by))));
  const shown = (row: ReturnType<typeof rowsOf>[number]): TableRow => ({
    ...row,
    name: chart.nameOf(row.by, row.key),
    color: drawn.get(row.key) ?? null,
    canDraw: drawable.has(JSON.stringify(sliceValues(row.by, state.by))),
  });
  const { kind, unit } = metric;
  const earlierTotals = past?.totals ?? null;
  const slices = rowsOf({ kind, unit, lines, totals, earlier: earlierTotals }).map(shown);
  const rows = state.by.length > 0 ? sortRows(slices, state.sort, ({ name }) => name, locale) : [];
  const [all] = rowsOf({
    kind,
    unit,
    lines: exploration.wholeLines,
    totals: exploration.wholeTotal,
    earlier: past?.wholeTotal ?? null,
  });
  const whole: TableRow | null = all
    ? {
        ...shown(all),
        name: t('table.all'),
        color: state.by.length === 0 ? (drawn.get(all.key) ?? null) : null,
      }
    : null;

  const rest = chart.courses.find(({ key }) => key === REST_KEY);
  const restRow: TableRow | null =
    rest && whole?.value
      ? {
          ...whole,
          key: REST_KEY,
          name: chart.nameOf({}, REST_KEY),
          color: drawn.get(REST_KEY) ?? null,
          value: restFigure(
            slices.filter(({ color }) => color !== null).map(({ value }) => value),
            whole.value,
          ),
          last: lastFinished(rest.points, chart.unfinishedMs),
          earlier: null,
          change: { kind: 'unknown' },
        }
      : null;
  const pinned = [whole, restRow].filter((row) => row !== null);

  const isolate = (row: TableRow, isAdded: boolean) => {
    const values = sliceValues(row.by, state.by);
    const key = JSON.stringify(values);
    const isOnly = state.only.some((one) => JSON.stringify(one) === key);
    const others = state.only.filter((one) => JSON.stringify(one) !== key);
    if (isAdded) onChange({ only: isOnly ? others : [...state.only, values] });
    else onChange({ only: isOnly && others.length === 0 ? [] : [values] });
  };
  const filterTo = (row: TableRow) => {
    const chosen = Object.fromEntries(
      Object.entries(row.by).map(([dimension, value]) => [dimension, [value ?? '']]),
    );
    // What is one value is not split any more.
    onChange(
      { where: { ...state.where, ...chosen }, by: state.by.filter((one) => !(one in chosen)), only: [] },
      true,
    );
  };
  const filters = Object.entries(state.where).map(
    ([dimension, values]) => `${speech.dimension(dimension)}: ${values.map(speech.sliceValue).join(', ')}`,
  );
  const details = [
    ...filters,
    ...(chart.ghosts.length > 0 ? [t('chart.ghosts', { time: chart.ghostLabel })] : []),
  ];
  const exported = { metric, title, details, exploration, chart, speech, fraction: t('csv.fraction') };
  const figures = new Map<string, Figure | null>(
    [...slices, ...pinned].map(({ key, value }) => [key, value]),
  );
  const takePicture = () => {
    if (snapshot.current) savePicture(exported, snapshot.current, figures, t('picture.note'));
  };
  const takeTable = () => {
    const heads = {
      slice: t('table.slice'),
      value: valueName,
      last: lastName,
      earlier: chart.ghostLabel,
      change: t('table.change'),
    };
    saveTable(exported, [...pinned, ...rows], heads);
  };
  const remedies = [
    ...(filters.length > 0 ? [{ label: t('empty.filters'), act: () => onChange({ where: {} }, true) }] : []),
    ...(state.stepMs === null ? [] : [{ label: t('empty.step'), act: () => onChange({ stepMs: null }) }]),
    { label: t('time.widen'), act: () => onChange({ span: widened(state.span, nowMs) }, true) },
  ];

  return (
    <div className="explore-body" data-health={exploration.isLive ? health.kind : 'idle'}>
      <div className="explore-tools panel">
        <ViewControls
          metric={metric}
          state={state}
          hasRoom={forecastUntil(state.span, nowMs) !== null}
          onChange={onChange}
        />
        <FilterBar
          dimensions={metric.dimensions}
          filters={state.where}
          span={state.span}
          stepMs={state.stepMs}
          metricOf={() => metric}
          onChange={(where) => onChange({ where, only: [] }, true)}
        />
      </div>
      <div className="explore-main">
        <section
          className={exploration.isHeld ? 'panel chart-panel explore-held' : 'panel chart-panel'}
          aria-label={title}
          aria-busy={exploration.isHeld}
          data-testid="explore-chart"
          data-metric={metric.name}
          data-by={state.by.join()}
          data-drawing={chart.drawing}
          data-series={chart.series.length}
          data-ghosts={chart.ghosts.length}
          data-outlook={chart.outlook.length}
          data-markers={chart.markers.length}
          data-step={chart.stepMs}
        >
          <header className="panel-head">
            <h2>
              <span className="panel-title">{title}</span>
              <span className="panel-unit">{unitText(metric, '')}</span>
            </h2>
            <Actions
              sql={statement({
                metric,
                span: state.span,
                stepMs: exploration.stepMs,
                by: state.by,
                where: state.where,
              })}
              canExport={chart.series.length > 0}
              onPicture={takePicture}
              onChartCsv={() => saveCourses(exported, t('csv.start'))}
              onTableCsv={takeTable}
            />
          </header>
          <CoursePanel
            metric={metric}
            title={title}
            rangeText={rangeText}
            exploration={exploration}
            chart={chart}
            clock={exploration.isLive ? <DataClock cubes={cubes} /> : null}
            snapshot={snapshot}
            remedies={remedies}
            onStretch={(chosen) => onChange({ span: zoomedTo(chosen, metric.bucket_ms) }, true)}
            onPick={(atMs) => {
              const span = zoomedToStep(state.span, atMs, chart.stepMs, metric.bucket_ms);
              if (span) onChange({ span, stepMs: null }, true);
            }}
          />
        </section>
        <section className="panel slices-panel" aria-label={t('table.label')}>
          <header className="panel-head">
            <h2>
              <span className="panel-title">{t('table.label')}</span>
            </h2>
            {state.only.length > 0 && (
              <button type="button" className="button" onClick={() => onChange({ only: [] })}>
                {t('table.showLargest')}
              </button>
            )}
            <label className="check" title={t('table.exact.hint')}>
              <input
                type="checkbox"
                checked={state.exact}
                onChange={({ target }) => onChange({ exact: target.checked })}
              />
              <span>{t('table.exact')}</span>
            </label>
          </header>
          {rows.length > 0 || pinned.length > 0 ? (
            <SliceTable
              rows={rows}
              pinned={pinned}
              unit={unit}
              valueName={valueName}
              lastName={lastName}
              changeName={state.compare ? t('table.change') : null}
              only={new Set(onlyKeys(state))}
              sort={state.sort}
              exact={state.exact}
              onSort={(sort) => onChange({ sort })}
              onIsolate={isolate}
              onFilter={filterTo}
              onPoint={setPointed}
            />
          ) : (
            <TableBlank isLoading={!lines && !totals && !exploration.error} />
          )}
          <div className="chart-notes dim">
            {state.by.length > 0 && rows.length > 0 && <p>{t('table.help')}</p>}
            {totals?.truncated && <p>{t('table.more', { count: ROWS_MAX })}</p>}
          </div>
        </section>
      </div>
    </div>
  );
}

function TableBlank({ isLoading }: { isLoading: boolean }) {
  const t = exploreTexts.use();
  return isLoading ? (
    <div className="skeleton skeleton-rows" />
  ) : (
    <p className="slices-none dim">{t('table.nothing')}</p>
  );
}
