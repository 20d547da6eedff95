import type { Metric } from '../api/types';
import { FilterBar } from '../filter/FilterBar';
import { useSpeech } from '../i18n/hooks';
import { boardComparisons } from '../state/search';
import { type BoardView, filterable } from './view';

interface Props {
  /** The metrics that the board shows. */
  metrics: readonly Metric[];
  view: BoardView;
  onChange: (next: Partial<BoardView>) => void;
}

/** The filters that every panel obeys, and what tiles and charts compare with. */
export function BoardTools({ metrics, view, onChange }: Props) {
  const { t } = useSpeech();
  return (
    <div className="board-tools" data-testid="board-tools">
      <FilterBar
        dimensions={filterable(metrics)}
        filters={view.filters}
        span={{ kind: 'last', range: view.range }}
        metricOf={(dimension) => suggesting(metrics, dimension)}
        onChange={(filters) => onChange({ filters })}
      />
      <label className="field field-inline">
        <span>{t('compare.label')}</span>
        <select
          value={view.compare ?? ''}
          data-testid="board-compare"
          onChange={({ target }) =>
            onChange({ compare: boardComparisons.find((one) => one === target.value) ?? null })
          }
        >
          <option value="">{t('compare.tiles')}</option>
          {boardComparisons.map((one) => (
            <option key={one} value={one}>
              {t(`compare.${one}`)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

/** Values are suggested by a metric that counts: how many there were of each says which are worth a filter. */
function suggesting(metrics: readonly Metric[], dimension: string): Metric | undefined {
  const having = metrics.filter(({ dimensions }) => dimensions.includes(dimension));
  return having.find(({ kind }) => kind === 'count') ?? having[0];
}
