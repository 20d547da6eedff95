import type { Board, Metric } from '../../api/types';
import { inWords } from '../../i18n/titles';
import { boardOf, type Draft, type Item, itemsOf } from './draft';
import { itemFaults } from './faults';

/** What of a draft can be drawn, and what still lacks something. */
export interface PreviewBoard {
  board: Board;
  unfinished: Item[];
}

/** The board that a draft makes. Items that lack something would only ask the server what it must refuse. */
export function previewBoard(draft: Draft, metrics: ReadonlyMap<string, Metric>): PreviewBoard {
  const isWhole = (item: Item) => itemFaults(item, metrics).length === 0;
  const whole = {
    ...draft,
    tiles: draft.tiles.filter(isWhole),
    charts: draft.charts.filter(isWhole),
    panels: draft.panels.filter(isWhole),
  };
  const written = boardOf(whole);
  const titled = (items: typeof written.tiles) =>
    (items ?? []).map((item) => ({
      ...item,
      ...(item.metric && !item.title ? { title: { en: inWords(item.metric) } } : {}),
    }));
  const board = {
    name: draft.name || 'preview',
    title: written.title,
    incidents: draft.incidents,
    tiles: titled(written.tiles),
    charts: titled(written.charts).map((chart) => ({
      ...chart,
      by: Array.isArray(chart.by) ? chart.by[0] : chart.by,
    })),
    panels: written.panels ?? [],
  };
  // A draft is written in the shapes of the API; each of its items is whole by here.
  return { board: board as Board, unfinished: itemsOf(draft).filter((item) => !isWhole(item)) };
}
