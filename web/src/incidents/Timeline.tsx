import { useState } from 'react';
import type { Incident, TimelineEntry } from '../api/types';
import { retold } from '../board/retold';
import { briefTime, dateTime } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { readEntry } from './entry';
import { type IncidentText, incidentTexts } from './texts';

interface Props {
  incident: Incident;
  /** How many of the entries the server has told; those behind are still on their way. */
  known: number;
  nowMs: number;
  metricTitle: (metric: string) => string;
}

/** A long story begins with its newest part. */
const ENTRIES_SHOWN = 12;

/** What happened to it, the newest first. */
export function Timeline({ incident, known, nowMs, metricTitle }: Props) {
  const { t } = useSpeech();
  const say = incidentTexts.use();
  const [isWhole, setWhole] = useState(false);
  const entries = incident.timeline.map((entry, at) => ({ entry, at })).reverse();
  const shown = isWhole ? entries : entries.slice(0, ENTRIES_SHOWN);
  return (
    <section className="panel case-panel" aria-labelledby="timeline-title" data-testid="timeline">
      <header className="panel-head">
        <h2 id="timeline-title">{t('incident.timeline')}</h2>
      </header>
      {entries.length === 0 && <p className="case-empty">{say('timeline.empty')}</p>}
      <ol className="case-timeline" reversed>
        {shown.map(({ entry, at }) => (
          <Entry key={at} entry={entry} isPending={at >= known} nowMs={nowMs} metricTitle={metricTitle} />
        ))}
      </ol>
      {entries.length > shown.length && (
        <button type="button" className="button" onClick={() => setWhole(true)}>
          {say('timeline.more', { count: entries.length - shown.length })}
        </button>
      )}
    </section>
  );
}

const kinds: Record<string, IncidentText> = {
  opened: 'kind.opened',
  updated: 'kind.updated',
  acknowledged: 'kind.acknowledged',
  resolved: 'kind.resolved',
  reopened: 'kind.reopened',
  delivered: 'kind.delivered',
  delivery_failed: 'kind.delivery_failed',
  feedback: 'kind.feedback',
  note: 'kind.note',
  silenced: 'kind.silenced',
};

interface EntryProps {
  entry: TimelineEntry;
  isPending: boolean;
  nowMs: number;
  metricTitle: (metric: string) => string;
}

function Entry({ entry, isPending, nowMs, metricTitle }: EntryProps) {
  const speech = useSpeech();
  const { locale, zone } = speech;
  const say = incidentTexts.use();
  const { kind, by, note, verdict, silencedUntil, text } = readEntry(entry);
  const key = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  const atMs = Date.parse(entry.at);
  return (
    <li data-kind={kind} data-pending={isPending}>
      <time dateTime={entry.at} title={dateTime(atMs, locale, zone)}>
        {briefTime(atMs, nowMs, locale, zone)}
      </time>
      <div>
        <p>
          <strong>{key ? say(key) : kind}</strong>
          {verdict && ` ${say(`verdict.${verdict}`)}`}
          {silencedUntil &&
            ` ${say('silence.until', { time: briefTime(Date.parse(silencedUntil), nowMs, locale, zone) })}`}
          {by && <span className="dim"> {say('timeline.by', { name: by })}</span>}
          {isPending && <span className="case-saving"> {say('act.saving')}</span>}
        </p>
        {note && <blockquote className="case-note">{note}</blockquote>}
        {text && <p className="case-entry-text">{retold(text, metricTitle, speech)}</p>}
      </div>
    </li>
  );
}
