import { useQuery } from '@tanstack/react-query';
import { statusQuery } from '../api/queries';
import { clockTime } from '../format/time';
import { numberFormat } from '../format/units';
import { useSpeech } from '../i18n/hooks';
import { useHealth, useHub, useTick } from '../live/hooks';

/** A blink of the network is not worth a banner. */
const SHOW_AFTER_MS = 2_500;
const STATUS_INTERVAL_MS = 2_000;

/** Says that figures are from the past and why: the connection is lost, or the server is still recovering. */
export function ConnectionBanner() {
  const speech = useSpeech();
  const { t, locale } = speech;
  const hub = useHub();
  const health = useHealth();
  const now = useTick(500);
  const isLost = health.kind === 'reconnecting';
  const status = useQuery({
    ...statusQuery,
    enabled: isLost,
    refetchInterval: isLost ? STATUS_INTERVAL_MS : false,
  });
  if (!isLost || now - health.sinceMs < SHOW_AFTER_MS) return null;
  const isRecovering = status.isSuccess && status.data.state === 'recovering';
  const seconds = Math.ceil((health.retryAtMs - now) / 1000);
  const time = clockTime(health.sinceMs, locale, speech.zone);
  const lossText =
    health.status >= 400 ? t('live.refused', { time, status: health.status }) : t('live.lost', { time });
  return (
    <div
      className="banner"
      role="alert"
      data-testid="banner"
      data-kind={isRecovering ? 'recovering' : 'lost'}
    >
      <p>
        {isRecovering
          ? t('live.recovering', {
              percent: numberFormat(locale, { style: 'percent' }).format(status.data.progress),
            })
          : lossText}
      </p>
      {isRecovering && <progress value={status.data.progress} max={1} />}
      <span className="banner-retry" aria-live="off">
        {seconds > 0 ? t('live.retryIn', { seconds }) : t('live.retrying')}
      </span>
      <button type="button" className="button" onClick={() => hub.retryNow()}>
        {t('live.retryNow')}
      </button>
    </div>
  );
}
