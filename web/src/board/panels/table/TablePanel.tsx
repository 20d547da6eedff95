import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { Figure, Metric, TableDefinition } from '../../../api/types';
import { isSum } from '../../../charts/shape';
import { cellText, exactText } from '../../../explore/exact';
import { isCurrency } from '../../../format/figure';
import { figureText, isComparable } from '../../../format/units';
import { useSpeech } from '../../../i18n/hooks';
import { usePaced, useSeen } from '../../../live/hooks';
import { drillSearch } from '../../drill';
import { UnknownMetric } from '../../UnknownMetric';
import { appliedTo } from '../../view';
import { askAll, figuresQuery, pulsesOf } from '../asked';
import type { PanelProps } from '../DefinedPanel';
import { PanelFrame } from '../PanelFrame';
import { panelTexts } from '../texts';
import { filtersOf, sortTable, type TableAnswer, type TableRow, type TableSort, tableView } from './rows';
import './table.css';

export const TOP_DEFAULT = 10;
/** A table of one dimension is cheap; each further one multiplies what is read. */
const PACE_MS = { one: 2_000, more: 5_000 };
/** As many slices as further columns are asked for: all combinations of the values that the rows have, within reason. */
const ALSO_MAX = 1_000;

/** The largest slices of a metric, with further metrics beside it. */
export function TablePanel({ panel, metrics, view }: PanelProps<TableDefinition>) {
  const metric = metrics.get(panel.metric);
  if (!metric) return <UnknownMetric title={panel.title} name={panel.metric} width={panel.width} isChart />;
  const names = panel.also ?? [];
  const also = names.flatMap((name) => metrics.get(name) ?? []);
  const missing = names.filter((name) => !metrics.has(name));
  return <Table panel={panel} metric={metric} also={also} missing={missing} view={view} />;
}

interface Props {
  panel: TableDefinition;
  metric: Metric;
  also: Metric[];
  /** Further metrics that are not defined, or not any more: the table goes without their columns, and says so. */
  missing: string[];
  view: PanelProps['view'];
}

