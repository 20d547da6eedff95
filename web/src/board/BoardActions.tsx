import { Link } from '@tanstack/react-router';
import type { Board } from '../api/types';
import { useSpeech } from '../i18n/hooks';
import { useMay } from '../shell/useMay';
import type { BoardSearch } from '../state/search';

interface Props {
  board: Board;
  search: BoardSearch;
}

/** What can be done with a board. One of the definitions folder is copied to be changed. */
export function BoardActions({ board: { name, from }, search: { range } }: Props) {
  const { t } = useSpeech();
  const maySave = useMay('operate');
  return (
    <div className="board-actions">
      {!maySave ? null : from === 'catalogue' ? (
        <>
          <Link to="/boards/$name/edit" params={{ name }} className="button" data-testid="edit-board">
            {t('boards.edit')}
          </Link>
          <Link to="/new-board" search={{ from: name }} className="button">
            {t('boards.duplicate')}
          </Link>
        </>
      ) : (
        <Link to="/new-board" search={{ from: name }} className="button" data-testid="edit-board">
          {t('boards.copy')}
        </Link>
      )}
      <Link
        to="/wall"
        search={{ boards: name, ...(range ? { range } : {}) }}
        className="button"
        title={t('boards.wall.hint')}
        data-testid="wall-board"
      >
        {t('boards.wall')}
      </Link>
    </div>
  );
}
