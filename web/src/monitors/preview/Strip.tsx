import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useId } from 'react';
import { getSeries } from '../../api/series';
import type { Metric, SeriesDocument } from '../../api/types';
import { sliceText } from '../../board/slice';
import { toNumber } from '../../format/figure';
import { clockTime, dayName } from '../../format/time';
import { figureText } from '../../format/units';
import { useSpeech } from '../../i18n/hooks';
import { apiDuration } from '../../state/range';
import type { Row } from '../compare';
import { linePath, midnights, placed } from '../strip';
import { type TextKey, useTexts } from '../texts';
import type { BacktestMissed, Slice, Verdict } from '../types';

export interface Lane {
  key: string;
  label: TextKey;
  rows: readonly Row[];
}

interface Props {
  metric: Metric | undefined;
  fromMs: number;
  toMs: number;
  lanes: readonly Lane[];
  missed: readonly BacktestMissed[];
  verdict: (row: Row) => Verdict | null;
  selected: Row | null;
  onSelect: (row: Row) => void;
}

/** The time that was tested from left to right: the metric's course, and below it what each version would have opened. */
export function Strip({ metric, fromMs, toMs, lanes, missed, verdict, selected, onSelect }: Props) {
  const t = useTexts();
  const speech = useSpeech();
  const { locale, zone } = speech;
  const id = useId();
  const share = (atMs: number) => `${((atMs - fromMs) / Math.max(1, toMs - fromMs)) * 100}%`;
  const inOrder = lanes.flatMap(({ rows }) => rows).sort((a, b) => a.startMs - b.startMs);
  const at = selected ? inOrder.findIndex(({ key }) => key === selected.key) : -1;
  const move = (event: KeyboardEvent) => {
    const target = {
      ArrowRight: at + 1,
      ArrowDown: at + 1,
      ArrowLeft: at < 0 ? inOrder.length - 1 : at - 1,
      ArrowUp: at < 0 ? inOrder.length - 1 : at - 1,
      Home: 0,
      End: inOrder.length - 1,
    }[event.key];
    const row = target === undefined ? undefined : inOrder[Math.min(Math.max(target, 0), inOrder.length - 1)];
    if (!row) return;
    event.preventDefault();
    onSelect(row);
  };
  const name = (row: Row) => {
    const said = verdict(row);
    const at = `${dayName(row.startMs, locale, zone)} ${clockTime(row.startMs, locale, zone, false)}`;
    return [sliceText(row.shown.incident.slice, speech), at, ...(said ? [t(`found.${said}`)] : [])].join(
      ', ',
    );
  };
  const drawn = lanes.map(({ key, label, rows }) => {
    const bars = placed(rows, fromMs, toMs);
    const lines = 1 + Math.max(0, ...bars.map(({ line }) => line));
    return (
      // biome-ignore lint/a11y/useSemanticElements: a list box has groups, a field set none of its options
      <div key={key} className="strip-lane" role="group" aria-label={t(label)} data-lane={key}>
        <span className="strip-label">
          {t(label)} <b>{rows.length}</b>
        </span>
        <div className="strip-track" role="presentation" style={{ height: `${lines * 1.125}rem` }}>
          {bars.map(({ item, left, width, line }) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the list box around has the keys
            <span
              key={item.key}
              id={`${id}-${inOrder.indexOf(item)}`}
              role="option"
              tabIndex={-1}
              aria-selected={selected?.key === item.key}
              aria-label={name(item)}
              title={name(item)}
              className="strip-bar"
              data-group={item.group}
              data-verdict={verdict(item) ?? 'none'}
              style={{ left: `${left * 100}%`, width: `${width * 100}%`, top: `${line * 1.125}rem` }}
              onClick={() => onSelect(item)}
            />
          ))}
        </div>
      </div>
    );
  });
  return (
    <div className="strip" data-testid="strip">
      {metric && (
        <Course metric={metric} fromMs={fromMs} toMs={toMs} slice={selected?.shown.incident.slice ?? {}} />
      )}
      {selected && (
        <div className="strip-over" aria-hidden="true">
          <span
            className="strip-selected"
            style={{
              left: share(selected.startMs),
              width: share(fromMs + selected.endMs - selected.startMs),
            }}
          />
        </div>
      )}
      {inOrder.length === 0 ? (
        <div className="strip-lanes">{drawn}</div>
      ) : (
        <div
          className="strip-lanes"
          role="listbox"
          aria-label={t('strip.label')}
          aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
          tabIndex={0}
          onKeyDown={move}
        >
          {drawn}
        </div>
      )}
      {missed.length > 0 && (
        <div className="strip-lane" data-lane="missed">
          <span className="strip-label">
            {t('group.missed')} <b>{missed.length}</b>
          </span>
          <div className="strip-track" aria-hidden="true">
            {missed.map((one, i) => (
              <span
                // biome-ignore lint/suspicious/noArrayIndexKey: what was missed has no name of its own
                key={i}
                className="strip-missed"
                style={{ left: share(Date.parse(one.started_at)) }}
              />
            ))}
          </div>
        </div>
      )}
      <div className="strip-axis" aria-hidden="true">
        {midnights(fromMs, toMs - AXIS_END * (toMs - fromMs), zone).map((midnight) => (
          <span key={midnight} style={{ left: share(midnight) }}>
            {dayLabel(midnight, locale, zone)}
          </span>
        ))}
      </div>
    </div>
  );
}

