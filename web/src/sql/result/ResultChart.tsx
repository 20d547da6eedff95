import { lazy, Suspense, useMemo, useState } from 'react';
import { useChartColors } from '../../charts/colors';
import type { DrawnSeries } from '../../charts/option';
import { Swatch } from '../../charts/Swatch';
import { useSpeech } from '../../i18n/hooks';
import type { SqlAnswer } from '../call';
import { type Course, coursesOf, type TimeShape } from '../shape';
import { texts } from '../texts';
import type { ShownColumn } from './columns';
import { ValueSelect } from './ValueSelect';

const TimeSeriesChart = lazy(() => import('../../charts/TimeSeriesChart'));

interface Props {
  answer: SqlAnswer;
  columns: ShownColumn[];
  shape: TimeShape;
}

/** Courses over time as lines. */
export function ResultChart({ answer, columns, shape }: Props) {
  const t = texts.use();
  const { locale, zone, sliceValue } = useSpeech();
  const colors = useChartColors();
  const isSplit = shape.category !== null;
  const [value, setValue] = useState(shape.values[0] ?? 0);
  const found = useMemo(() => coursesOf(answer, shape, value, zone), [answer, shape, value, zone]);
  const unitOf = (i: number) => columns[isSplit ? value : (shape.values[i] ?? 0)]?.unit ?? null;
  // Figures of another unit than the first one's would need an axis of their own; they wait for a click.
  const [hidden, setHidden] = useState<ReadonlySet<number>>(
    () => new Set(isSplit ? [] : found.courses.flatMap((_, i) => (unitOf(i) === unitOf(0) ? [] : [i]))),
  );
  const nameOf = ({ name }: Course) => (isSplit ? sliceValue(name) : (name ?? ''));
  const items = found.courses.map((course, i) => ({
    key: `${i} ${course.name ?? ''}`,
    name: nameOf(course),
    color: colors.series[i % colors.series.length] || 'currentColor',
    course,
  }));
  const drawn = items.filter((_, i) => !hidden.has(i));
  const series: DrawnSeries[] = drawn.map(({ key, name, color, course }) => ({
    key,
    name,
    color,
    points: course.points,
    faded: false,
  }));
  const units = new Set(items.flatMap((_, i) => (hidden.has(i) ? [] : [unitOf(i)])));
  const unit = units.size === 1 ? ([...units][0] ?? null) : null;
  const isPositive = drawn.every(({ course }) => course.points.every(([, y]) => (y ?? 0) >= 0));
  const toggle = (i: number) =>
    setHidden((old) => {
      const next = new Set(old);
      if (!next.delete(i)) next.add(i);
      return next;
    });
  return (
    <div className="sql-chart" data-testid="sql-chart" data-series={series.length}>
      {isSplit && <ValueSelect columns={columns} values={shape.values} value={value} onChange={setValue} />}
      <Suspense fallback={<div className="skeleton skeleton-chart" aria-hidden="true" />}>
        <TimeSeriesChart
          label={t('chart.label', { count: series.length })}
          series={series}
          fromMs={found.fromMs}
          toMs={found.toMs}
          unfinishedMs={Number.POSITIVE_INFINITY}
          stepMs={found.stepMs}
          unit={unit}
          stacked={false}
          fromZero={unit !== 'percent' && isPositive}
          outlook={noOutlook}
          locale={locale}
          zone={zone}
          markers={noMarkers}
        />
      </Suspense>
      <ul className="legend" aria-label={t('chart.legend')}>
        {items.map(({ key, name, color }, i) => (
          <li key={key}>
            <button type="button" aria-pressed={!hidden.has(i)} onClick={() => toggle(i)}>
              <Swatch color={color} />
              <span className="ellipsis">{name}</span>
            </button>
          </li>
        ))}
      </ul>
      {found.left > 0 && (
        <p className="dim sql-note">{t('chart.left', { count: found.left, shown: items.length })}</p>
      )}
    </div>
  );
}

const noOutlook: never[] = [];
const noMarkers: never[] = [];
