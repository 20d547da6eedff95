import { useQuery } from '@tanstack/react-query';
import { Details } from '../annotations/Details';
import { annotationTexts } from '../annotations/detailTexts';
import { aroundIncident, BEFORE_MS } from '../annotations/near';
import { annotationsQuery } from '../annotations/query';
import type { Incident } from '../api/types';
import { durationText } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import '../annotations/annotations.css';

/** What people and deployments noted shortly before an incident began and while it lasted: often it is why. */
export function NotedPanel({ incident, nowMs }: { incident: Incident; nowMs: number }) {
  const { locale } = useSpeech();
  const say = annotationTexts.use();
  const startedMs = Date.parse(incident.started_at);
  const endMs = incident.resolved_at === null ? nowMs : Date.parse(incident.resolved_at);
  const { data } = useQuery(annotationsQuery(startedMs - BEFORE_MS, endMs));
  const marks = aroundIncident(data ?? [], incident, nowMs);
  if (marks.length === 0) return null;
  return (
    <section className="panel case-panel" aria-labelledby="noted-title" data-testid="noted">
      <header className="panel-head">
        <h2 id="noted-title">{say('around.title')}</h2>
      </header>
      <ul className="case-noted">
        {marks.map((mark) => {
          const offMs = mark.startMs - startedMs;
          const time = durationText(Math.max(1_000, Math.round(Math.abs(offMs) / 1_000) * 1_000), locale);
          return (
            <li key={mark.annotation.id} data-testid="noted-entry">
              <p className="case-noted-when">{say(offMs > 0 ? 'around.after' : 'around.before', { time })}</p>
              <Details mark={mark} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}
