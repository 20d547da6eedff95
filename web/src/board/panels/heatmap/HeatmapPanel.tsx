import { type CSSProperties, useId, useMemo, useState } from 'react';
import { getSeries } from '../../../api/series';
import type { HeatmapDefinition, Metric } from '../../../api/types';
import { isSum } from '../../../charts/shape';
import { zoneOffset } from '../../../format/time';
import { figureText } from '../../../format/units';
import { useSpeech } from '../../../i18n/hooks';
import { serverNow } from '../../../live/clock';
import { usePaced, useSeen, useTick } from '../../../live/hooks';
import { apiDuration } from '../../../state/range';
import { drillSearch } from '../../drill';
import { UnknownMetric } from '../../UnknownMetric';
import { appliedTo } from '../../view';
import { AsTable } from '../AsTable';
import { pulsesOf } from '../asked';
import type { PanelProps } from '../DefinedPanel';
import { PanelFrame } from '../PanelFrame';
import { panelTexts } from '../texts';
import { type HeatCell, HOURS, heatGrid, heatStep, heatWindow, nextCell } from './grid';
import './heatmap.css';

export const WEEKS_DEFAULT = 4;
/** Weeks of hours hardly change with an hour more. */
const PACE_MS = 60_000;

/** When it is busy: hours by weekdays, over some weeks. */
export function HeatmapPanel({ panel, metrics, view }: PanelProps<HeatmapDefinition>) {
  const metric = metrics.get(panel.metric);
  if (!metric) return <UnknownMetric title={panel.title} name={panel.metric} width={panel.width} isChart />;
  return <Heatmap panel={panel} metric={metric} view={view} />;
}

interface Props {
  panel: HeatmapDefinition;
  metric: Metric;
  view: PanelProps['view'];
}

function Heatmap({ panel, metric, view }: Props) {
  const t = panelTexts.use();
  const speech = useSpeech();
  const { locale, zone } = speech;
  const weeks = panel.weeks ?? WEEKS_DEFAULT;
  const applied = useMemo(
    () => appliedTo([metric], panel.where, view.filters),
    [metric, panel.where, view.filters],
  );
  const { where } = applied;
  const { ref, isSeen } = useSeen<HTMLElement>();
  const { fromMs, toMs } = heatWindow(serverNow(useTick(60_000)), weeks);
  const stepMs = heatStep(metric.bucket_ms, zone, fromMs, toMs);
  const ask = (signal: AbortSignal) =>
    getSeries(
      {
        metric: metric.name,
        from: String(fromMs),
        to: String(toMs),
        step: apiDuration(stepMs ?? 0),
        by: [],
        where,
      },
      'present',
      signal,
    );
  const answer = usePaced(ask, {
    pulses: pulsesOf([metric], view.range),
    key: JSON.stringify([metric.name, where, fromMs, toMs, stepMs]),
    paceMs: PACE_MS,
    isSeen: isSeen && applied.excluded === null && stepMs !== null,
  });
  const grid = useMemo(
    () => answer.data && heatGrid(answer.data, metric.kind, zone),
    [answer.data, metric.kind, zone],
  );
  const title = speech.titled(panel.title, metric.name);
  const offset = zoneOffset(zone, toMs);
  const zoneText = offset === zone ? zone : `${zone} (${offset})`;
  const sums = isSum(metric.kind);
  return (
    <PanelFrame
      kind="heatmap"
      title={title}
      hint={metric.description}
      note={t(weeks === 1 ? 'heatmap.note.one' : 'heatmap.note', { weeks })}
      width={panel.width}
      own={panel.where}
      applied={applied}
      drill={drillSearch({
        metric,
        range: view.range,
        where,
        span: { kind: 'fixed', fromMs, toMs },
      })}
      frameRef={ref}
      data={{ 'data-metric': metric.name, 'data-step': stepMs ?? '', 'data-zone': zone }}
      error={answer.error}
      onRetry={answer.retry}
      empty={
        stepMs === null
          ? t('heatmap.bucket')
          : grid !== null &&
            grid.highest === null &&
            t(weeks === 1 ? 'heatmap.empty.one' : 'heatmap.empty', { weeks })
      }
    >
      {grid ? (
        <>
          <Grid cells={grid.cells} unit={metric.unit} sums={sums} title={title} />
          <p className="panel-said">
            {t(sums ? 'heatmap.sum' : 'heatmap.mean')} {t('heatmap.zone', { zone: zoneText })}
          </p>
          <AsTable
            caption={title}
            heads={[t('heatmap.hour'), ...weekdays(locale, 'short')]}
            rows={() =>
              Array.from({ length: HOURS }, (_, hour) => [
                hourText(hour),
                ...weekdays(locale, 'short').map((_, day) =>
                  figureText(grid.cells[day * HOURS + hour]?.value ?? null, metric.unit, locale),
                ),
              ])
            }
          />
        </>
      ) : null}
    </PanelFrame>
  );
}

