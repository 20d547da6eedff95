import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useMemo } from 'react';
import { useMarks } from '../annotations/query';
import type { Incident, Metric, SeriesDocument } from '../api/types';
import { PanelError } from '../board/PanelError';
import { sliceText } from '../board/slice';
import { useChartColors } from '../charts/colors';
import type { DrawnSeries, Level } from '../charts/option';
import { Swatch } from '../charts/Swatch';
import { isSum, shapePoints, unfinishedFrom } from '../charts/shape';
import { hasFigure } from '../charts/total';
import { readState, writeState } from '../explore/state';
import { durationText } from '../format/time';
import { figureText } from '../format/units';
import { useSpeech } from '../i18n/hooks';
import { serverNow } from '../live/clock';
import { useLiveSeries, useTick } from '../live/hooks';
import { type Around, around, LOOKBACKS, type Lookback } from './around';
import { comparisonOf, windowMsOf } from './levels';
import { courseQuestion, pastQuery, watchQuery } from './queries';
import { incidentTexts } from './texts';

const chartModule = import('../charts/TimeSeriesChart');
const TimeSeriesChart = lazy(() => chartModule);

interface Props {
  incident: Incident;
  metric: Metric | undefined;
  /** The metric is not defined any more. */
  isUnknown: boolean;
  title: string;
  lookback: Lookback;
  onLookback: (lookback: Lookback) => void;
}

/** The metric of the incident's slice around the bad time, against what was expected and, of a share, all traffic. */
export function CoursePanel({ incident, metric, isUnknown, title, lookback, onLookback }: Props) {
  const say = incidentTexts.use();
  return (
    <section className="panel case-panel chart-panel" data-testid="incident-chart" data-lookback={lookback}>
      <header className="panel-head">
        <h2>{say('course.title', { metric: title })}</h2>
        {metric && (
          <Link to="/explore" search={explorationOf(incident)} className="button">
            {say('course.explore')}
          </Link>
        )}
        <fieldset className="segmented">
          <legend className="visually-hidden">{say('course.lookback')}</legend>
          {LOOKBACKS.map((one) => (
            <label key={one} className="segment">
              <input
                type="radio"
                name="lookback"
                value={one}
                checked={one === lookback}
                onChange={() => onLookback(one)}
              />
              <span>{say(`course.${one}`)}</span>
            </label>
          ))}
        </fieldset>
      </header>
      {isUnknown && <p className="panel-empty">{say('course.unknown', { metric: incident.metric })}</p>}
      {!isUnknown && !metric && <ChartSkeleton />}
      {metric && <Course incident={incident} metric={metric} title={title} lookback={lookback} />}
    </section>
  );
}