function dayLabel(atMs: number, locale: string, zone: string): string {
  return new Intl.DateTimeFormat(locale, { timeZone: zone, month: 'short', day: 'numeric' }).format(atMs);
}

/** A name of a day has no room that near to the end. */
const AXIS_END = 0.06;

const WIDTH = 600;
const HEIGHT = 60;
/** About as many points as a strip has pixels to spare for. */
const POINTS = 240;
const COURSE_STALE_MS = 300_000;

/** The metric over the time tested: all of it, or the slice of the incident that is looked at. */
function Course({
  metric,
  fromMs,
  toMs,
  slice,
}: {
  metric: Metric;
  fromMs: number;
  toMs: number;
  slice: Slice;
}) {
  const t = useTexts();
  const speech = useSpeech();
  // The address of a series has no word for a value that is none; an empty one means it as well.
  const where = Object.fromEntries(
    Object.entries(slice).map(([dimension, value]) => [dimension, value ?? '']),
  );
  const bucketMs = Math.max(1_000, metric.bucket_ms);
  const stepMs = Math.ceil((toMs - fromMs) / POINTS / bucketMs) * bucketMs;
  const { data } = useQuery<SeriesDocument>({
    queryKey: ['monitors', 'course', metric.name, fromMs, toMs, where],
    queryFn: ({ signal }) =>
      getSeries(
        {
          metric: metric.name,
          from: String(fromMs),
          to: String(toMs),
          step: apiDuration(stepMs),
          by: [],
          where,
        },
        'past',
        signal,
      ),
    staleTime: COURSE_STALE_MS,
    placeholderData: (before) => (before?.metric === metric.name ? before : undefined),
    retry: false,
  });
  const points = (data?.series[0]?.points ?? []).map(([at, value]) => [at, toNumber(value)] as const);
  const path = linePath(points, fromMs, toMs, WIDTH, HEIGHT);
  const values = points.flatMap(([, value]) => (value === null ? [] : [value]));
  const text = (value: number) => figureText(value, metric.unit, speech.locale, { compact: true });
  return (
    <figure className="strip-course">
      <figcaption>
        {t('strip.line', { metric: metric.name, slice: sliceText(where, speech) })}{' '}
        {values.length > 0 && (
          <span className="strip-spread">
            {t('strip.spread', { low: text(Math.min(...values)), high: text(Math.max(...values)) })}
          </span>
        )}
      </figcaption>
      <svg viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`} preserveAspectRatio="none" aria-hidden="true">
        <path d={path} />
      </svg>
    </figure>
  );
}