function Table({ panel, metric, also, missing, view }: Props) {
  const t = panelTexts.use();
  const speech = useSpeech();
  const { locale } = speech;
  const { range, filters } = view;
  const { by } = panel;
  const top = panel.top ?? TOP_DEFAULT;
  const applied = useMemo(
    () => appliedTo([metric, ...also], panel.where, filters),
    [metric, also, panel.where, filters],
  );
  const { where } = applied;
  const { ref, isSeen } = useSeen<HTMLElement>();
  const [sort, setSort] = useState<TableSort>({ column: 'value', isDown: true });
  const ask = async (signal: AbortSignal): Promise<TableAnswer> => {
    const main = [figuresQuery(metric, range, by, where, top), figuresQuery(metric, range, [], where)];
    const [rows, whole] = await askAll(main, signal);
    if (!rows || !whole) throw new Error('an answer is missing');
    const beside = filtersOf(rows, top, where);
    const further = rows.series.length > 0 ? also : [];
    const columns = further.map((one) => figuresQuery(one, range, by, beside, ALSO_MAX));
    return { rows, whole, also: await askAll(columns, signal) };
  };
  const answer = usePaced(ask, {
    pulses: pulsesOf([metric, ...also], range),
    key: JSON.stringify([metric.name, also.map(({ name }) => name), by, where, range, top]),
    paceMs: by.length > 1 || also.length > 0 ? PACE_MS.more : PACE_MS.one,
    isSeen: isSeen && applied.excluded === null,
  });
  const canCompare = isComparable(metric.unit);
  const shown = useMemo(
    () => answer.data && tableView(answer.data, metric.kind, top, canCompare),
    [answer.data, metric.kind, top, canCompare],
  );
  const valueIn = (row: TableRow, at: number) => speech.sliceValue(row.by[by[at] ?? ''] ?? null);
  const rows = shown ? sortTable(shown.rows, sort, valueIn, locale) : [];
  const rangeText = speech.t(`range.last.${range}`);
  const heads = by.map(speech.dimension).join(speech.language === 'zh' ? '、' : ', ');
  const title = speech.titled(
    panel.title,
    metric.name,
    `${speech.metric(metric.name)} ${speech.t('chart.by', { dimension: heads })}`,
  );
  const drill = (slice: Record<string, string | null>) =>
    drillSearch({ metric, range, where, by, slice, compare: view.compare === 'none' ? null : view.compare });
  const hasShare = isSum(metric.kind) && canCompare;
  const columnName = (one: Metric) =>
    one.unit !== null && isCurrency(one.unit)
      ? `${speech.metric(one.name)} (${one.unit})`
      : speech.metric(one.name);
  const columns: [TableSort['column'], string, boolean][] = [
    ...by.map((dimension, i): [TableSort['column'], string, boolean] => [
      `by ${i}`,
      speech.dimension(dimension),
      false,
    ]),
    ['value', columnName(metric), true],
    ...also.map((one, i): [TableSort['column'], string, boolean] => [`also ${i}`, columnName(one), true]),
  ];

  return (
    <PanelFrame
      kind="table"
      title={title}
      hint={metric.description}
      note={rangeText}
      width={panel.width}
      own={panel.where}
      applied={applied}
      drill={drill({})}
      frameRef={ref}
      data={{ 'data-metric': metric.name, 'data-updated-at': answer.receivedAtMs ?? '' }}
      error={answer.error}
      onRetry={answer.retry}
      empty={shown?.rows.length === 0 && speech.t('chart.empty', { range: rangeText })}
    >
      {shown && (
        <>
          <div className="top-scroll">
            <table className="top-table">
              <caption className="visually-hidden">{`${title}, ${rangeText}`}</caption>
              <thead>
                <tr>
                  {columns.map(([column, name, isNumber]) => (
                    <SortHead
                      key={column}
                      name={name}
                      isNumber={isNumber}
                      sort={sort.column === column ? sort : null}
                      onSort={(isDown) => setSort({ column, isDown })}
                    />
                  ))}
                  {hasShare && (
                    <th scope="col" className="number top-share">
                      {t('table.share')}
                    </th>
                  )}
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={row.key} data-testid="top-row" data-slice={row.key} data-value={row.value ?? ''}>
                    {by.map((dimension, i) =>
                      i === 0 ? (
                        <th key={dimension} scope="row">
                          <Link to="/explore" search={drill(row.by)} className="row-link ellipsis">
                            {valueIn(row, i)}
                          </Link>
                        </th>
                      ) : (
                        <td key={dimension}>
                          <span className="row-value ellipsis" title={valueIn(row, i)}>
                            {valueIn(row, i)}
                          </span>
                        </td>
                      ),
                    )}
                    <FigureCell figure={row.value} unit={metric.unit} bar={row.bar} />
                    {also.map((one, i) => (
                      <FigureCell key={one.name} figure={row.also[i] ?? null} unit={one.unit} />
                    ))}
                    {hasShare && (
                      <td className="number top-share">{figureText(row.share, 'percent', locale)}</td>
                    )}
                  </tr>
                ))}
              </tbody>
              {shown.rest && (
                <tfoot>
                  <tr data-testid="top-rest">
                    <th scope="row" colSpan={by.length}>
                      {speech.t('chart.rest')}
                    </th>
                    <FigureCell figure={shown.rest.value} unit={metric.unit} />
                    {also.map((one) => (
                      <td key={one.name} className="number dim">
                        <span aria-hidden="true">–</span>
                      </td>
                    ))}
                    <td className="number top-share">{figureText(shown.rest.share, 'percent', locale)}</td>
                  </tr>
                </tfoot>
              )}
            </table>
          </div>
          {missing.map((name) => (
            <p key={name} className="panel-said" data-testid="missing-column">
              {speech.t('state.unknownMetric', { metric: name })}
            </p>
          ))}
          {shown.isCut && (
            <p className="panel-said">
              {t(isSum(metric.kind) ? 'table.largest' : 'table.heaviest', { count: rows.length })}
            </p>
          )}
        </>
      )}
    </PanelFrame>
  );
}

interface CellProps {
  figure: Figure | null;
  unit: string | null;
  bar?: number | null;
}

function FigureCell({ figure, unit, bar }: CellProps) {
  const { locale } = useSpeech();
  return (
    <td className="number" title={exactText(figure, unit, locale)}>
      {typeof bar === 'number' && (
        <span className="cell-bar" aria-hidden="true">
          <span style={{ width: `${(bar * 100).toFixed(2)}%` }} />
        </span>
      )}
      <span className="cell-figure">{cellText(figure, unit, locale, false)}</span>
    </td>
  );
}

interface HeadProps {
  name: string;
  isNumber: boolean;
  /** How the table is sorted by this column; null where it is not. */
  sort: TableSort | null;
  onSort: (isDown: boolean) => void;
}

function SortHead({ name, isNumber, sort, onSort }: HeadProps) {
  const direction = sort ? (sort.isDown ? 'descending' : 'ascending') : 'none';
  return (
    <th scope="col" aria-sort={direction} className={isNumber ? 'number' : ''}>
      {/* Names begin at A, figures at the largest. */}
      <button type="button" className="top-sort" onClick={() => onSort(sort ? !sort.isDown : isNumber)}>
        {name}
        <span aria-hidden="true">{sort ? (sort.isDown ? '↓' : '↑') : ''}</span>
      </button>
    </th>
  );
}
