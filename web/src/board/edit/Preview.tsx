import { useMemo, useState } from 'react';
import type { Metric } from '../../api/types';
import { useSettled } from '../../monitors/useSettled';
import { BoardPanels } from '../BoardPanels';
import { NO_SPLIT, viewOf } from '../view';
import type { Draft } from './draft';
import { useItemTitle } from './ItemCard';
import { previewBoard } from './previewBoard';
import { boardTexts } from './texts';

/** As long as people rest between two words. */
const REST_MS = 400;

interface Props {
  draft: Draft;
  metrics: ReadonlyMap<string, Metric>;
}

/** The board that the form makes, with live figures. */
export function Preview({ draft, metrics }: Props) {
  const t = boardTexts.use();
  const titleOf = useItemTitle();
  const settled = useSettled(draft, REST_MS);
  const { board, unfinished } = useMemo(() => previewBoard(settled, metrics), [settled, metrics]);
  // A split that is tried on the preview is not written down; the form has its own field for it.
  const [splits, setSplits] = useState<ReadonlyMap<string, string>>(new Map());
  const view = useMemo(() => ({ ...viewOf({}, board), splits }), [board, splits]);
  const shown = useMemo(() => ({ ...board, incidents: false }), [board]);
  const isEmpty = board.tiles.length + board.charts.length + (board.panels ?? []).length === 0;
  return (
    <section className="be-preview" aria-labelledby="preview-title" data-testid="board-preview">
      <h2 id="preview-title">{t('preview.title')}</h2>
      {isEmpty && <p className="be-preview-empty dim">{t('preview.empty')}</p>}
      {!isEmpty && (
        <BoardPanels
          board={shown}
          metrics={metrics}
          view={view}
          onSplit={(metric, dimension) => setSplits((old) => new Map(old).set(metric, dimension ?? NO_SPLIT))}
        />
      )}
      {unfinished.length > 0 && (
        <p className="be-hint" data-testid="unfinished">
          {t('preview.unfinished', { titles: unfinished.map(titleOf).join(', ') })}
        </p>
      )}
      {board.incidents && <p className="be-hint">{t('preview.incidents')}</p>}
    </section>
  );
}
