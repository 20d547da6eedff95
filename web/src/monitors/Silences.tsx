import { Link } from '@tanstack/react-router';
import type { Incident } from '../api/types';
import { sliceText } from '../board/slice';
import { briefTime } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { useTexts } from './texts';
import type { SilencedIncident } from './types';

/** Until when an incident is silenced, in milliseconds; null where it is not, or not any more. */
export function silencedUntil(incident: Incident, nowMs: number): number | null {
  const until = Date.parse((incident as SilencedIncident).silenced_until ?? '');
  return incident.state !== 'resolved' && until > nowMs ? until : null;
}

/** The incidents about which nothing is announced for a while. */
export function Silences({ incidents, nowMs }: { incidents: readonly Incident[]; nowMs: number }) {
  const t = useTexts();
  const speech = useSpeech();
  const silenced = incidents.flatMap((incident) => {
    const untilMs = silencedUntil(incident, nowMs);
    return untilMs === null ? [] : [{ incident, untilMs }];
  });
  if (silenced.length === 0) return null;
  return (
    <section className="panel silences" aria-labelledby="silences-title" data-testid="silences">
      <h2 id="silences-title">{t('silences.title')}</h2>
      <p className="dim">{t('silences.text')}</p>
      <ul>
        {silenced.map(({ incident, untilMs }) => (
          <li key={incident.id}>
            <Link to="/incidents/$id" params={{ id: incident.id }}>
              {incident.monitor}: {sliceText(incident.slice, speech)}
            </Link>{' '}
            <span className="dim">
              {t('silences.until', { time: briefTime(untilMs, nowMs, speech.locale, speech.zone) })}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
