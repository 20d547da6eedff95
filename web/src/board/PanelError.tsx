import { useSpeech } from '../i18n/hooks';
import { problemText } from '../i18n/problem';
import { useHub } from '../live/hooks';

interface Props {
  error: Error;
  /** What to try again; without it everything live is. */
  onRetry?: (() => void) | undefined;
  compact?: boolean;
}

/** Why a panel is empty, in the server's own words where it has said some, and a way to try again. */
export function PanelError({ error, onRetry, compact = false }: Props) {
  const speech = useSpeech();
  const { t } = speech;
  const hub = useHub();
  const reason = problemText(error, speech);
  return (
    <div
      className={compact ? 'panel-error panel-error-compact' : 'panel-error'}
      role={compact ? 'status' : 'alert'}
    >
      <p className="panel-error-title">{t('state.error')}</p>
      <p className="panel-error-reason" title={reason}>
        {reason}
      </p>
      <button type="button" className="button" onClick={onRetry ?? (() => hub.retryNow())}>
        {t('state.retry')}
      </button>
    </div>
  );
}
