import { useSpeech } from '../i18n/hooks';
import { useHealth } from '../live/hooks';

/** Whether what is on the screen is live. The words matter more than the colour. */
export function HealthBadge() {
  const { t } = useSpeech();
  const health = useHealth();
  if (health.kind === 'idle') return null;
  return (
    <span className="health" data-testid="health" data-health={health.kind} role="status">
      <span className="health-dot" aria-hidden="true" />
      {t(`live.${health.kind}`)}
    </span>
  );
}
