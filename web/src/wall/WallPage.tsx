import { useQueries, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { ApiError } from '../api/client';
import { boardsQuery, followedBoardQuery, metricsQuery } from '../api/queries';
import type { Board } from '../api/types';
import { PanelError } from '../board/PanelError';
import { type BoardView, metricNames, viewOf } from '../board/view';
import { useSpeech } from '../i18n/hooks';
import { useHealth } from '../live/hooks';
import { Message } from '../shell/Message';
import { useShortcuts } from '../shell/shortcuts';
import { type WallPage as Page, wallPages } from './layout';
import { readWall } from './search';
import { wallTexts } from './texts';
import { isSameStop, type Stop, stopsOf, turned } from './turn';
import { useIdle } from './useIdle';
import { useScreen } from './useScreen';
import { useScreenAwake } from './useScreenAwake';
import { WallBoard } from './WallBoard';
import { WallHead } from './WallHead';
import './wall.css';

/** The pointer and what it is for go away after this time. */
const IDLE_AFTER_MS = 3_000;
/** The next page is drawn unseen for this long, so that it is whole when it is shown. */
const DRAWN_BEFORE_MS = 4_000;
/** A page that has failed for a reason of ours is loaded anew: nobody stands beside a wall to do it. */
const RELOAD_AFTER_MS = 15_000;

/** Boards on a big screen: one after the other, each on pages that fit it, without a hand. */
export function WallPage() {
  const t = wallTexts.use();
  const speech = useSpeech();
  const raw = useSearch({ from: '/wall' });
  const navigate = useNavigate();
  const health = useHealth();
  const address = JSON.stringify(raw);
  const { boards: asked, everyMs, range } = useMemo(() => readWall(JSON.parse(address)), [address]);
  const list = useQuery(boardsQuery);
  const metrics = useQuery(metricsQuery);
  const names = asked.length > 0 ? asked : (list.data ?? []).map(({ name }) => name);
  const found = useQueries({ queries: names.map(followedBoardQuery), combine: combineBoards });
  const room = useRef<HTMLDivElement>(null);
  const screen = useScreen(room);
  const laid = useMemo(() => {
    const boards = new Map<string, { board: Board; view: BoardView; pages: Page[] }>();
    for (const board of screen ? found.boards : []) {
      const view = viewOf(range ? { range } : {}, board);
      if (screen) boards.set(board.name, { board, view, pages: wallPages(board, screen) });
    }
    return boards;
  }, [found.boards, screen, range]);
  const stops = useMemo(
    () => stopsOf([...laid.values()].map(({ board, pages }) => ({ name: board.name, pages: pages.length }))),
    [laid],
  );
  const [chosen, setChosen] = useState<Stop | null>(null);
  const [isPaused, setPaused] = useState(false);
  const [isNear, setNear] = useState(false);
  const isIdle = useIdle(IDLE_AFTER_MS);
  useScreenAwake();

  const now = turned(stops, chosen, 0);
  const next = turned(stops, now, 1);
  const nowKey = keyOf(now);
  const isTurning = stops.length > 1 && !isPaused;
  const turn = (by: number) => {
    setNear(false);
    setChosen(turned(stops, now, by));
  };
  const latest = useRef(turn);
  latest.current = turn;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each page has its whole time from when it is shown
  useEffect(() => {
    if (!isTurning) return;
    const drawing = setTimeout(() => setNear(true), Math.max(0, everyMs - DRAWN_BEFORE_MS));
    const turning = setTimeout(() => latest.current(1), everyMs);
    return () => {
      clearTimeout(drawing);
      clearTimeout(turning);
    };
  }, [isTurning, everyMs, nowKey]);

  const leave = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    if (now) void navigate({ to: '/boards/$name', params: { name: now.board } });
    else void navigate({ to: '/' });
  };
  const back = () => turn(-1);
  const on = () => turn(1);
  useShortcuts({
    ' ': () => setPaused((old) => !old),
    ArrowLeft: back,
    ArrowRight: on,
    f: toggleFullScreen,
    Escape: leave,
  });

  const board = now ? laid.get(now.board)?.board : undefined;
  const title = board ? speech.text(board.title, board.name) : t('title');
  useEffect(() => {
    document.title = `${title} · Tillwatch`;
  }, [title]);
  const cubes = useMemo(
    () =>
      new Set(
        board && metrics.data ? metricNames(board).flatMap((name) => metrics.data.get(name)?.of ?? []) : [],
      ),
    [board, metrics.data],
  );
  const error = list.error ?? metrics.error ?? found.error;
  const isEmpty = list.data !== undefined && found.isSettled && found.boards.length === 0;
  const mounted = isNear && isTurning && next && !isSameStop(next, now) ? [now, next] : [now];
  return (
    <div
      className="wall"
      data-testid="wall"
      data-idle={isIdle || undefined}
      data-paused={isPaused || undefined}
      data-board={now?.board ?? ''}
      data-page={now?.page ?? ''}
      data-stops={stops.length}
      data-health={health.kind}
    >
      <WallHead
        title={title}
        cubes={cubes}
        at={stops.findIndex((stop) => isSameStop(stop, now))}
        count={stops.length}
        everyMs={everyMs}
        isPaused={isPaused}
        pageKey={nowKey}
        onPause={() => setPaused(!isPaused)}
        onTurn={turn}
        onFullScreen={toggleFullScreen}
        onLeave={leave}
      />
      <div className="wall-room" ref={room}>
        {isEmpty && !error && (
          <Message title={t('none.title')}>
            <p className="dim">{t('none.text', { names: asked.join(', ') })}</p>
            <Link to="/boards" className="button">
              {t('none.boards')}
            </Link>
          </Message>
        )}
        {found.boards.length === 0 && error && <PanelError error={error} />}
        {metrics.data &&
          mounted.map((stop) => {
            const one = stop && laid.get(stop.board);
            const page = one?.pages[stop?.page ?? 0];
            if (!stop || !one || !page || !metrics.data) return null;
            return (
              <WallBoard
                key={keyOf(stop)}
                board={one.board}
                page={page}
                metrics={metrics.data}
                view={one.view}
                isShown={isSameStop(stop, now)}
              />
            );
          })}
      </div>
    </div>
  );
}

