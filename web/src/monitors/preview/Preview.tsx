import type { Metric } from '../../api/types';
import type { RunnerState } from '../backtestRunner';
import type { ShownFault } from '../form/Field';
import { isSpan, type Span, spans } from '../span';
import { useTexts } from '../texts';
import { Outcome } from './Outcome';
import { RunFailure } from './RunFailure';
import { RunStatus } from './RunStatus';

interface Props {
  state: RunnerState;
  pause: 'nothing' | 'faults' | 'typing' | null;
  metric: Metric | undefined;
  span: Span;
  onSpan: (span: Span) => void;
  onAgain: () => void;
  general: readonly ShownFault[];
  isDefinitionBad: boolean;
  /** Whether the form holds the monitor as it is. */
  isUnchanged: boolean;
}

/** What the monitor in the form would have found over the last weeks. */
export function Preview(props: Props) {
  const { state, pause, metric, span, onSpan, onAgain, general, isDefinitionBad, isUnchanged } = props;
  const t = useTexts();
  const { phase, answer } = state;
  const isStale = answer !== null && !(state.isCurrent && pause === null);
  return (
    <section className="panel preview" aria-labelledby="preview-title" data-testid="preview">
      <div className="preview-head">
        <h2 id="preview-title">{t('preview.title')}</h2>
        <label className="filter">
          <span className="visually-hidden">{t('preview.span')}</span>
          <select
            value={span}
            data-testid="span"
            onChange={({ target }) => isSpan(target.value) && onSpan(target.value)}
          >
            {spans.map((one) => (
              <option key={one} value={one}>
                {t(`span.${one}`)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <RunStatus state={state} pause={pause} onAgain={onAgain} />
      {pause === 'nothing' && <p className="preview-idle dim">{t('preview.idle')}</p>}
      {phase.kind === 'failed' && pause === null && (
        <RunFailure error={phase.error} general={general} isDefinition={isDefinitionBad} />
      )}
      {isUnchanged && state.isCurrent && <p className="dim">{t('preview.unchanged')}</p>}
      {isStale && pause !== 'nothing' && phase.kind !== 'running' && (
        <p className="preview-stale">{t('preview.stale')}</p>
      )}
      {answer && pause !== 'nothing' ? (
        <div className={isStale ? 'preview-old' : undefined}>
          <Outcome answer={answer} metric={metric} />
        </div>
      ) : (
        pause === null && (phase.kind === 'running' || phase.kind === 'waiting') && <PreviewSkeleton />
      )}
    </section>
  );
}

function PreviewSkeleton() {
  return (
    <div aria-busy="true">
      <div className="skeleton preview-skeleton" />
      <div className="skeleton skeleton-line" />
      <div className="skeleton skeleton-line" />
    </div>
  );
}
