import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import { ApiError } from '../api/client';
import { followedBoardQuery, metricsQuery } from '../api/queries';
import type { Board, Metric } from '../api/types';
import { BoardActions } from '../board/BoardActions';
import { BoardControls } from '../board/BoardControls';
import { BoardPanels } from '../board/BoardPanels';
import { BoardSkeleton } from '../board/BoardSkeleton';
import { DataClock } from '../board/DataClock';
import { PanelError } from '../board/PanelError';
import { type BoardView, metricNames, NO_SPLIT, searchWith, viewOf } from '../board/view';
import { useSpeech } from '../i18n/hooks';
import { useHealth } from '../live/hooks';
import { Message } from '../shell/Message';

/** The board of a pack. */
export function BoardPage() {
  const { t } = useSpeech();
  const { name } = useParams({ from: '/boards/$name' });
  const board = useQuery(followedBoardQuery(name));
  const metrics = useQuery(metricsQuery);
  if (board.error instanceof ApiError && board.error.status === 404) {
    return (
      <Message title={t('boards.missing.title', { name })}>
        <p className="dim">{t('boards.missing.text')}</p>
        <Link to="/" className="button">
          {t('boards.missing.back')}
        </Link>
      </Message>
    );
  }
  // What is known stays on the screen while the server is away.
  if (board.data && metrics.data) return <BoardBody key={name} board={board.data} metrics={metrics.data} />;
  const error = board.error ?? metrics.error;
  if (error) {
    const retry = () => void Promise.all([board.refetch(), metrics.refetch()]);
    return <PanelError error={error} onRetry={retry} />;
  }
  return <BoardSkeleton />;
}

interface ViewProps {
  board: Board;
  metrics: ReadonlyMap<string, Metric>;
}

function BoardBody({ board, metrics }: ViewProps) {
  const speech = useSpeech();
  const search = useSearch({ from: '/boards/$name' });
  const navigate = useNavigate({ from: '/boards/$name' });
  const health = useHealth();
  // The filters keep their identity while they stay the same, so that nothing is computed anew for each figure.
  const address = JSON.stringify(search);
  const view = useMemo(() => viewOf(JSON.parse(address), board), [address, board]);
  const title = speech.text(board.title, board.name);
  useEffect(() => {
    document.title = `${title} · Tillwatch`;
  }, [title]);
  const change = (next: Partial<BoardView>) =>
    void navigate({ search: searchWith(search, next), replace: true });
  const chooseSplit = (metric: string, dimension: string | null) =>
    change({ splits: new Map(view.splits).set(metric, dimension ?? NO_SPLIT) });
  const cubes = new Set(metricNames(board).flatMap((name) => metrics.get(name)?.of ?? []));

  return (
    <div
      className="board"
      data-testid="board"
      data-board={board.name}
      data-range={view.range}
      data-health={health.kind}
    >
      <div className="board-head">
        <h1>{title}</h1>
        <DataClock cubes={cubes} />
        <BoardActions board={board} search={search} />
        <BoardControls board={board} metrics={metrics} view={view} onChange={change} />
      </div>
      <BoardPanels board={board} metrics={metrics} view={view} onSplit={chooseSplit} />
    </div>
  );
}
