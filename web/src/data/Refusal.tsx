import { ApiError } from '../api/client';
import { useSay } from './say';

interface Props {
  error: Error;
  onRetry?: () => void;
}

/** Why something is not there, and whether it is because the server does not let this reader have it. */
export function Refusal({ error, onRetry }: Props) {
  const say = useSay();
  const { t } = say;
  const status = error instanceof ApiError ? error.status : null;
  const suggestion = error instanceof ApiError ? error.problem?.suggestion : undefined;
  const title =
    status === 401
      ? t('error.unauthorized')
      : status === 403
        ? t('error.forbidden')
        : status === 409
          ? t('error.conflict')
          : t('error.title');
  return (
    <div className="data-refusal" role="alert" data-testid="refusal" data-status={status ?? ''}>
      <p className="data-refusal-title">{title}</p>
      <p>
        {say.reason(error)}
        {suggestion ? ` ${suggestion}` : ''}
      </p>
      {status === 403 && <p className="dim">{t('error.forbidden.hint')}</p>}
      {onRetry && (
        <button type="button" className="button" onClick={onRetry}>
          {t('error.retry')}
        </button>
      )}
    </div>
  );
}
