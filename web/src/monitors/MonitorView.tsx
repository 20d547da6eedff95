import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { metricsQuery } from '../api/queries';
import type { Incident } from '../api/types';
import { incidentSize } from '../board/incidentSize';
import { sliceText } from '../board/slice';
import { briefTime } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { serverNow } from '../live/clock';
import { useIncidents, useTick } from '../live/hooks';
import { Definition } from './Definition';
import { draftOf, searchOf } from './draft';
import { MonitorBadge } from './MonitorBadge';
import { MonitorAdvice, MonitorFacts, precisionText } from './MonitorFacts';
import { JustSaved } from './SavePanel';
import { silencedUntil } from './Silences';
import { stateOf } from './state';
import { useTexts } from './texts';
import type { Monitor } from './types';

/** Newer ones push them out of the list of all incidents; more is on the page of incidents. */
const INCIDENTS_SHOWN = 20;

/** What a monitor is, does, and has found. */
export function MonitorView({ monitor }: { monitor: Monitor }) {
  const t = useTexts();
  const { locale } = useSpeech();
  const feed = useIncidents();
  const nowMs = serverNow(useTick(10_000));
  const state = stateOf(monitor, nowMs);
  const own = feed.incidents.filter((incident) => incident.monitor === monitor.name);
  const open = own.filter((incident) => incident.state !== 'resolved').length;
  const { name: _, ...template } = searchOf(draftOf(monitor));
  return (
    <div className="monitors" data-testid="monitor-page" data-monitor={monitor.name} data-state={state}>
      <div className="board-head">
        <h1 className="monitor-title">{monitor.name}</h1>
        <MonitorBadge state={state} />
        <span className="head-buttons">
          <Link to="/monitors" className="button">
            {t('monitor.back')}
          </Link>
          <Link to="/monitors/new" search={template} className="button">
            {t('monitor.copy')}
          </Link>
          <Link
            to="/monitors/$name"
            params={{ name: monitor.name }}
            search={{ mode: 'edit' }}
            className="button button-main"
          >
            {t('monitor.edit')}
          </Link>
        </span>
      </div>
      <JustSaved name={monitor.name} />
      <section className="panel monitor-summary">
        <MonitorFacts monitor={monitor} open={feed.loaded ? open : null} nowMs={nowMs} />
        <dl className="monitor-facts">
          <div title={t('score.precision.hint')}>
            <dt>{t('monitor.precision')}</dt>
            <dd>{precisionText(monitor, locale)}</dd>
          </div>
        </dl>
        <MonitorAdvice monitor={monitor} state={state} />
      </section>
      <div className="monitor-columns">
        <Definition monitor={monitor} />
        <section className="panel monitor-incidents" aria-labelledby="monitor-incidents">
          <h2 id="monitor-incidents">{t('monitor.incidents')}</h2>
          {feed.loaded && own.length === 0 && <p className="dim">{t('monitor.noIncidents')}</p>}
          <ul>
            {own.slice(0, INCIDENTS_SHOWN).map((incident) => (
              <IncidentLine key={incident.id} incident={incident} nowMs={nowMs} />
            ))}
          </ul>
          <Link to="/incidents" search={{ monitor: monitor.name }} className="button">
            {t('monitor.allIncidents')}
          </Link>
        </section>
      </div>
    </div>
  );
}

function IncidentLine({ incident, nowMs }: { incident: Incident; nowMs: number }) {
  const t = useTexts();
  const speech = useSpeech();
  const { t: say, locale, zone } = speech;
  const unit = useQuery(metricsQuery).data?.get(incident.metric)?.unit ?? incident.unit;
  const untilMs = silencedUntil(incident, nowMs);
  return (
    <li className="incident-line" data-testid="monitor-incident" data-state={incident.state}>
      <p>
        <Link to="/incidents/$id" params={{ id: incident.id }}>
          {sliceText(incident.slice, speech)}
        </Link>{' '}
        <span className="incident-line-state">{say(`incidentState.${incident.state}`)}</span>
      </p>
      <p>
        {incidentSize(incident, unit, speech)}{' '}
        <span className="dim">{briefTime(Date.parse(incident.started_at), nowMs, locale, zone)}</span>
      </p>
      {untilMs !== null && (
        <p className="dim">{t('monitor.silencedUntil', { time: briefTime(untilMs, nowMs, locale, zone) })}</p>
      )}
      {incident.verdict && <p className="dim">{t(`found.${incident.verdict}`)}</p>}
    </li>
  );
}
