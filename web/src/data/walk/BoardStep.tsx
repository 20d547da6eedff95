import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { boardQuery, boardsQuery, DEFINITIONS_KEY } from '../../api/queries';
import { saveBoard, shownBoard } from '../../board/edit/calls';
import { nameFor, type WrittenBoard } from '../../board/edit/draft';
import { proposedBoard } from '../../board/edit/proposed';
import { Refused } from '../../definitions/Refused';
import type { View } from '../DataPage';
import { walkTexts } from './texts';
import type { Walk } from './walk';

const DAY_MS = 86_400_000;
/** What boards show at most. */
const BOARD_MS = 7 * DAY_MS;
/** So much is shown in Explore of events that end long ago. */
const EXPLORED_MS = 90 * DAY_MS;

/** The events are in: a board to look at them. */
export function BoardStep({ walk, snapshot, say, nowMs }: View & { walk: Walk }) {
  const t = walkTexts.use();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const boards = useQuery(boardsQuery).data;
  const proposed = walk.isExisting ? null : walk.proposal.board;
  const board = proposed?.board ?? null;
  const name = proposed?.name ?? walk.stream;
  const taken = new Set((boards ?? []).map(({ name }) => name));
  const saving = useMutation({
    mutationFn: (proposed: WrittenBoard) => saveBoard(nameFor(walk.stream, taken), proposed, { kind: 'new' }),
    onSuccess: async (saved) => {
      queries.setQueryData(boardQuery(saved.name).queryKey, shownBoard(saved));
      await queries.invalidateQueries({ queryKey: [DEFINITIONS_KEY] });
      await navigate({ to: '/boards/$name', params: { name: saved.name } });
    },
  });
  const newest = snapshot.status.streams.find(({ name }) => name === walk.stream)?.last_event_at ?? null;
  const newestMs = Date.parse(newest ?? '');
  const isOld = newestMs < nowMs - BOARD_MS;
  const metric = metricOf(board);
  const span = {
    from: new Date(newestMs - EXPLORED_MS || 0).toISOString(),
    to: new Date(newestMs + DAY_MS || 0).toISOString(),
  };
  const explore = {
    ...(metric === null ? {} : { metric }),
    ...(Number.isFinite(newestMs) && isOld ? span : {}),
  };
  const count = (section: 'tiles' | 'charts' | 'panels') => say.count(board?.[section]?.length ?? 0);
  return (
    <section className="walk-board" aria-labelledby="walk-board" data-testid="walk-board">
      <h3 id="walk-board">{t('board.title')}</h3>
      {board ? (
        <p className="data-small">
          {t('board.text', {
            items: t('board.items', {
              tiles: count('tiles'),
              charts: count('charts'),
              panels: count('panels'),
            }),
          })}
        </p>
      ) : (
        <p className="data-small">{t('board.none')}</p>
      )}
      {isOld && (
        <p className="def-note" data-tone="warning" data-testid="walk-old">
          {t('board.old', { time: say.exact(newest) })}
        </p>
      )}
      {saving.error && <Refused error={saving.error} />}
      <div className="data-actions">
        {board ? (
          <>
            <button
              type="button"
              className="button button-main"
              disabled={saving.isPending || !boards}
              data-testid="walk-save-board"
              onClick={() => saving.mutate(board)}
            >
              {t(saving.isPending ? 'board.saving' : 'board.save')}
            </button>
            <Link
              to="/new-board"
              search={{ proposed: name }}
              className="button"
              data-testid="walk-look"
              onClick={() => proposedBoard.set({ name, board })}
            >
              {t('board.look')}
            </Link>
          </>
        ) : (
          <>
            <Link to="/new-board" className="button">
              {t('board.new')}
            </Link>
            <Link to="/sql" className="button">
              {t('board.sql')}
            </Link>
          </>
        )}
        {(isOld || !board) && (
          <Link to="/explore" search={explore} className="button">
            {t('board.explore')}
          </Link>
        )}
      </div>
    </section>
  );
}

function metricOf(board: WrittenBoard | null): string | null {
  const items = [...(board?.charts ?? []), ...(board?.tiles ?? []), ...(board?.panels ?? [])];
  return items.find(({ metric }) => metric !== undefined)?.metric ?? null;
}