function keyOf(stop: Stop | null): string {
  return stop ? `${stop.board}/${stop.page}` : '';
}

function combineBoards(results: { data?: Board | undefined; error: Error | null; isLoading: boolean }[]) {
  // One that was removed is left out; that the server is away is told, and heals.
  const errors = results.flatMap(({ error }) =>
    error && !(error instanceof ApiError && error.status === 404) ? [error] : [],
  );
  return {
    boards: results.flatMap(({ data, error }) =>
      data && !(error instanceof ApiError && error.status === 404) ? [data] : [],
    ),
    error: errors[0] ?? null,
    isSettled: results.every(({ isLoading }) => !isLoading),
  };
}

/** A browser may refuse it, as it does without a press of a key or a button; the wall fills its window then. */
function toggleFullScreen(): void {
  const change = document.fullscreenElement
    ? document.exitFullscreen()
    : document.documentElement.requestFullscreen?.();
  change?.catch(() => {});
}

/** A fault of ours on a wall screen: it is told, and tried again without anybody. */
export function WallCrash({ error }: { error: unknown }) {
  const t = wallTexts.use();
  useEffect(() => {
    const timer = setTimeout(() => location.reload(), RELOAD_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Message title={t('crashed')}>
      <p className="dim">{error instanceof Error ? error.message : String(error)}</p>
      <p className="dim">{t('crashed.again', { seconds: RELOAD_AFTER_MS / 1_000 })}</p>
    </Message>
  );
}
