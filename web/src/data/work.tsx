import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { postJson } from '../api/client';
import { type WorkName, workQuery } from './calls';
import type { Work } from './documents';
import { ToneBadge } from './parts';
import type { Say } from './say';
import type { Tone } from './signs';

/** The last work of a kind, and how to begin another one. */
export function useWork<T extends Work>(name: WorkName) {
  const queries = useQueryClient();
  const last = useQuery(workQuery<T>(name));
  const start = useMutation({
    mutationFn: (asked: object) => postJson(`/v1/${name}`, asked),
    onSettled: () => queries.invalidateQueries({ queryKey: ['data', 'work', name] }),
  });
  const isRunning = last.data?.state === 'running';
  return {
    last: last.data ?? null,
    error: last.error,
    start,
    isRunning,
    isBusy: isRunning || start.isPending,
  };
}

const tones: Record<Work['state'], Tone> = { running: 'quiet', done: 'good', failed: 'bad' };

/** Whether it runs, is done or has failed, and when. */
export function WorkState({ work, say }: { work: Work; say: Say }) {
  const { t } = say;
  const tookMs = Date.parse(work.ended_at ?? '') - Date.parse(work.started_at);
  return (
    <p className="data-work" data-state={work.state}>
      <ToneBadge tone={tones[work.state] ?? 'quiet'}>{t(`work.${work.state}`)}</ToneBadge>{' '}
      <span className="dim">
        {Number.isFinite(tookMs)
          ? t('work.took', { time: say.time(work.started_at), span: say.span(Math.max(0, tookMs)) })
          : t('work.since', { time: say.time(work.started_at) })}
      </span>
    </p>
  );
}
