import { ApiError } from '../api/client';
import { useSpeech } from '../i18n/hooks';
import { useHub } from '../live/hooks';

interface Props {
  error: Error;
  /** What to try again; without it everything live is. */
  onRetry?: (() => void) | undefined;
  compact?: boolean;
}

/** Why a panel is empty, in the server's own words where it has said some, and a way to try again. */
export function PanelError({ error, onRetry, compact = false }: Props) {
  const { t } = useSpeech();
  const hub = useHub();
  const problem = error instanceof ApiError ? error.problem : null;
  const isUnreachable = error instanceof ApiError && error.status === 0;
  const reason =
    problem?.detail ?? problem?.title ?? (isUnreachable ? t('state.unreachable') : error.message);
  return (
    <div
      className={compact ? 'panel-error panel-error-compact' : 'panel-error'}
      role={compact ? 'status' : 'alert'}
    >
      <p className="panel-error-title">{t('state.error')}</p>
      <p className="panel-error-reason" title={reason}>
        {reason}
        {problem?.suggestion ? ` ${problem.suggestion}` : ''}
      </p>
      <button type="button" className="button" onClick={onRetry ?? (() => hub.retryNow())}>
        {t('state.retry')}
      </button>
    </div>
  );
}