interface GridProps {
  cells: readonly HeatCell[];
  unit: string | null;
  sums: boolean;
  title: string;
}

/** Squares that grow and get stronger with their figures; pointer and arrow keys read them. */
function Grid({ cells, unit, sums, title }: GridProps) {
  const t = panelTexts.use();
  const { locale } = useSpeech();
  const id = useId();
  const [at, setAt] = useState<number | null>(null);
  const days = weekdays(locale, 'short');
  const cell = at === null ? null : cells[at];
  const said = (one: HeatCell) => {
    const when = `${weekdays(locale, 'long')[one.weekday]}, ${hourText(one.hour)}–${hourText(one.hour + 1)}`;
    if (one.value === null) return t('heatmap.nothing', { when });
    const value = figureText(one.value, unit, locale);
    return t(sums ? 'heatmap.cellSum' : 'heatmap.cellMean', { when, value, hours: one.hours });
  };
  return (
    <>
      <div
        className="heat"
        role="application"
        aria-label={t('heatmap.label', { title })}
        aria-describedby={id}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move over the hours
        tabIndex={0}
        onKeyDown={(event) => {
          const next = nextCell(at, event.key);
          if (next === undefined) return;
          event.preventDefault();
          setAt(next);
        }}
        onPointerOver={({ target }) => {
          const place = target instanceof HTMLElement ? target.closest<HTMLElement>('[data-at]') : null;
          if (place) setAt(Number(place.dataset.at));
        }}
        onPointerLeave={() => setAt(null)}
        onBlur={() => setAt(null)}
      >
        <span aria-hidden="true" />
        {Array.from({ length: HOURS }, (_, hour) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: hours have an order and no names
          <span key={hour} className="heat-hour" aria-hidden="true">
            {hour % 3 === 0 ? hour : ''}
          </span>
        ))}
        {days.map((day, weekday) => (
          <div key={day} className="heat-row" aria-hidden="true">
            <span className="heat-day">{day}</span>
            {cells.slice(weekday * HOURS, (weekday + 1) * HOURS).map((one) => {
              const index = weekday * HOURS + one.hour;
              return (
                <span
                  key={index}
                  className="heat-cell"
                  data-at={index}
                  data-value={one.value ?? ''}
                  data-here={index === at || undefined}
                  data-none={one.value === null || undefined}
                >
                  <span style={{ '--level': one.level.toFixed(3) } as CSSProperties} />
                </span>
              );
            })}
          </div>
        ))}
      </div>
      <p className="panel-readout" id={id} role="status">
        {cell ? said(cell) : t('heatmap.hint')}
      </p>
    </>
  );
}

/** Monday of a week that all zones agree on. */
const MONDAY_MS = Date.UTC(2024, 0, 1);

function weekdays(locale: string, style: 'short' | 'long'): string[] {
  const format = new Intl.DateTimeFormat(locale, { weekday: style, timeZone: 'UTC' });
  return Array.from({ length: 7 }, (_, day) => format.format(MONDAY_MS + day * 86_400_000));
}

function hourText(hour: number): string {
  return `${String(hour % 24).padStart(2, '0')}:00`;
}
