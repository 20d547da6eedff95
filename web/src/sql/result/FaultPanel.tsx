import type { ApiError } from '../../api/client';
import { useSpeech } from '../../i18n/hooks';
import { SeverityIcon } from '../../shell/icons';
import type { Fault } from '../fault';
import { type SqlKey, texts } from '../texts';
import { durationOf } from './took';

interface Props {
  error: ApiError;
  fault: Fault | null;
  tookMs: number;
  onReveal: (offset: number) => void;
  onRemedy: (fault: Fault) => void;
  onRetry: () => void;
}

/** What is wrong with a statement, where, and what would work. */
export function FaultPanel({ error, fault, tookMs, onReveal, onRemedy, onRetry }: Props) {
  const t = texts.use();
  const { locale } = useSpeech();
  // What the statement itself is wrong in does not pass by trying again.
  const isOfStatement = error.status === 400 || error.status === 422;
  const place = fault?.place ?? null;
  return (
    <div className="sql-fault" role="alert" data-testid="sql-fault" data-status={error.status}>
      <h2>
        <SeverityIcon severity="critical" />
        {t(titleOf(error.status))}
        <span className="dim">{durationOf(tookMs, locale)}</span>
      </h2>
      <p className="sql-fault-message">{error.status === 0 ? t('fault.unreachableText') : fault?.message}</p>
      {fault?.suggestion && !fault.remedy && (
        <p className="dim sql-fault-advice">{sentence(fault.suggestion)}</p>
      )}
      {fault?.reason === 'too-many-rows' && <p className="dim">{t('fault.rowsHint')}</p>}
      <div className="sql-fault-actions">
        {fault && place && (
          <button
            type="button"
            className="button"
            data-testid="sql-place"
            data-line={place.line}
            data-column={place.column}
            onClick={() => onReveal(place.from)}
          >
            {t('fault.place', { line: place.line, column: place.column })}
          </button>
        )}
        {fault?.remedy && (
          <button
            type="button"
            className="button button-main"
            data-testid="sql-remedy"
            onClick={() => onRemedy(fault)}
          >
            {t('fault.remedy', { text: fault.remedy })}
          </button>
        )}
        {!isOfStatement && (
          <button type="button" className="button" onClick={onRetry}>
            {t('fault.retry')}
          </button>
        )}
      </div>
    </div>
  );
}

/** Advice stands as half a sentence behind the fault; alone it is a whole one. */
function sentence(text: string): string {
  const ended = /[.!?…]$/.test(text) ? text : `${text}.`;
  return ended.charAt(0).toUpperCase() + ended.slice(1);
}

function titleOf(status: number): SqlKey {
  if (status === 0) return 'fault.unreachable';
  if (status === 400) return 'fault.statement';
  if (status === 422) return 'fault.large';
  if (status === 429) return 'fault.busy';
  if (status === 503) return 'fault.away';
  if (status === 504) return 'fault.slow';
  return 'fault.other';
}
