// biome-ignore-all lint/a11y/useSemanticElements: rows and cells that are placed one by one are no rows and cells of a table
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus and names the cell that is meant
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type MouseEvent, useEffect, useMemo, useRef, useState } from 'react';
import { useSpeech } from '../../i18n/hooks';
import { ArrowIcon } from '../../shell/icons';
import type { SqlAnswer } from '../call';
import { cellText, rawText, type Sorting, sortedRows } from '../cells';
import { copyText } from '../download';
import { texts } from '../texts';
import { CellBar } from './CellBar';
import { type ShownColumn, widthsOf } from './columns';
import { moved, type Place } from './move';
import { useRemPx } from './useRemPx';

const ROW_REM = 1.875;
const HEAD_REM = 3;
/** An average letter of the table's type, and what a cell has beside its text. */
const LETTER_REM = 0.475;
const PADDING_REM = 1.6;

/** Shorter texts have room in their column. */
const TITLE_FROM = 24;

interface Props {
  answer: SqlAnswer;
  columns: ShownColumn[];
}

/** Rows by the ten thousand: only those in sight are drawn. */
export function ResultTable({ answer, columns }: Props) {
  const t = texts.use();
  const { locale, zone } = useSpeech();
  const remPx = useRemPx();
  const scroller = useRef<HTMLDivElement>(null);
  const [sorting, setSorting] = useState<Sorting | null>(null);
  const [active, setActive] = useState<Place | null>(null);
  const { rows } = answer;
  const order = useMemo(() => {
    const kind = sorting ? columns[sorting.column]?.kind : undefined;
    return sorting && kind ? sortedRows(rows, kind, sorting) : null;
  }, [rows, columns, sorting]);
  const widths = useMemo(
    () =>
      widthsOf(answer, columns, locale, zone).map((letters) =>
        Math.round((letters * LETTER_REM + PADDING_REM) * remPx),
      ),
    [answer, columns, locale, zone, remPx],
  );
  const headPx = Math.round(HEAD_REM * remPx);
  const rowPx = Math.round(ROW_REM * remPx);
  const across = useVirtualizer({
    horizontal: true,
    count: columns.length,
    getScrollElement: () => scroller.current,
    estimateSize: (i) => widths[i] ?? 0,
    overscan: 2,
  });
  const down = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 8,
    paddingStart: headPx,
    scrollPaddingStart: headPx,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: other widths and heights are measured anew
  useEffect(() => {
    across.measure();
    down.measure();
  }, [widths, rowPx, headPx]);

  const rowAt = (shown: number) => rows[order ? (order[shown] ?? 0) : shown];
  const cellAt = ({ row, column }: Place) => rowAt(row)?.[column] ?? null;
  const go = (place: Place | null) => {
    setActive(place);
    if (!place) return;
    down.scrollToIndex(place.row);
    across.scrollToIndex(place.column);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'c' && active) {
      // Marked text is what the reader means to copy.
      if (getSelection()?.isCollapsed === false) return;
      event.preventDefault();
      void copyText(rawText(cellAt(active)));
      return;
    }
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowPx) - 2);
    const next = moved(event.key, event.ctrlKey || event.metaKey, active, {
      rows: rows.length,
      columns: columns.length,
      page,
    });
    if (next === undefined) return;
    event.preventDefault();
    go(next);
  };
  const onClick = (event: MouseEvent) => {
    const cell = event.target instanceof Element ? event.target.closest('[data-row]') : null;
    if (!(cell instanceof HTMLElement)) return;
    setActive({ row: Number(cell.dataset.row), column: Number(cell.dataset.column) });
  };
  const sortBy = (column: number) => {
    setActive(null);
    setSorting((old) => {
      if (old?.column !== column) return { column, isDescending: columns[column]?.kind === 'number' };
      const first = columns[column]?.kind === 'number';
      return old.isDescending === first ? { column, isDescending: !first } : null;
    });
  };

  const shown = across.getVirtualItems();
  const size = { width: across.getTotalSize(), height: down.getTotalSize() };
  const idOf = ({ row, column }: Place) => `sql-cell-${row}-${column}`;
  const activeColumn = active ? columns[active.column] : undefined;
  return (
    <>
      <div
        className="sql-grid"
        ref={scroller}
        role="grid"
        tabIndex={0}
        aria-label={t('table.label')}
        aria-rowcount={rows.length + 1}
        aria-colcount={columns.length}
        aria-activedescendant={active ? idOf(active) : undefined}
        data-testid="sql-table"
        data-rows={rows.length}
        onKeyDown={onKey}
        onClick={onClick}
      >
        <div role="presentation" className="sql-grid-body" style={size}>
          <div role="row" aria-rowindex={1} className="sql-grid-head" style={{ height: headPx }}>
            {shown.map(({ index, start, size: width }) => {
              const column = columns[index];
              if (!column) return null;
              const isSorted = sorting?.column === index;
              const direction = isSorted ? (sorting.isDescending ? 'descending' : 'ascending') : 'none';
              return (
                <div
                  key={index}
                  role="columnheader"
                  aria-colindex={index + 1}
                  aria-sort={direction}
                  className="sql-head"
                  data-kind={column.kind}
                  style={{ left: start, width }}
                >
                  <button type="button" title={column.name} onClick={() => sortBy(index)}>
                    <span className="sql-head-name">
                      <span className="ellipsis">{column.name}</span>
                      {isSorted && <ArrowIcon direction={sorting.isDescending ? 'down' : 'up'} />}
                    </span>
                    <span className="sql-head-type ellipsis">
                      {column.type}
                      {column.unit && ` · ${column.unit === 'percent' ? t('table.share') : column.unit}`}
                    </span>
                  </button>
                </div>
              );
            })}
          </div>
          {down.getVirtualItems().map(({ index: row, start }) => (
            <div
              key={row}
              role="row"
              aria-rowindex={row + 2}
              className="sql-row"
              style={{ height: rowPx, transform: `translateY(${start}px)`, width: size.width }}
            >
              {shown.map(({ index, start: left, size: width }) => {
                const place = { row, column: index };
                const cell = cellAt(place);
                const kind = columns[index]?.kind ?? 'other';
                const isActive = active?.row === row && active.column === index;
                const isTime = kind === 'time' || kind === 'date';
                return (
                  <div
                    key={index}
                    id={idOf(place)}
                    role="gridcell"
                    aria-colindex={index + 1}
                    aria-selected={isActive}
                    className="sql-cell"
                    data-kind={kind}
                    data-row={row}
                    data-column={index}
                    title={
                      cell !== null && (isTime || rawText(cell).length > TITLE_FROM)
                        ? rawText(cell)
                        : undefined
                    }
                    style={{ left, width }}
                  >
                    {cell === null ? (
                      <span className="sql-null">null</span>
                    ) : (
                      <span className="ellipsis">{cellText(cell, kind, locale, zone)}</span>
                    )}
                  </div>
                );
              })}
            </div>
          ))}
        </div>
      </div>
      {active && activeColumn && (
        <CellBar
          column={activeColumn}
          cell={cellAt(active)}
          row={active.row}
          onClose={() => setActive(null)}
        />
      )}
    </>
  );
}
