import { dayName } from '../../format/time';
import { numberFormat } from '../../format/units';
import { useSpeech } from '../../i18n/hooks';
import { useTick } from '../../live/hooks';
import type { RunnerState } from '../backtestRunner';
import { useTexts } from '../texts';

interface Props {
  state: RunnerState;
  /** Why nothing is asked, where that is so. */
  pause: 'nothing' | 'faults' | 'typing' | null;
  onAgain: () => void;
}

/** Where the test stands, in one line that is read out when it changes. */
export function RunStatus({ state, pause, onAgain }: Props) {
  const t = useTexts();
  const { locale, zone } = useSpeech();
  const nowMs = useTick(500);
  const { phase, answer } = state;
  const until = (atMs: number) => Math.max(0, Math.ceil((atMs - nowMs) / 1_000));
  const text = () => {
    if (pause === 'nothing') return '';
    if (pause === 'faults') return t('preview.blocked');
    if (pause === 'typing' || phase.kind === 'waiting') return t('preview.waiting');
    if (phase.kind === 'running')
      return t('preview.running', { seconds: Math.max(0, Math.floor((nowMs - phase.sinceMs) / 1_000)) });
    if (phase.kind === 'queued')
      return t(phase.isBusy ? 'preview.busy' : 'preview.away', { seconds: until(phase.retryAtMs) });
    if (phase.kind === 'done' && answer) {
      return t('preview.done', {
        from: dayName(Date.parse(answer.from), locale, zone),
        to: dayName(Date.parse(answer.to), locale, zone),
        took: numberFormat(locale, { maximumFractionDigits: 1 }).format(answer.took_s),
      });
    }
    return '';
  };
  const isAtWork = pause === null && (phase.kind === 'running' || phase.kind === 'queued');
  return (
    <div className="run-status" data-testid="run" data-phase={pause ?? phase.kind}>
      {/* Seconds that pass are no news: only what stands is read out. */}
      <p aria-live={isAtWork ? 'off' : 'polite'}>{text()}</p>
      {pause === null && (phase.kind === 'done' || phase.kind === 'failed') && (
        <button type="button" className="button" onClick={onAgain}>
          {t('preview.again')}
        </button>
      )}
      {isAtWork && phase.kind === 'running' && <span className="run-bar" aria-hidden="true" />}
    </div>
  );
}
