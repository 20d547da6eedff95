import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { metricsQuery } from '../api/queries';
import type { Incident } from '../api/types';
import { partsBeyond, shareText } from '../board/cause';
import { incidentSize } from '../board/incidentSize';
import { sliceText } from '../board/slice';
import { briefTime, dateTime, durationText } from '../format/time';
import { figureText } from '../format/units';
import { useSpeech } from '../i18n/hooks';
import { SeverityIcon } from '../shell/icons';
import { useMay } from '../shell/useMay';
import { withAct } from './act';
import { storedAuthor } from './author';
import { silencedUntilMs } from './entry';
import type { Group } from './filter';
import { rememberRow } from './keys';
import { Refusal } from './Refusal';
import { SliceChips } from './SliceChips';
import { incidentTexts } from './texts';
import { useAct } from './useAct';

interface GroupProps {
  group: Group;
  nowMs: number;
  metricTitle: (metric: string) => string;
}

/** More parts than this unfold on demand: one cause must not fill the screen. */
const PARTS_SHOWN = 3;

/** An incident and, under it, those of the same cause. */
export function IncidentGroup({ group, nowMs, metricTitle }: GroupProps) {
  const say = incidentTexts.use();
  const [isUnfolded, unfold] = useState(false);
  const { leader, parts } = group;
  const shown = isUnfolded ? parts : parts.slice(0, PARTS_SHOWN);
  return (
    <li className="inbox-group">
      <IncidentRow incident={leader} nowMs={nowMs} metricTitle={metricTitle} />
      {parts.length > 0 && (
        <ul className="inbox-parts" aria-label={say('row.parts')}>
          {shown.map((part) => (
            <li key={part.id}>
              <IncidentRow incident={part} nowMs={nowMs} metricTitle={metricTitle} isPart />
            </li>
          ))}
          {parts.length > shown.length && (
            <li>
              <button type="button" className="inbox-unfold" onClick={() => unfold(true)}>
                {say('row.moreParts', { count: parts.length - shown.length })}
              </button>
            </li>
          )}
        </ul>
      )}
    </li>
  );
}

interface RowProps {
  incident: Incident;
  nowMs: number;
  metricTitle: (metric: string) => string;
  isPart?: boolean;
}

/** One line of the inbox. The link covers all of it; what nobody has taken yet is set in bold, like unread mail. */
export function IncidentRow({ incident: known, nowMs, metricTitle, isPart = false }: RowProps) {
  const speech = useSpeech();
  const { t, locale, zone } = speech;
  const say = incidentTexts.use();
  const act = useAct(known);
  const mayAct = useMay('operate');
  const incident = act.pending ? withAct(known, act.pending, nowMs) : known;
  const unit = useQuery(metricsQuery).data?.get(incident.metric)?.unit ?? incident.unit;
  const startedMs = Date.parse(incident.started_at);
  const endMs = incident.resolved_at === null ? nowMs : Date.parse(incident.resolved_at);
  const duration = durationText(endMs - startedMs, locale);
  const parts = partsBeyond(incident);
  const silencedMs = silencedUntilMs(incident, nowMs);
  return (
    <article
      className={isPart ? 'inbox-row inbox-part' : 'inbox-row'}
      data-testid="inbox-row"
      data-incident={incident.id}
      data-severity={incident.severity}
      data-state={incident.state}
    >
      <span className="inbox-severity">
        <SeverityIcon severity={incident.severity} />
        {t(`severity.${incident.severity}`)}
      </span>
      <div className="inbox-what">
        <h3>
          <Link
            to="/incidents/$id"
            params={{ id: incident.id }}
            className="inbox-link"
            data-row={incident.id}
            onClick={() => rememberRow(incident.id)}
          >
            <span className="inbox-metric">{metricTitle(incident.metric)}</span>{' '}
            <SliceChips slice={incident.slice} />
          </Link>
        </h3>
        <p className="inbox-size">
          <span>{incidentSize(incident, unit, speech)}</span>
          {parts.length > 0 && (
            <span className="dim">
              {t('incident.explainedBy')}{' '}
              {parts
                .slice(0, 2)
                .map((part) => `${sliceText(part.slice, speech)} ${shareText(part.share, locale)}`)
                .join(', ')}
            </span>
          )}
        </p>
      </div>
      <p className="inbox-tags">
        <span className="incident-state">{t(`incidentState.${incident.state}`)}</span>
        {silencedMs !== null && (
          <span className="incident-state" title={dateTime(silencedMs, locale, zone)}>
            {say('tag.silenced')}
          </span>
        )}
        {incident.verdict === 'false_alarm' && (
          <span className="incident-state">{t('feedback.false_alarm')}</span>
        )}
        {act.pending && <span className="case-saving">{say('act.saving')}</span>}
        {mayAct && known.state === 'open' && !act.pending && (
          <button
            type="button"
            className="button inbox-take"
            data-take={known.id}
            onClick={() => act.run({ action: 'acknowledge', by: storedAuthor(), note: '' }, () => {})}
          >
            {t('incident.acknowledge')}
          </button>
        )}
      </p>
      {act.failed && (
        <p className="inbox-failed" role="alert" data-testid="act-failed">
          {say('failed.acknowledge')} <Refusal error={act.error} />
        </p>
      )}
      <p className="inbox-money">
        {incident.impact && (
          <span className="inbox-impact" data-testid="inbox-impact" title={incident.impact.metric}>
            <span className="visually-hidden">
              {say(incident.impact.of === 'passed' ? 'figure.inAll' : 'figure.atStake')}{' '}
            </span>
            {figureText(incident.impact.value, incident.impact.unit, locale)}
          </span>
        )}
        {incident.affected !== null && incident.affected !== undefined && (
          <span className="inbox-affected">
            {t('incident.affected', { count: figureText(incident.affected, 'count', locale) })}
          </span>
        )}
        {incident.passed !== null && incident.passed !== undefined && (
          <span className="inbox-affected">
            {t('incident.passed', { count: figureText(incident.passed, 'count', locale) })}
          </span>
        )}
      </p>
      <p className="inbox-time">
        <time dateTime={incident.started_at} title={dateTime(startedMs, locale, zone)}>
          {briefTime(startedMs, nowMs, locale, zone)}
        </time>
        <span className="dim">
          {t(incident.resolved_at === null ? 'incident.for' : 'incident.lasted', { duration })}
        </span>
      </p>
    </article>
  );
}
