import { Link } from '@tanstack/react-router';
import { briefTime, dateTime } from '../../format/time';
import { useSpeech } from '../../i18n/hooks';
import { serverNow } from '../../live/clock';
import { useMay } from '../../shell/useMay';
import { isSaved, type ListedBoard } from '../edit/calls';
import { boardTexts } from '../edit/texts';

interface Props {
  board: ListedBoard;
  title: string;
  isChosen: boolean;
  onChoose: () => void;
  onExport: () => void;
  onDelete: () => void;
}

/** One board of the list. */
export function BoardRow({ board, title, isChosen, onChoose, onExport, onDelete }: Props) {
  const t = boardTexts.use();
  const { locale, zone } = useSpeech();
  const { name } = board;
  const isMade = isSaved(board);
  const maySave = useMay('operate');
  const changedMs = Date.parse(board.changed_at ?? '');
  return (
    <li
      className="bl-row"
      data-testid="board-row"
      data-board={name}
      data-from={isMade ? 'catalogue' : 'folder'}
    >
      <input
        type="checkbox"
        className="bl-check"
        checked={isChosen}
        aria-label={t('list.choose', { title })}
        title={t('list.choose', { title })}
        onChange={onChoose}
      />
      <div className="bl-what">
        <Link to="/boards/$name" params={{ name }} className="bl-title">
          {title}
        </Link>
        <span className="bl-name">{name}</span>
      </div>
      <span className="chip bl-from">{t(isMade ? 'from.catalogue' : 'from.folder')}</span>
      <span className="bl-when dim">
        {Number.isFinite(changedMs) && (
          <time dateTime={board.changed_at ?? ''} title={dateTime(changedMs, locale, zone)}>
            {t('list.changed', { time: briefTime(changedMs, serverNow(), locale, zone) })}
            {board.by && ` · ${board.by}`}
          </time>
        )}
      </span>
      <div className="bl-acts">
        {maySave && isMade ? (
          <Link
            to="/boards/$name/edit"
            params={{ name }}
            className="button"
            aria-label={t('act.editOf', { title })}
          >
            {t('act.edit')}
          </Link>
        ) : null}
        {maySave && (
          <Link
            to="/new-board"
            search={{ from: name }}
            className="button"
            aria-label={t('act.copyOf', { title })}
            data-testid="duplicate"
          >
            {t(isMade ? 'act.copy' : 'folder.copy')}
          </Link>
        )}
        <button
          type="button"
          className="button"
          aria-label={t('act.exportOf', { title })}
          data-testid="ask-export"
          onClick={onExport}
        >
          {t('edit.export')}
        </button>
        {maySave && isMade && (
          <button
            type="button"
            className="button"
            aria-label={t('act.deleteOf', { title })}
            data-testid="ask-delete"
            onClick={onDelete}
          >
            {t('edit.delete')}
          </button>
        )}
      </div>
    </li>
  );
}
