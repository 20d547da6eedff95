import type { Incident, Severity } from '../api/types';
import { useSpeech } from '../i18n/hooks';
import { serverNow } from '../live/clock';
import { useIncidents, useTick } from '../live/hooks';
import { CheckIcon } from '../shell/icons';
import { byCause } from './cause';
import { IncidentItem } from './IncidentItem';
import { PanelError } from './PanelError';

/** How urgent the most urgent of what goes on is; parts count as well. */
function worst(incidents: readonly Incident[]): Severity | undefined {
  const open = new Set(incidents.filter(({ state }) => state !== 'resolved').map(({ severity }) => severity));
  return (['critical', 'warning', 'info'] as const).find((severity) => open.has(severity));
}

/** Resolved incidents stay on the board for a while: who comes back from lunch wants to see what happened. */
const RESOLVED_SHOWN_MAX = 5;

/** The incidents of everything that is watched: what is open first, then what has just been resolved. */
export function IncidentList({ metricTitle }: { metricTitle: (metric: string) => string }) {
  const { t } = useSpeech();
  const { incidents, loaded, error } = useIncidents();
  const now = serverNow(useTick(1_000));
  const { leaders, partsOf } = byCause(incidents);
  const active = leaders.filter(({ state }) => state !== 'resolved');
  const resolved = leaders.filter(({ state }) => state === 'resolved');
  const shownResolved = resolved.slice(0, RESOLVED_SHOWN_MAX);
  return (
    <section className="panel incidents" aria-labelledby="incidents-title" data-testid="incidents">
      <header className="panel-head">
        <h2 id="incidents-title">{t('incidents.title')}</h2>
        {loaded && (
          <span className="count" data-severity={worst(incidents) ?? 'none'} role="status">
            {t('incidents.open', { count: active.length })}
          </span>
        )}
      </header>
      {!loaded && error && <PanelError error={error} />}
      {!loaded && !error && (
        <div aria-hidden="true">
          <div className="skeleton skeleton-incident" />
          <div className="skeleton skeleton-incident" />
        </div>
      )}
      {loaded && active.length === 0 && (
        <div className="all-clear">
          <CheckIcon />
          <div>
            <p className="all-clear-title">{t('incidents.empty.title')}</p>
            <p className="dim">{t('incidents.empty.text')}</p>
          </div>
        </div>
      )}
      <ul className="incident-list">
        {active.map((incident) => (
          <IncidentItem
            key={incident.id}
            incident={incident}
            parts={partsOf(incident)}
            nowMs={now}
            metricTitle={metricTitle}
          />
        ))}
      </ul>
      {shownResolved.length > 0 && (
        <>
          <h3 className="incidents-group">{t('incidents.resolved')}</h3>
          <ul className="incident-list">
            {shownResolved.map((incident) => (
              <IncidentItem
                key={incident.id}
                incident={incident}
                parts={partsOf(incident)}
                nowMs={now}
                metricTitle={metricTitle}
              />
            ))}
          </ul>
          {resolved.length > shownResolved.length && (
            <p className="dim incidents-more">
              {t('incidents.moreResolved', { count: resolved.length - shownResolved.length })}
            </p>
          )}
        </>
      )}
    </section>
  );
}
