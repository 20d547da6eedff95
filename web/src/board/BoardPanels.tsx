import type { CSSProperties, ReactNode } from 'react';
import type { Board, Metric } from '../api/types';
import { useSpeech } from '../i18n/hooks';
import { Message } from '../shell/Message';
import { ChartPanel } from './ChartPanel';
import { evenColumns } from './columns';
import { IncidentList } from './IncidentList';
import { DefinedPanel } from './panels/DefinedPanel';
import { Tile } from './Tile';
import { UnknownMetric } from './UnknownMetric';
import { type BoardView, NO_SPLIT } from './view';

interface Props {
  board: Board;
  metrics: ReadonlyMap<string, Metric>;
  view: BoardView;
  onSplit: (metric: string, dimension: string | null) => void;
}

/** All that is on a board: tiles, the incidents, charts, and the other panels in their order. */
export function BoardPanels({ board, metrics, view, onSplit }: Props) {
  const speech = useSpeech();
  const { t } = speech;
  const panels = board.panels ?? [];
  const isEmpty = board.tiles.length === 0 && board.charts.length === 0 && panels.length === 0;
  const titleOf = (metric: string) => {
    const panel = [...board.tiles, ...board.charts].find((one) => one.metric === metric);
    return speech.metric(metric, panel?.title);
  };
  const charts = board.charts.map((chart, i) => {
    const metric = metrics.get(chart.metric);
    const key = `${chart.metric}-${i}`;
    if (!metric)
      return <UnknownMetric key={key} title={chart.title} name={chart.metric} width={chart.width} isChart />;
    const chosen = view.splits.get(chart.metric);
    const split = chosen === NO_SPLIT ? null : (chosen ?? chart.by ?? null);
    return (
      <ChartPanel
        key={key}
        chart={chart}
        metric={metric}
        view={view}
        split={split}
        onSplit={(dimension) => onSplit(chart.metric, dimension)}
      />
    );
  });
  const others = panels.map((panel, i) => (
    <DefinedPanel
      // biome-ignore lint/suspicious/noArrayIndexKey: a board's panels have an order and no names
      key={`${panel.kind}-${i}`}
      panel={panel}
      metrics={metrics}
      view={view}
    />
  ));
  return (
    <>
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
              <Tile key={key} tile={tile} metric={metric} view={view} />
            ) : (
              <UnknownMetric key={key} title={tile.title} name={tile.metric} />
            );
          })}
        </section>
      )}
      <div className={board.incidents ? 'board-main board-with-incidents' : 'board-main'}>
        {board.incidents && <IncidentList metricTitle={titleOf} />}
        {charts.length > 0 ? <Rows>{charts}</Rows> : others.length > 0 && <Rows>{others}</Rows>}
      </div>
      {/* Below the incidents there is more room: what comes after the charts has the whole width. */}
      {charts.length > 0 && others.length > 0 && <Rows>{others}</Rows>}
    </>
  );
}

/** As many panels side by side as there is room for, each as wide as it is to be. */
function Rows({ children }: { children: ReactNode }) {
  return (
    <div className="charts-room">
      <div className="charts">{children}</div>
    </div>
  );
}

/** How the style sheet learns of how many tiles make even rows, on usual and on wide screens. */
function evenRows(tiles: number): CSSProperties {
  return { '--columns': evenColumns(tiles, 6), '--columns-wide': evenColumns(tiles, 8) } as CSSProperties;
}
