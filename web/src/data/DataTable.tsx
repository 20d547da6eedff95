import type { ReactNode } from 'react';

export interface Column<R> {
  id: string;
  head: string;
  isNumber?: boolean;
  /** No wider than what is in it. */
  isNarrow?: boolean;
  /** The column that names the row. */
  isName?: boolean;
  cell: (row: R) => ReactNode;
}

interface Props<R> {
  /** What the table shows, for screen readers; a heading above it says the same. */
  label: string;
  columns: readonly Column<R>[];
  rows: readonly R[];
  rowKey: (row: R, index: number) => string;
  isChosen?: (row: R) => boolean;
  testId?: string;
}

/** A table that becomes a list of cards where there is no room for its columns. */
export function DataTable<R>({ label, columns, rows, rowKey, isChosen, testId }: Props<R>) {
  return (
    <table className="data-table" aria-label={label} data-testid={testId}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.id} scope="col" className={classOf(column)}>
              {column.head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr
            key={rowKey(row, index)}
            data-row={rowKey(row, index)}
            data-chosen={isChosen?.(row) || undefined}
          >
            {columns.map((column) => {
              const className = classOf(column);
              return column.isName ? (
                <th key={column.id} scope="row">
                  {column.cell(row)}
                </th>
              ) : (
                <td key={column.id} className={className} data-label={column.head} data-column={column.id}>
                  <div>{column.cell(row)}</div>
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function classOf({ isNumber, isNarrow }: { isNumber?: boolean; isNarrow?: boolean }): string | undefined {
  return [isNumber && 'data-number', isNarrow && 'data-narrow'].filter(Boolean).join(' ') || undefined;
}
