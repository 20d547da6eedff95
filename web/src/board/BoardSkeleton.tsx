import { useSpeech } from '../i18n/hooks';
import { ChartSkeleton } from './ChartPanel';
import { TileSkeleton } from './Tile';

/** The shape of a board before its definition has come. */
export function BoardSkeleton() {
  const { t } = useSpeech();
  return (
    <div className="board" aria-busy="true" data-testid="board-loading">
      <p className="visually-hidden" role="status">
        {t('state.loading')}
      </p>
      <div className="board-head">
        <div className="skeleton skeleton-title" />
      </div>
      <div className="tiles">
        {[1, 2, 3, 4, 5].map((n) => (
          <div key={n} className="panel tile">
            <div className="skeleton skeleton-line" />
            <TileSkeleton />
            <div className="tile-spark" />
          </div>
        ))}
      </div>
      <div className="charts">
        {[1, 2].map((n) => (
          <div key={n} className="panel chart-panel">
            <div className="panel-head">
              <div className="skeleton skeleton-line" />
            </div>
            <ChartSkeleton />
          </div>
        ))}
      </div>
    </div>
  );
}
