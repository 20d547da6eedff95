export interface Place {
  row: number;
  column: number;
}

interface Extent {
  rows: number;
  columns: number;
  /** Rows that a page key goes. */
  page: number;
}

/** Where a key leads from a cell: null where it leads out of the grid, undefined where it is none of the grid's. */
export function moved(
  key: string,
  isFar: boolean,
  from: Place | null,
  extent: Extent,
): Place | null | undefined {
  if (key === 'Escape') return from ? null : undefined;
  if (extent.rows === 0 || extent.columns === 0) return undefined;
  const { row, column } = from ?? { row: 0, column: 0 };
  const last = { row: extent.rows - 1, column: extent.columns - 1 };
  const to = (next: Place): Place => {
    // The first key only says where one is.
    if (!from && key.startsWith('Arrow')) return { row: 0, column: 0 };
    return {
      row: Math.min(last.row, Math.max(0, next.row)),
      column: Math.min(last.column, Math.max(0, next.column)),
    };
  };
  switch (key) {
    case 'ArrowUp':
      return to({ row: isFar ? 0 : row - 1, column });
    case 'ArrowDown':
      return to({ row: isFar ? last.row : row + 1, column });
    case 'ArrowLeft':
      return to({ row, column: isFar ? 0 : column - 1 });
    case 'ArrowRight':
      return to({ row, column: isFar ? last.column : column + 1 });
    case 'PageUp':
      return to({ row: row - extent.page, column });
    case 'PageDown':
      return to({ row: row + extent.page, column });
    case 'Home':
      return to({ row: isFar ? 0 : row, column: 0 });
    case 'End':
      return to({ row: isFar ? last.row : row, column: last.column });
    default:
      return undefined;
  }
}
