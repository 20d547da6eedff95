import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { type CSSProperties, useEffect } from 'react';
import { ApiError } from '../api/client';
import { boardQuery, metricsQuery } from '../api/queries';
import type { Board, Metric } from '../api/types';
import { BoardSkeleton } from '../board/BoardSkeleton';
import { ChartPanel } from '../board/ChartPanel';
import { evenColumns } from '../board/columns';
import { DataClock } from '../board/DataClock';
import { ForecastSwitch } from '../board/ForecastSwitch';
import { IncidentList } from '../board/IncidentList';
import { PanelError } from '../board/PanelError';
import { RangePicker } from '../board/RangePicker';
import { Tile } from '../board/Tile';
import { useSpeech } from '../i18n/hooks';
import { useHealth } from '../live/hooks';
import { Message } from '../shell/Message';
import { aheadMs, isRange, type Range } from '../state/range';
import { type BoardSearch, readSplits, writeSplits } from '../state/search';

/** The board of a pack. */
export function BoardPage() {
  const { t } = useSpeech();
  const { name } = useParams({ from: '/boards/$name' });
  const board = useQuery(boardQuery(name));
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
  if (board.data && metrics.data) return <BoardView key={name} board={board.data} metrics={metrics.data} />;
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

function BoardView({ board, metrics }: ViewProps) {
  const speech = useSpeech();
  const { t } = speech;
  const search = useSearch({ from: '/boards/$name' });
  const navigate = useNavigate({ from: '/boards/$name' });
  const health = useHealth();
  const range = search.range ?? defaultRange(board);
  const splits = readSplits(search.by);
  const title = speech.text(board.title, board.name);
  useEffect(() => {
    document.title = `${title} · Tillwatch`;
  }, [title]);

  const metricTitle = (metric: string) => {
    const panel = [...board.tiles, ...board.charts].find((one) => one.metric === metric);
    return speech.text(panel?.title, spoken(metric));
  };
  const change = (next: BoardSearch) => void navigate({ search: next, replace: true });
  const chooseSplit = (metric: string, dimension: string | null) => {
    const next = new Map(splits);
    next.set(metric, dimension ?? NO_SPLIT);
    const by = writeSplits(next);
    change({ ...search, ...(by ? { by } : {}) });
  };
  const chooseForecast = (isOn: boolean) => {
    const { forecast: _, ...rest } = search;
    change(isOn ? { ...rest, forecast: 'on' } : rest);
  };
  const cubes = new Set(
    [...board.tiles, ...board.charts].flatMap(({ metric }) => metrics.get(metric)?.of ?? []),
  );
  const isEmpty = board.tiles.length === 0 && board.charts.length === 0;

  return (
    <div
      className="board"
      data-testid="board"
      data-board={board.name}
      data-range={range}
      data-health={health.kind}
    >
      <div className="board-head">
        <h1>{title}</h1>
        <DataClock cubes={cubes} />
        {board.charts.length > 0 && (
          <ForecastSwitch
            isOn={search.forecast === 'on'}
            isShort={aheadMs(range) === null}
            onChange={chooseForecast}
          />
        )}
        <RangePicker range={range} onChange={(next) => change({ ...search, range: next })} />
      </div>
      {isEmpty && (
        <Message title={t('boards.empty.title')}>
          <p className="dim">{t('boards.empty.text')}</p>
        </Message>
      )}
      {board.tiles.length > 0 && (
        <section className="tiles" aria-label={t('tiles.label')} style={evenRows(board.tiles.length)}>
          {board.tiles.map((tile, i) => {
            const metric = metrics.get(tile.metric);
            const key = `${tile.metric}-${i}`;
            return metric ? (
              <Tile key={key} tile={tile} metric={metric} range={range} />
            ) : (
              <UnknownMetric key={key} name={tile.metric} />
            );
          })}
        </section>
      )}
      <div className={board.incidents ? 'board-main board-with-incidents' : 'board-main'}>
        {board.incidents && <IncidentList metricTitle={metricTitle} />}
        <div className="charts">
          {board.charts.map((chart, i) => {
            const metric = metrics.get(chart.metric);
            const key = `${chart.metric}-${i}`;
            if (!metric) return <UnknownMetric key={key} name={chart.metric} isChart />;
            const chosen = splits.get(chart.metric);
            const split = chosen === NO_SPLIT ? null : (chosen ?? chart.by ?? null);
            return (
              <ChartPanel
                key={key}
                chart={chart}
                metric={metric}
                range={range}
                split={split}
                withForecast={search.forecast === 'on'}
                onSplit={(dimension) => chooseSplit(chart.metric, dimension)}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** How the URL says that a chart is not split; no dimension can have this name. */
const NO_SPLIT = '-';

/** `authorization_rate` → `Authorization rate`, for metrics that have no title on this board. */
function spoken(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** How the style sheet learns of how many tiles make even rows, on usual and on wide screens. */
function evenRows(tiles: number): CSSProperties {
  return { '--columns': evenColumns(tiles, 6), '--columns-wide': evenColumns(tiles, 8) } as CSSProperties;
}

function defaultRange(board: Board): Range {
  const window = board.charts.find((chart) => isRange(chart.window))?.window;
  return isRange(window) ? window : '1h';
}

function UnknownMetric({ name, isChart = false }: { name: string; isChart?: boolean }) {
  const { t } = useSpeech();
  const text = t('state.unknownMetric', { metric: name });
  return isChart ? (
    <section className="panel chart-panel" role="alert">
      <p className="panel-empty">{text}</p>
    </section>
  ) : (
    <div className="panel tile panel-error panel-error-compact" role="alert">
      <p className="panel-error-reason">{text}</p>
    </div>
  );
}
