import { lazy, Suspense } from 'react';
import type { Board, Metric } from '../api/types';
import { aheadMs } from '../state/range';
import { ForecastSwitch } from './ForecastSwitch';
import { RangePicker } from './RangePicker';
import { type BoardView, metricNames } from './view';

/** Comparison and filters come after the figures: nobody reaches for them before there is something to see. */
const BoardTools = lazy(async () => ({ default: (await import('./BoardTools')).BoardTools }));

interface Props {
  board: Board;
  metrics: ReadonlyMap<string, Metric>;
  view: BoardView;
  onChange: (next: Partial<BoardView>) => void;
}

/** How the whole board is looked at: one range, one comparison and one set of filters for all that is on it. */
export function BoardControls({ board, metrics, view, onChange }: Props) {
  const shown = metricNames(board).flatMap((name) => metrics.get(name) ?? []);
  return (
    <div className="board-controls">
      <Suspense fallback={<div className="board-tools" aria-hidden="true" />}>
        <BoardTools metrics={shown} view={view} onChange={onChange} />
      </Suspense>
      {board.charts.length > 0 && (
        <ForecastSwitch
          isOn={view.withForecast}
          isShort={aheadMs(view.range) === null}
          onChange={(withForecast) => onChange({ withForecast })}
        />
      )}
      <RangePicker range={view.range} onChange={(range) => onChange({ range })} />
    </div>
  );
}
