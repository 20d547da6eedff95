import { type CSSProperties, memo, useRef, useState } from 'react';
import type { Board, Metric } from '../api/types';
import { ChartPanel } from '../board/ChartPanel';
import { IncidentList } from '../board/IncidentList';
import { DefinedPanel } from '../board/panels/DefinedPanel';
import { Tile } from '../board/Tile';
import { UnknownMetric } from '../board/UnknownMetric';
import { type BoardView, NO_SPLIT } from '../board/view';
import { useSpeech } from '../i18n/hooks';
import type { Cell, WallPage } from './layout';
import { useFit } from './useFit';

interface Props {
  board: Board;
  page: WallPage;
  metrics: ReadonlyMap<string, Metric>;
  view: BoardView;
  /** The next page is drawn unseen for a moment before it is shown. */
  isShown: boolean;
}

/** One page of a board, as high as the screen. */
export function WallBoard({ board, page, metrics, view, isShown }: Props) {
  const speech = useSpeech();
  const titleOf = (metric: string) => {
    const panel = [...board.tiles, ...board.charts].find((one) => one.metric === metric);
    return speech.metric(metric, panel?.title);
  };
  return (
    <section
      className="wall-page"
      data-testid="wall-page"
      data-shown={isShown}
      data-incidents={page.incidents}
      inert={!isShown}
      aria-hidden={!isShown}
      aria-label={speech.text(board.title, board.name)}
    >
      {page.incidents !== 'alone' && (
        <div className="wall-main">
          {page.tiles.length > 0 && (
            <div
              className="wall-tiles"
              style={{ '--columns': page.tileColumns } as CSSProperties}
              data-alone={page.rows.length === 0 || undefined}
            >
              {page.tiles.map(({ tile, key }) => {
                const metric = metrics.get(tile.metric);
                return metric ? (
                  <Tile key={key} tile={tile} metric={metric} view={view} />
                ) : (
                  <UnknownMetric key={key} title={tile.title} name={tile.metric} />
                );
              })}
            </div>
          )}
          {page.rows.map((row) => (
            <div key={row.cells[0]?.key} className="wall-row" style={{ flexGrow: row.weight }}>
              {row.cells.map((cell) => (
                <WallCell key={cell.key} cell={cell} metrics={metrics} view={view} />
              ))}
            </div>
          ))}
        </div>
      )}
      {page.incidents !== 'none' && (
        <div className="wall-incidents">
          <IncidentList metricTitle={titleOf} />
        </div>
      )}
    </section>
  );
}

interface CellProps {
  cell: Cell;
  metrics: ReadonlyMap<string, Metric>;
  view: BoardView;
}

function WallCell({ cell, metrics, view }: CellProps) {
  const element = useRef<HTMLDivElement>(null);
  useFit(element);
  return (
    <div ref={element} className="wall-cell" style={{ gridColumn: `span ${cell.span}` }}>
      <CellPanel cell={cell} metrics={metrics} view={view} />
    </div>
  );
}

const CellPanel = memo(function CellPanel({ cell, metrics, view }: CellProps) {
  const { what } = cell;
  const [split, setSplit] = useState<string | null | undefined>(undefined);
  if (what.kind === 'panel') return <DefinedPanel panel={what.panel} metrics={metrics} view={view} />;
  const { chart } = what;
  const metric = metrics.get(chart.metric);
  if (!metric) return <UnknownMetric title={chart.title} name={chart.metric} width={chart.width} isChart />;
  const chosen = view.splits.get(chart.metric);
  const own = chosen === NO_SPLIT ? null : (chosen ?? chart.by ?? null);
  return (
    <ChartPanel
      chart={chart}
      metric={metric}
      view={view}
      split={split === undefined ? own : split}
      onSplit={setSplit}
    />
  );
});