/** The same slice and time on the page where it can be taken further. */
function explorationOf({ metric, slice, started_at, resolved_at }: Incident): Record<string, string> {
  const startMs = Date.parse(started_at);
  const endMs = resolved_at === null ? serverNow() : Date.parse(resolved_at);
  const aroundMs = Math.max(HOUR_MS, endMs - startMs);
  const minute = (at: number) => Math.floor(at / MINUTE_MS) * MINUTE_MS;
  return writeState({
    ...readState({}),
    metric,
    span: { kind: 'fixed', fromMs: minute(startMs - aroundMs), toMs: minute(endMs + MINUTE_MS) },
    where: Object.fromEntries(Object.entries(slice).map(([name, value]) => [name, [value ?? '']])),
  });
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function ChartSkeleton() {
  return <div className="skeleton skeleton-chart" aria-hidden="true" />;
}

interface CourseProps {
  incident: Incident;
  metric: Metric;
  title: string;
  lookback: Lookback;
}

/** A course that goes on is followed; one of the past is asked for. */
function Course(props: CourseProps) {
  const { incident, metric, lookback } = props;
  const now = serverNow(useTick(5_000));
  const { started_at, resolved_at } = incident;
  const made = around(incident, metric, lookback, now);
  const key = `${started_at} ${resolved_at} ${made.fromMs} ${made.toMs} ${made.stepMs}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key is the window's identity
  const window = useMemo(() => made, [key]);
  const shared = { ...props, window, nowMs: now };
  return window.toMs === null ? (
    <LiveCourse {...shared} />
  ) : (
    <PastCourse {...shared} window={{ ...window, toMs: window.toMs }} />
  );
}

interface WindowProps extends CourseProps {
  window: Around;
  nowMs: number;
}

/** Of a sum all traffic is on another scale, and of the whole there is nothing else. */
function hasRest({ incident, metric }: CourseProps): boolean {
  return !isSum(metric.kind) && Object.keys(incident.slice).length > 0;
}

const everything: Record<string, string> = {};

/** How the API filters by a slice: an absent value is written as nothing. */
function filtersOf(slice: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(Object.entries(slice).map(([name, value]) => [name, value ?? '']));
}

function LiveCourse(props: WindowProps) {
  const { incident, metric, window, nowMs } = props;
  const where = filtersOf(incident.slice);
  const live = useLiveSeries(metric.of, courseQuestion(metric.name, where, window), 'series');
  const all = courseQuestion(metric.name, hasRest(props) ? everything : where, window);
  const whole = useLiveSeries(metric.of, all, 'series');
  const { document } = live;
  if (!document && live.error) return <PanelError error={live.error} />;
  if (!document) return <ChartSkeleton />;
  // Nothing in steps as fine as these: an incident that has gone on for so long that its beginning is kept by the hour.
  if (!hasFigure(document))
    return <PastCourse {...props} window={{ ...window, toMs: nowMs - (nowMs % window.stepMs) }} />;
  const rest = hasRest(props) ? whole.document : null;
  return <Drawn {...props} document={document} rest={rest} fromMs={window.fromMs} toMs={nowMs} />;
}

function PastCourse(props: WindowProps & { window: Around & { toMs: number } }) {
  const { incident, metric, window } = props;
  // The window of one that is just over moves on; what was drawn stays until the next has come.
  const kept = { placeholderData: keepPreviousData };
  const own = useQuery({ ...pastQuery(metric.name, filtersOf(incident.slice), window), ...kept });
  const all = useQuery({ ...pastQuery(metric.name, everything, window), ...kept, enabled: hasRest(props) });
  if (!own.data && own.error) return <PanelError error={own.error} onRetry={() => void own.refetch()} />;
  if (!own.data) return <ChartSkeleton />;
  const rest = hasRest(props) && all.data?.step_ms === own.data.step_ms ? all.data : null;
  return <Drawn {...props} document={own.data} rest={rest} fromMs={own.data.from} toMs={own.data.to} />;
}

interface DrawnProps extends WindowProps {
  document: SeriesDocument;
  /** All traffic, to be seen against. */
  rest: SeriesDocument | null;
  fromMs: number;
  toMs: number;
}

function Drawn({ incident, metric, title, document, rest, fromMs, toMs, nowMs }: DrawnProps) {
  const speech = useSpeech();
  const { t, locale, zone } = speech;
  const say = incidentTexts.use();
  const colors = useChartColors();
  const monitors = useQuery(watchQuery).data;
  const windowMs = windowMsOf(monitors?.find(({ name }) => name === incident.monitor)?.detect);
  const name = sliceText(incident.slice, speech);
  const series = useMemo(() => {
    const drawn: DrawnSeries[] = [];
    const add = (key: string, text: string, color: string, from: SeriesDocument) => {
      // Of the past all is complete; what would come after the window is none of its holes.
      const complete = Math.min(from.watermark ?? from.to, from.to);
      const shaped = { ...from, watermark: complete };
      const points = shapePoints(from.series[0]?.points ?? [], shaped, metric.kind);
      drawn.push({ key, name: text, color: color || 'currentColor', points, faded: false });
    };
    if (rest) add('all', t('incident.whole'), colors.other, rest);
    add('own', name, colors[incident.severity], document);
    return drawn;
  }, [document, rest, metric.kind, colors, incident.severity, name, t]);
  const { bound, expected, explanation, slice, started_at, resolved_at } = incident;
  const comparison = useMemo(
    () =>
      comparisonOf(
        { bound: bound ?? null, expected, explanation: explanation ?? null, slice, started_at, resolved_at },
        metric.kind,
        document.step_ms,
        windowMs,
      ),
    [bound, expected, explanation, slice, started_at, resolved_at, metric.kind, document.step_ms, windowMs],
  );
  const step = durationText(document.step_ms, locale);
  const levels: Level[] = useMemo(() => {
    if (!comparison) return [];
    const { key, value, isScaled } = comparison;
    const text = say(key === 'bound' ? 'course.bound' : 'course.expected');
    return [
      {
        key,
        name: isScaled ? say('course.scaled', { what: text, step }) : text,
        color: colors.series[0] ?? 'currentColor',
        value,
        fromMs: Math.max(comparison.fromMs ?? fromMs, fromMs),
        toMs: Math.min(comparison.toMs ?? toMs, toMs),
      },
    ];
  }, [comparison, say, step, colors, fromMs, toMs]);
  const markers = useMemo(() => {
    const endMs = resolved_at === null ? nowMs : Date.parse(resolved_at);
    return [{ incident, startMs: Date.parse(started_at), endMs }];
  }, [incident, started_at, resolved_at, nowMs]);
  const marks = useMarks(slice, fromMs, toMs);
  const range = say('course.range');
  if (!hasFigure(document)) return <p className="panel-empty">{say('course.empty')}</p>;
  return (
    <>
      <Suspense fallback={<ChartSkeleton />}>
        <TimeSeriesChart
          label={t('chart.label.lines', { title: `${title}, ${name}`, range, count: series.length })}
          series={series}
          fromMs={fromMs}
          toMs={toMs}
          unfinishedMs={unfinishedFrom(document)}
          stepMs={document.step_ms}
          unit={document.unit}
          stacked={false}
          fromZero={isSum(metric.kind)}
          outlook={NO_OUTLOOK}
          levels={levels}
          locale={locale}
          zone={zone}
          markers={markers}
          marks={marks}
        />
      </Suspense>
      <ul className="case-legend" aria-label={say('course.legend')}>
        {[...series].reverse().map((one) => (
          <li key={one.key}>
            <Swatch color={one.color} />
            <span className="ellipsis">{one.name}</span>
          </li>
        ))}
        {levels.map((level) => (
          <li key={level.key} data-testid="incident-level" data-level={level.key}>
            <span className="case-dash" aria-hidden="true" />
            {level.name} <strong>{figureText(level.value, document.unit, locale)}</strong>
          </li>
        ))}
        <li>
          <span
            className="case-band"
            data-severity={incident.severity}
            data-state={incident.state}
            aria-hidden="true"
          />
          {say('course.badTime')}
        </li>
        <li className="dim">{say('course.steps', { step })}</li>
      </ul>
    </>
  );
}

const NO_OUTLOOK: never[] = [];
