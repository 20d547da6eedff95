import { Link, useParams } from '@tanstack/react-router';
import { lazy, Suspense, useId, useRef, useState } from 'react';
import type { BoardSummary } from '../api/types';
import { useSpeech } from '../i18n/hooks';
import { isRange } from '../state/range';
import { DownIcon } from './icons';
import { shownBoards } from './shownBoards';

const BoardSwitcher = lazy(async () => ({
  default: (await import('../board/list/BoardSwitcher')).BoardSwitcher,
}));

/** Some boards to go to at once, and all of them behind a button. */
export function BoardNav({ boards }: { boards: readonly BoardSummary[] }) {
  const { t, text } = useSpeech();
  const { name: current } = useParams({ strict: false });
  const panel = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const [place, setPlace] = useState<{ left: number; top: number } | null>(null);
  const open = () => {
    const box = button.current?.getBoundingClientRect();
    if (box) setPlace({ left: Math.max(8, Math.min(box.left, innerWidth - 360)), top: box.bottom + 4 });
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className="nav-link nav-button"
        popoverTarget={id}
        aria-haspopup="dialog"
        aria-expanded={place !== null}
        data-testid="board-menu"
        onClick={open}
      >
        {t('nav.boards')} <DownIcon />
      </button>
      {/* In the top layer: the bar scrolls sideways on narrow screens, and would cut off what hangs from it. */}
      <div
        ref={panel}
        id={id}
        popover="auto"
        role="dialog"
        aria-label={t('nav.boardMenu')}
        className="board-menu"
        style={place ?? undefined}
        onToggle={(event) => {
          if (event.newState === 'closed') setPlace(null);
        }}
      >
        {place && (
          <Suspense fallback={<div className="skeleton board-menu-skeleton" />}>
            <BoardSwitcher boards={boards} onDone={() => panel.current?.hidePopover()} />
          </Suspense>
        )}
      </div>
      {shownBoards(boards, current).map((board) => (
        <Link
          key={board.name}
          to="/boards/$name"
          params={{ name: board.name }}
          search={(old) => (isRange(old.range) ? { range: old.range } : {})}
          activeOptions={{ includeSearch: false, exact: true }}
          className="nav-link nav-board"
        >
          {text(board.title, board.name)}
        </Link>
      ))}
      <span className="nav-line" aria-hidden="true" />
    </>
  );
}
