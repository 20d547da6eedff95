import type { Figure, Metric } from '../api/types';
import type { Stretch } from '../charts/brush';
import type { Snapshot } from '../charts/TimeSeriesChart';
import { changeSize } from '../format/change';
import { zoneOffset } from '../format/time';
import { figureText } from '../format/units';
import type { Speech } from '../i18n/hooks';
import { sliceKey } from '../live/merge';
import { type CsvColumn, courseCsv, fileName, tableCsv } from './csv';
import { download } from './download';
import { pictureOf } from './picture';
import type { TableRow } from './SliceTable';
import { moveCourse } from './slices';
import { spanText } from './spanText';
import type { Chart } from './useChart';
import type { Exploration } from './useExploration';
import { wallText } from './zoned';

/** What every export says of itself. */
export interface Exported {
  metric: Metric;
  title: string;
  /** The filters and the comparison in words. */
  details: string[];
  exploration: Exploration;
  chart: Chart;
  speech: Speech;
  /** What figures between 0 and 1 are called, which a page shows as per cents. */
  fraction: string;
}

/** `adyen (EUR)`: a column says what its figures are. */
function withUnit(name: string, { metric, fraction }: Exported): string {
  const { unit } = metric;
  return unit === null ? name : `${name} (${unit === 'percent' ? fraction : unit})`;
}

/** A wall-clock time that spreadsheets read and that sorts by itself. */
function wallTime(atMs: number, zone: string): string {
  const text = wallText(atMs, zone).replace('T', ' ');
  return text.length === 16 ? `${text}:00` : text;
}

function nameOfFile({ title, exploration: { stretch } }: Exported, extension: string): string {
  const stamp = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace(':', '');
  return fileName(['tillwatch', title, stamp(stretch.fromMs), stamp(stretch.toMs)], extension);
}

function saveText(text: string, name: string): void {
  download(new Blob([text], { type: 'text/csv;charset=utf-8' }), name);
}

/** The courses that are drawn, and the compared ones beside them. */
export function saveCourses(exported: Exported, startName: string): void {
  const { exploration, chart, speech } = exported;
  const { zone } = speech;
  const { past, stretch } = exploration;
  const pastCourses = new Map((past?.lines?.series ?? []).map(({ by, points }) => [sliceKey(by), points]));
  const columns = chart.courses.flatMap(({ key, by, points }): CsvColumn[] => {
    const name = chart.nameOf(by, key);
    const then = past && pastCourses.get(key);
    return [
      { name: withUnit(name, exported), points },
      ...(then
        ? [
            {
              name: withUnit(`${name}, ${chart.ghostLabel}`, exported),
              points: moveCourse(then, past.backMs),
            },
          ]
        : []),
    ];
  });
  const within = columns.map(({ name, points }) => ({
    name,
    points: points.filter(([at]) => at + chart.stepMs > stretch.fromMs && at < stretch.toMs),
  }));
  const names: [string, string] = [`${startName} (UTC)`, `${startName} (${zone})`];
  saveText(
    courseCsv(within, names, (at) => wallTime(at, zone)),
    nameOfFile(exported, 'csv'),
  );
}

/** The table as it is sorted. A change is written with its unit in the head, so that the cells are numbers. */
export function saveTable(exported: Exported, rows: readonly TableRow[], heads: TableHeads): void {
  const { metric, exploration } = exported;
  const isCompared = exploration.past !== null;
  const head = [heads.slice, withUnit(heads.value, exported), withUnit(heads.last, exported)];
  if (isCompared)
    head.push(
      withUnit(heads.earlier, exported),
      `${heads.change} (${metric.unit === 'percent' ? 'pp' : '%'})`,
    );
  const cells = rows.map(({ name, value, last, earlier, change }) => {
    const row: ({ text: string } | { figure: Figure | null })[] = [
      { text: name },
      { figure: value },
      { figure: last },
    ];
    if (!isCompared) return row;
    const amount = change?.kind === 'points' || change?.kind === 'percent' ? change.amount : null;
    const sign = (amount ?? 0) < 0 ? '-' : '';
    return [
      ...row,
      { figure: earlier },
      { figure: amount === null ? null : `${sign}${changeSize(amount, 'en').replaceAll(',', '')}` },
    ];
  });
  saveText(tableCsv(head, cells), nameOfFile(exported, 'csv').replace(/\.csv$/, '_table.csv'));
}

export interface TableHeads {
  slice: string;
  value: string;
  last: string;
  earlier: string;
  change: string;
}

/** A time that moves with the clock is told to the minute. */
function wholeMinutes({ fromMs, toMs }: Stretch): Stretch {
  const whole = (ms: number) => (ms % 1_000 === 0 ? ms : Math.floor(ms / 60_000) * 60_000);
  return { fromMs: whole(fromMs), toMs: whole(toMs) };
}

/** Sharp enough for a slide, whatever the screen. */
const RATIO_MIN = 2;

/** The chart as it is drawn, with what the page says around it. */
export function savePicture(
  exported: Exported,
  snapshot: Snapshot,
  figures: ReadonlyMap<string, Figure | null>,
  note: string,
): void {
  const { title, details, exploration, chart, speech, metric } = exported;
  const { locale, zone } = speech;
  const ratio = Math.max(RATIO_MIN, devicePixelRatio || 1);
  const { canvas, toPx } = snapshot(ratio);
  const root = getComputedStyle(document.documentElement);
  const read = (name: string) => root.getPropertyValue(name).trim();
  const { fromMs } = exploration.stretch;
  const { endMs } = chart;
  const within = (ms: number) => toPx(Math.min(Math.max(ms, fromMs), endMs));
  const bands = chart.markers.map(({ incident, startMs, endMs }) => ({
    fromPx: within(startMs),
    toPx: within(endMs),
    color: incident.state === 'resolved' ? read('--text-3') : read(`--${incident.severity}`),
  }));
  const legend = chart.series.map(({ key, name, color }) => ({
    name,
    color,
    value: figures.has(key) ? figureText(figures.get(key), metric.unit, locale) : '',
  }));
  const offset = zoneOffset(zone, fromMs);
  const caption = {
    title,
    subtitle: [spanText(wholeMinutes(exploration.stretch), locale, zone), ...details].join(' · '),
    legend,
    note: `${offset === zone ? zone : `${zone} (${offset})`} · ${note}`,
  };
  const style = {
    surface: read('--surface-1'),
    text: read('--text-1'),
    dim: read('--text-3'),
    family: getComputedStyle(document.body).fontFamily,
  };
  const remPx = Number.parseFloat(root.fontSize) || 16;
  const picture = pictureOf(canvas, ratio, caption, bands, style, remPx);
  picture.toBlob((blob) => {
    if (blob) download(blob, nameOfFile(exported, 'png'));
  }, 'image/png');
}
