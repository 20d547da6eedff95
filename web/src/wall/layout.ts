import type { Board, ChartDefinition, PanelDefinition, PanelWidth, TileDefinition } from '../api/types';
import { evenColumns } from '../board/columns';

/** What a screen has to offer below the head of the wall. */
export interface Screen {
  widthPx: number;
  heightPx: number;
  /** The size of type, which grows with the screen. */
  remPx: number;
}

/** A chart or a panel, and how many of the twelve columns it takes. */
export interface Cell {
  what: { kind: 'chart'; chart: ChartDefinition } | { kind: 'panel'; panel: PanelDefinition };
  key: string;
  span: number;
}

export interface Row {
  cells: Cell[];
  /** Its part of the height that is left, beside those of the other rows. */
  weight: number;
}

/** As much of a board as a screen shows at once. */
export interface WallPage {
  tiles: { tile: TileDefinition; key: string }[];
  /** How many tiles stand side by side. */
  tileColumns: number;
  rows: Row[];
  /** Whether the incidents stand beside it, or fill it where there is no room beside anything. */
  incidents: 'none' | 'beside' | 'alone';
}

const COLUMNS = 12;
const GAP_REM = 0.75;
export const TILE_REM = 8;
const TILE_WIDTH_REM = 13.5;
const TILES_A_ROW_MAX = 8;
/** Of a page with tiles and rows, the tiles take no more than this. */
const TILES_SHARE_MAX = 0.45;
const INCIDENTS_WIDTH_REM = 23;
/** Room for the incidents beside the rest. */
const BESIDE_FROM_REM = 70;
/** Room for two panels side by side, and for three. */
const TWO_FROM_REM = 48;
const THREE_FROM_REM = 61;

/** Rows of a table beyond these are read on the board itself. */
const ROWS_READ_MAX = 8;

/** The least height at which a panel says something, in rem. */
export function leastRem(what: Cell['what']): number {
  if (what.kind === 'chart') return 17;
  const { panel } = what;
  switch (panel.kind) {
    case 'text':
      return 8;
    case 'gauge':
      return 16;
    case 'table':
      return 8 + 1.9 * Math.min(panel.top ?? 10, ROWS_READ_MAX);
    case 'funnel':
      return 6 + 3.5 * panel.steps.length;
    case 'sankey':
      return 21;
    case 'heatmap':
      return 18;
    default:
      return 19;
  }
}

function spanOf(width: PanelWidth | null | undefined, roomRem: number): number {
  if (roomRem < TWO_FROM_REM) return COLUMNS;
  if (width === 'full') return COLUMNS;
  if (width === 'third') return roomRem < THREE_FROM_REM ? COLUMNS / 2 : COLUMNS / 3;
  return COLUMNS / 2;
}

/** The rows of a board: in order, as many side by side as fit, and none with a hole at its end. */
function rowsOf(cells: readonly Cell[]): Row[] {
  const rows: Cell[][] = [];
  let used = COLUMNS;
  for (const cell of cells) {
    if (used + cell.span > COLUMNS) {
      rows.push([]);
      used = 0;
    }
    rows.at(-1)?.push(cell);
    used += cell.span;
  }
  return rows.map((row) => {
    const total = row.reduce((sum, { span }) => sum + span, 0);
    const cut = row.map((cell) => ({ ...cell, span: Math.floor((cell.span / total) * COLUMNS) }));
    const missing = COLUMNS - cut.reduce((sum, { span }) => sum + span, 0);
    const last = cut.at(-1);
    if (last) last.span += missing;
    return { cells: cut, weight: Math.max(...row.map(({ what }) => leastRem(what))) };
  });
}

/**
 * Lays a board out on pages of which none has to be scrolled. Each row of panels gets at least the height at which it says
 * something; what does not fit stands on a further page, and the rows of a page share what is left of its height.
 */
export function wallPages(board: Board, screen: Screen): WallPage[] {
  const widthRem = screen.widthPx / screen.remPx;
  const heightRem = screen.heightPx / screen.remPx;
  const beside = board.incidents && widthRem >= BESIDE_FROM_REM;
  const roomRem = beside ? widthRem - INCIDENTS_WIDTH_REM - GAP_REM : widthRem;
  const incidents = beside ? 'beside' : 'none';
  const cells: Cell[] = [
    ...board.charts.map((chart, i) => ({
      what: { kind: 'chart' as const, chart },
      key: `chart-${i}-${chart.metric}`,
      span: spanOf(chart.width, roomRem),
    })),
    ...(board.panels ?? []).map((panel, i) => ({
      what: { kind: 'panel' as const, panel },
      key: `panel-${i}-${panel.kind}`,
      span: spanOf(panel.width, roomRem),
    })),
  ];
  const rows = rowsOf(cells);
  const most = Math.max(1, Math.min(TILES_A_ROW_MAX, Math.floor(widthRem / TILE_WIDTH_REM)));
  const tileColumns = evenColumns(board.tiles.length, most);
  const tileRows = (count: number) => Math.ceil(count / tileColumns);
  const heightOfTiles = (count: number) => tileRows(count) * (TILE_REM + GAP_REM);

  const tiles = board.tiles.map((tile, i) => ({ tile, key: `${i}-${tile.metric}` }));
  const pages: WallPage[] = [];
  const room = rows.length > 0 ? heightRem * TILES_SHARE_MAX : heightRem;
  const aboveRows = Math.max(1, Math.floor(room / (TILE_REM + GAP_REM))) * tileColumns;
  // Tiles that would leave nothing for the charts have pages of their own.
  const tilesAPage = Math.max(1, Math.floor(heightRem / (TILE_REM + GAP_REM))) * tileColumns;
  let left = tiles;
  while (left.length > aboveRows) {
    pages.push({ tiles: left.slice(0, tilesAPage), tileColumns, rows: [], incidents });
    left = left.slice(tilesAPage);
  }
  let page: WallPage = { tiles: left, tileColumns, rows: [], incidents };
  let used = heightOfTiles(left.length);
  for (const row of rows) {
    if (page.rows.length > 0 && used + row.weight > heightRem) {
      pages.push(page);
      page = { tiles: [], tileColumns, rows: [], incidents };
      used = 0;
    }
    page.rows.push(row);
    used += row.weight + GAP_REM;
  }
  if (page.tiles.length > 0 || page.rows.length > 0) pages.push(page);
  if (board.incidents && !beside) pages.push({ tiles: [], tileColumns: 1, rows: [], incidents: 'alone' });
  if (pages.length === 0) pages.push(page);
  return pages;
}
