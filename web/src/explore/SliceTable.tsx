import type { MouseEvent } from 'react';
import type { Figure } from '../api/types';
import { Swatch } from '../charts/Swatch';
import { type Change, changeSize } from '../format/change';
import { isCurrency } from '../format/figure';
import { useSpeech } from '../i18n/hooks';
import { ArrowIcon } from '../shell/icons';
import { cellText, exactText } from './exact';
import { PageIcon } from './icons';
import type { SliceRow } from './slices';
import type { ExploreState, SortKey } from './state';
import { exploreTexts } from './texts';

export interface TableRow extends SliceRow {
  name: string;
  /** The colour of its line; null for what is not drawn. */
  color: string | null;
  /** Whether there is a course to draw it by. */
  canDraw: boolean;
}

interface Props {
  rows: TableRow[];
  /** Above the slices, however these are sorted: the whole, and what of it is not drawn by itself. */
  pinned: TableRow[];
  unit: string | null;
  /** What the first figure is. */
  valueName: string;
  lastName: string;
  /** Null while nothing is compared. */
  changeName: string | null;
  only: ReadonlySet<string>;
  sort: ExploreState['sort'];
  exact: boolean;
  onSort: (sort: ExploreState['sort']) => void;
  onIsolate: (row: TableRow, isAdded: boolean) => void;
  onFilter: (row: TableRow) => void;
  onPoint: (key: string | null) => void;
}

/** The slices with their figures. A row isolates its line, and with Ctrl or Shift joins it to those isolated. */
export function SliceTable(props: Props) {
  const { rows, pinned, unit, valueName, lastName, changeName, only, sort, exact } = props;
  const t = exploreTexts.use();
  const { locale } = useSpeech();
  const text = (figure: Figure | null) => cellText(figure, unit, locale, exact);
  const heads: [SortKey, string][] = [
    ['name', t('table.slice')],
    ['value', unit !== null && isCurrency(unit) ? `${valueName} (${unit})` : valueName],
    ['last', lastName],
    ...(changeName === null ? [] : [['change', changeName] as [SortKey, string]]),
  ];
  const figures = (row: TableRow) => (
    <>
      <td className="number" title={exactText(row.value, unit, locale)}>
        <data value={row.value ?? ''}>{text(row.value)}</data>
      </td>
      <td className="number" title={exactText(row.last, unit, locale)}>
        {text(row.last)}
      </td>
      {changeName !== null && (
        <td
          className="number"
          title={row.change ? t('table.earlier', { value: exactText(row.earlier, unit, locale) }) : undefined}
        >
          <ChangeText change={row.change} />
        </td>
      )}
    </>
  );
  return (
    <div className="slices-scroll">
      <table className="slices" data-testid="slices" data-compared={changeName !== null}>
        <thead>
          <tr>
            {heads.map(([key, name]) => {
              const isSorted = sort.key === key;
              const direction = isSorted ? (sort.isDown ? 'descending' : 'ascending') : 'none';
              // Names begin at A, figures at the largest.
              const isDown = isSorted ? !sort.isDown : key !== 'name';
              return (
                <th key={key} scope="col" aria-sort={direction} className={key === 'name' ? '' : 'number'}>
                  <button type="button" className="sort" onClick={() => props.onSort({ key, isDown })}>
                    {name}
                    <span aria-hidden="true">{isSorted ? (sort.isDown ? '↓' : '↑') : ''}</span>
                  </button>
                </th>
              );
            })}
            <th>
              <span className="visually-hidden">{t('table.filter')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {pinned.map((row, i) => (
            <tr
              key={row.key}
              className={i === 0 ? 'slices-whole' : undefined}
              data-testid={i === 0 ? 'slice-whole' : 'slice-rest'}
              data-value={row.value ?? ''}
            >
              <th scope="row">
                <span className="slice-name">
                  {row.color && <Swatch color={row.color} />}
                  <span className="ellipsis">{row.name}</span>
                </span>
              </th>
              {figures(row)}
              <td />
            </tr>
          ))}
          {rows.map((row) => (
            <tr
              key={row.key}
              data-testid="slice"
              data-slice={row.name}
              data-value={row.value ?? ''}
              data-drawn={row.color !== null}
              data-only={only.has(row.key) || undefined}
              onPointerEnter={() => props.onPoint(row.key)}
              onPointerLeave={() => props.onPoint(null)}
            >
              <th scope="row">
                <RowName
                  row={row}
                  isOnly={only.has(row.key)}
                  onIsolate={props.onIsolate}
                  onPoint={props.onPoint}
                />
              </th>
              {figures(row)}
              <td>
                <button
                  type="button"
                  className="row-filter"
                  aria-label={t('table.filterTo', { name: row.name })}
                  title={t('table.filterTo', { name: row.name })}
                  onClick={() => props.onFilter(row)}
                >
                  <PageIcon name="filter" />
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface NameProps {
  row: TableRow;
  isOnly: boolean;
  onIsolate: Props['onIsolate'];
  onPoint: Props['onPoint'];
}

function RowName({ row, isOnly, onIsolate, onPoint }: NameProps) {
  const t = exploreTexts.use();
  const content = (
    <>
      {row.color ? <Swatch color={row.color} /> : <span className="swatch swatch-none" />}
      <span className="ellipsis">{row.name}</span>
    </>
  );
  if (!row.canDraw) {
    return (
      <span className="slice-name" title={row.name}>
        {content}
      </span>
    );
  }
  return (
    <button
      type="button"
      className="slice-name"
      aria-pressed={isOnly}
      title={t(isOnly ? 'table.showAll' : 'table.isolate', { name: row.name })}
      onClick={(event: MouseEvent) => onIsolate(row, event.ctrlKey || event.metaKey || event.shiftKey)}
      onFocus={() => onPoint(row.key)}
      onBlur={() => onPoint(null)}
    >
      {content}
    </button>
  );
}

/** A change without a judgement: whether more is better, a metric does not say. */
export function ChangeText({ change }: { change: Change | null }) {
  const t = exploreTexts.use();
  const { t: say, locale } = useSpeech();
  if (change === null) return <span className="dim">…</span>;
  if (change.kind === 'new') return <span>{say('tile.new')}</span>;
  if (change.kind === 'unknown' || change.kind === 'partial') {
    const reason = t(change.kind === 'partial' ? 'table.partial' : 'table.noComparison');
    return (
      <span className="dim" title={reason}>
        –<span className="visually-hidden">{reason}</span>
      </span>
    );
  }
  const { kind, amount, direction } = change;
  const sign = direction === 'flat' ? '' : amount > 0 ? '+' : '\u2212';
  return (
    <span className="change-text">
      <ArrowIcon direction={direction} />
      {sign}
      {changeSize(amount, locale)}
      {kind === 'points' ? `\u00a0${say('change.pp')}` : '%'}
    </span>
  );
}
