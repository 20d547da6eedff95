import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { remove } from '../api/client';
import type { Incident } from '../api/types';
import { sliceText } from '../board/slice';
import { briefTime } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { storedAuthor } from '../incidents/author';
import { Refusal } from '../incidents/Refusal';
import { useMay } from '../shell/useMay';
import { silencesQuery } from './queries';
import { silencePath } from './silencePath';
import { useTexts } from './texts';
import type { Silence, SilencedIncident } from './types';

/** Until when an incident is silenced, in milliseconds; null where it is not, or not any more. */
export function silencedUntil(incident: Incident, nowMs: number): number | null {
  const until = Date.parse((incident as SilencedIncident).silenced_until ?? '');
  return incident.state !== 'resolved' && until > nowMs ? until : null;
}

/** What is not announced for a while, each with a button that ends it before its time. */
export function Silences({ nowMs }: { nowMs: number }) {
  const t = useTexts();
  const speech = useSpeech();
  const queries = useQueryClient();
  const mayEnd = useMay('operate');
  const { data } = useQuery(silencesQuery);
  const end = useMutation({
    mutationFn: (silence: Silence) => remove(silencePath(silence.id, storedAuthor())),
    // Also when it was refused: somebody else may have ended it.
    onSettled: () => queries.invalidateQueries({ queryKey: silencesQuery.queryKey }),
  });
  const lasting = (data ?? []).filter(({ until }) => Date.parse(until) > nowMs);
  if (lasting.length === 0) return null;
  return (
    <section className="panel silences" aria-labelledby="silences-title" data-testid="silences">
      <h2 id="silences-title">{t('silences.title')}</h2>
      <p className="dim">{t('silences.text')}</p>
      <ul>
        {lasting.map((silence) => {
          const { id, monitor, slice, until, incident, by, note } = silence;
          const what = `${monitor}: ${sliceText(slice, speech)}`;
          const time = briefTime(Date.parse(until), nowMs, speech.locale, speech.zone);
          return (
            <li key={id}>
              {incident ? (
                <Link to="/incidents/$id" params={{ id: incident }}>
                  {what}
                </Link>
              ) : (
                <Link to="/monitors/$name" params={{ name: monitor }}>
                  {what}
                </Link>
              )}{' '}
              <span className="dim">
                {t('silences.until', { time })}
                {by && ` · ${by}`}
                {note && ` · ${note}`}
              </span>{' '}
              {mayEnd && (
                <button
                  type="button"
                  className="button"
                  disabled={end.isPending}
                  aria-label={t('silences.end.of', { what })}
                  onClick={() => end.mutate(silence)}
                >
                  {t('silences.end')}
                </button>
              )}
            </li>
          );
        })}
      </ul>
      {end.error && (
        <p role="alert" className="silences-refused">
          <Refusal error={end.error} />
        </p>
      )}
    </section>
  );
}
