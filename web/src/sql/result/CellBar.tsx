import { numberFormat } from '../../format/units';
import { useSpeech } from '../../i18n/hooks';
import type { Cell } from '../call';
import { cellText, rawText } from '../cells';
import { texts } from '../texts';
import { CopyButton } from './CopyButton';
import type { ShownColumn } from './columns';

interface Props {
  column: ShownColumn;
  cell: Cell;
  row: number;
  onClose: () => void;
}

/** The whole value of the cell that is chosen, as the server wrote it: long texts do not fit into a table. */
export function CellBar({ column, cell, row, onClose }: Props) {
  const t = texts.use();
  const { locale, zone } = useSpeech();
  const raw = rawText(cell);
  const shown = cellText(cell, column.kind, locale, zone);
  return (
    <section className="sql-cellbar" aria-label={t('cell.label')} data-testid="sql-cell">
      <p className="sql-cellbar-head">
        <b className="ellipsis">{column.name}</b>
        <span className="dim">{column.type}</span>
        <span className="dim">{t('cell.row', { row: numberFormat(locale, {}).format(row + 1) })}</span>
      </p>
      <p className="sql-cellbar-value" data-kind={column.kind}>
        {cell === null ? <span className="sql-null">null</span> : raw}
        {cell !== null && column.kind === 'time' && <span className="dim"> {shown}</span>}
      </p>
      <CopyButton text={() => raw} label={t('cell.copy')} />
      <button type="button" className="button" onClick={onClose}>
        {t('close')}
      </button>
    </section>
  );
}
