import { Link } from '@tanstack/react-router';
import type { Incident } from '../api/types';
import { incidentSize } from '../board/incidentSize';
import { briefTime } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { SeverityIcon } from '../shell/icons';
import { isLonely, relatedTo } from './related';
import { SliceChips } from './SliceChips';
import { incidentTexts } from './texts';

interface Props {
  incident: Incident;
  all: readonly Incident[];
  metricTitle: (metric: string) => string;
  nowMs: number;
}

/** What it is part of, what is part of it, and what was on the same slice or by the same monitor lately. */
export function RelatedPanel({ incident, all, metricTitle, nowMs }: Props) {
  const say = incidentTexts.use();
  const related = relatedTo(incident, all);
  const { leader, leaderId, parts, partIds, sameSlice, sameMonitor } = related;
  const falseAlarms = sameMonitor.filter(({ verdict }) => verdict === 'false_alarm').length;
  const list = (title: string, incidents: readonly Incident[], ids: readonly string[] = []) =>
    incidents.length + ids.length > 0 && (
      <>
        <h3>{title}</h3>
        <ul className="case-related">
          {incidents.map((one) => (
            <RelatedRow key={one.id} incident={one} title={metricTitle(one.metric)} nowMs={nowMs} />
          ))}
          {ids.map((id) => (
            <li key={id}>
              <Link to="/incidents/$id" params={{ id }}>
                {id}
              </Link>
            </li>
          ))}
        </ul>
      </>
    );
  return (
    <section className="panel case-panel" aria-labelledby="related-title" data-testid="related">
      <header className="panel-head">
        <h2 id="related-title">{say('related.title')}</h2>
      </header>
      {isLonely(related) && <p className="case-empty">{say('related.none')}</p>}
      {list(say('related.leader'), leader ? [leader] : [], leaderId && !leader ? [leaderId] : [])}
      {list(say('related.parts'), parts, partIds)}
      {list(say('related.sameSlice'), sameSlice)}
      {list(say('related.sameMonitor'), sameMonitor)}
      {falseAlarms > 0 && (
        <p className="case-hint">
          {say('related.falseAlarms', { count: falseAlarms, all: sameMonitor.length })}
        </p>
      )}
    </section>
  );
}

function RelatedRow({ incident, title, nowMs }: { incident: Incident; title: string; nowMs: number }) {
  const speech = useSpeech();
  const { t, locale, zone } = speech;
  const say = incidentTexts.use();
  return (
    <li data-testid="related-incident" data-severity={incident.severity} data-state={incident.state}>
      <span className="case-related-mark" title={t(`severity.${incident.severity}`)}>
        <SeverityIcon severity={incident.severity} />
        <span className="visually-hidden">{t(`severity.${incident.severity}`)}</span>
      </span>
      <div>
        <Link to="/incidents/$id" params={{ id: incident.id }}>
          <span className="inbox-metric">{title}</span> <SliceChips slice={incident.slice} />
        </Link>
        <p className="dim">
          {incidentSize(incident, incident.unit, speech)}
          <span aria-hidden="true"> · </span>
          {briefTime(Date.parse(incident.started_at), nowMs, locale, zone)}
          <span aria-hidden="true"> · </span>
          {t(`incidentState.${incident.state}`)}
          {incident.verdict && (
            <>
              <span aria-hidden="true"> · </span>
              {say(`verdict.${incident.verdict}`)}
            </>
          )}
        </p>
      </div>
    </li>
  );
}
