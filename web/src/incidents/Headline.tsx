import { Link } from '@tanstack/react-router';
import type { Incident } from '../api/types';
import { incidentSentence } from '../board/incidentSentence';
import { briefTime, dateTime } from '../format/time';
import { figureText } from '../format/units';
import { useSpeech } from '../i18n/hooks';
import { SeverityIcon } from '../shell/icons';
import type { Act } from './act';
import { silencedUntilMs } from './entry';
import { SliceChips } from './SliceChips';
import { incidentTexts } from './texts';

interface Props {
  incident: Incident;
  pending: Act | null;
  title: string;
  metricTitle: (metric: string) => string;
  unit: string | null;
  nowMs: number;
  all: readonly Incident[];
}

/** What and where, in which state, and what it is part of. */
export function Headline({ incident, pending, title, metricTitle, unit, nowMs, all }: Props) {
  const speech = useSpeech();
  const { t, locale, zone } = speech;
  const say = incidentTexts.use();
  const silencedMs = silencedUntilMs(incident, nowMs);
  const leader = all.find(({ id }) => id === incident.part_of);
  const { revised_at: revisedAt, revision } = incident;
  const sentence = incidentSentence(incident, unit, title, speech);
  return (
    <header className="case-headline">
      <div className="case-tags">
        <span className="severity">
          <SeverityIcon severity={incident.severity} />
          {t(`severity.${incident.severity}`)}
        </span>
        <span className="incident-state case-state" data-testid="incident-state" role="status">
          {t(`incidentState.${incident.state}`)}
        </span>
        {silencedMs !== null && (
          <span
            className="incident-state"
            data-testid="incident-silenced"
            title={dateTime(silencedMs, locale, zone)}
          >
            {say('tag.silencedUntil', { time: briefTime(silencedMs, nowMs, locale, zone) })}
          </span>
        )}
        {incident.verdict && (
          <span className="incident-state" data-testid="incident-verdict">
            {say(`verdict.${incident.verdict}`)}
          </span>
        )}
        {pending && <span className="case-saving">{say('act.saving')}</span>}
      </div>
      <h1 id={incident.id}>
        {title} <SliceChips slice={incident.slice} />
      </h1>
      <dl className="case-facts">
        <div>
          <dt>{t('incident.owner')}</dt>
          <dd data-testid="incident-owner">{incident.owner ?? say('owner.none')}</dd>
        </div>
        <div>
          <dt>{t('incident.monitor')}</dt>
          <dd>
            <Link to="/monitors/$name" params={{ name: incident.monitor }}>
              {incident.monitor}
            </Link>
          </dd>
        </div>
        <div>
          <dt>{say('page.id')}</dt>
          <dd>{incident.id}</dd>
        </div>
      </dl>
      {sentence.text && (
        <p className="case-summary" lang={sentence.language === 'zh' ? 'zh-CN' : sentence.language}>
          {sentence.text}
        </p>
      )}
      {incident.part_of && (
        <p className="case-notice">
          {say('related.partOf')}{' '}
          <Link to="/incidents/$id" params={{ id: incident.part_of }}>
            {leader
              ? incidentSentence(leader, leader.unit, metricTitle(leader.metric), speech).text
              : incident.part_of}
          </Link>
        </p>
      )}
      {revisedAt && (
        <p className="case-notice">
          {say('revised.text', { time: briefTime(Date.parse(revisedAt), nowMs, locale, zone) })}{' '}
          {revision &&
            say('revised.figures', {
              before: figureText(revision.then.value, unit, locale),
              now: figureText(revision.now.value, unit, locale),
            })}
        </p>
      )}
    </header>
  );
}
