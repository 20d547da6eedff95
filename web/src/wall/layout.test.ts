import { describe, expect, it } from 'vitest';
import type { Board, ChartDefinition, PanelDefinition, TileDefinition } from '../api/types';
import { type Screen, TILE_REM, wallPages } from './layout';

const screen = (widthPx: number, heightPx: number, remPx = 16): Screen => ({ widthPx, heightPx, remPx });
const hd = screen(1888, 1000);
const phone = screen(344, 700, 14);

function board(tiles: number, charts: number, panels: PanelDefinition[] = [], incidents = false): Board {
  const tile = (i: number): TileDefinition => ({ metric: `t${i}`, title: { en: `T${i}` } });
  const chart = (i: number): ChartDefinition => ({ metric: `c${i}`, title: { en: `C${i}` } });
  return {
    name: 'b',
    title: { en: 'B' },
    tiles: Array.from({ length: tiles }, (_, i) => tile(i)),
    charts: Array.from({ length: charts }, (_, i) => chart(i)),
    panels,
    incidents,
  };
}

const text = (width: 'third' | 'half' | 'full'): PanelDefinition => ({
  kind: 'text',
  text: { en: 'x' },
  width,
});

/** Every tile and panel of all pages. */
function shown(pages: ReturnType<typeof wallPages>): string[] {
  return pages.flatMap(({ tiles, rows }) => [
    ...tiles.map(({ key }) => key),
    ...rows.flatMap(({ cells }) => cells.map(({ key }) => key)),
  ]);
}

describe('pages of a wall', () => {
  it('show everything once, in order, on whatever screen', () => {
    for (const one of [hd, phone, screen(3800, 2000, 24), screen(1000, 400), screen(200, 120)]) {
      const pages = wallPages(board(7, 9, [text('third'), text('full')]), one);
      const keys = shown(pages);
      expect(new Set(keys).size).toBe(keys.length);
      expect(keys).toHaveLength(7 + 9 + 2);
      const charts = keys.filter((key) => key.startsWith('chart'));
      expect(charts).toEqual([...charts].sort());
    }
  });

  it('never need more height than there is, unless one thing alone does', () => {
    for (const one of [hd, phone, screen(3800, 2000, 24), screen(1440, 820)]) {
      const heightRem = one.heightPx / one.remPx;
      for (const page of wallPages(board(12, 11, [text('half'), text('half')], true), one)) {
        const tileRows = Math.ceil(page.tiles.length / page.tileColumns);
        const least = tileRows * TILE_REM + page.rows.reduce((sum, { weight }) => sum + weight, 0);
        const parts = tileRows + page.rows.length;
        if (parts > 1) expect(least, `${one.widthPx} × ${one.heightPx}`).toBeLessThanOrEqual(heightRem);
      }
    }
  });

  it('fill each row to its end', () => {
    for (const page of wallPages(board(0, 3, [text('third'), text('third'), text('full')]), hd))
      for (const { cells } of page.rows) expect(cells.reduce((sum, { span }) => sum + span, 0)).toBe(12);
  });

  it('put two charts side by side on a wide screen and one on a narrow one', () => {
    expect(wallPages(board(0, 2), hd)[0]?.rows).toHaveLength(1);
    expect(wallPages(board(0, 2), phone).flatMap(({ rows }) => rows)).toHaveLength(2);
  });

  it('have the incidents beside them, or on a page of their own', () => {
    expect(wallPages(board(4, 2, [], true), hd).every(({ incidents }) => incidents === 'beside')).toBe(true);
    const narrow = wallPages(board(4, 2, [], true), phone);
    expect(narrow.at(-1)?.incidents).toBe('alone');
    expect(narrow.slice(0, -1).every(({ incidents }) => incidents === 'none')).toBe(true);
  });

  it('are one for a board that fits, and one for a board of nothing', () => {
    expect(wallPages(board(5, 4, [], true), hd)).toHaveLength(1);
    expect(wallPages(board(0, 0), hd)).toHaveLength(1);
  });

  it('give tiles that would crowd out the charts pages of their own', () => {
    const pages = wallPages(board(60, 1), screen(1440, 800));
    expect(pages.length).toBeGreaterThan(1);
    expect(pages[0]?.rows).toEqual([]);
    expect(pages.at(-1)?.rows).toHaveLength(1);
  });
});
