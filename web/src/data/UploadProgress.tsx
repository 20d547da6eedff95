import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useSyncExternalStore } from 'react';
import { useTick } from '../live/hooks';
import { type CsvUpload, isRefused, type UploadPhase, type UploadState, uploadStore } from './csv/upload';
import { Progress, ToneBadge } from './parts';
import { Rejections } from './Rejections';
import type { Say } from './say';
import { writeDataSearch } from './search';
import type { Tone } from './signs';

const tones: Record<UploadPhase, Tone> = {
  sending: 'quiet',
  waiting: 'warning',
  doubtful: 'warning',
  failed: 'bad',
  done: 'good',
  cancelled: 'quiet',
};

/** How far an upload is, what became of its lines, and what can be done with it. */
export function UploadProgress({ upload, say }: { upload: CsvUpload; say: Say }) {
  const { t } = say;
  const queries = useQueryClient();
  const state = useSyncExternalStore(upload.store.subscribe, upload.store.get);
  const nowMs = useTick(500);
  const { phase } = state;
  const isUnderWay = phase === 'sending' || phase === 'waiting';
  const canGoOn = phase === 'failed' || phase === 'doubtful';
  const total = upload.file.size;

  // Closing the tab would end the upload half-way.
  useEffect(() => {
    if (!isUnderWay) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [isUnderWay]);
  useEffect(() => {
    if (!isUnderWay) void queries.invalidateQueries({ queryKey: ['data'] });
  }, [isUnderWay, queries]);

  return (
    <div className="data-upload" data-testid="upload-run" data-phase={phase}>
      <div className="data-file">
        <span className="data-strong ellipsis">{upload.file.name}</span>
        <span className="dim">→</span>
        <Link to="/data" search={writeDataSearch({ stream: upload.stream })} className="data-link ellipsis">
          {upload.stream}
        </Link>
        <ToneBadge tone={tones[phase]}>{t(`upload.phase.${phase}`)}</ToneBadge>
      </div>
      <Progress label={t(`upload.phase.${phase}`)} share={total > 0 ? state.bytesDone / total : 1} />
      <p className="dim data-small data-figure">
        {t('upload.progress', { done: say.bytes(state.bytesDone), total: say.bytes(total) })}
        {isUnderWay && <Speed state={state} total={total} nowMs={nowMs} say={say} />}
      </p>
      <p role="status" className="data-small data-prose">
        <Story state={state} nowMs={nowMs} say={say} />
      </p>
      <dl className="data-counts">
        <div data-tone={state.accepted > 0 ? 'good' : undefined}>
          <dt>{t('receipt.accepted')}</dt>
          <dd data-testid="upload-accepted">{say.count(state.accepted)}</dd>
        </div>
        <div>
          <dt>{t('receipt.duplicates')}</dt>
          <dd data-testid="upload-duplicates">{say.count(state.duplicates)}</dd>
        </div>
        <div data-tone={state.rejected > 0 ? 'warning' : undefined}>
          <dt>{t('receipt.rejected')}</dt>
          <dd data-testid="upload-rejected">{say.count(state.rejected)}</dd>
        </div>
      </dl>
      <div className="data-actions">
        {canGoOn && (
          <button type="button" className="button button-main" onClick={() => void upload.run()}>
            {t('upload.continue')}
          </button>
        )}
        {(isUnderWay || canGoOn) && (
          <button type="button" className="button" onClick={() => upload.cancel()}>
            {t('upload.cancel')}
          </button>
        )}
        {!isUnderWay && (
          <button type="button" className="button" onClick={() => uploadStore.set(null)}>
            {t('upload.new')}
          </button>
        )}
        {!isUnderWay && state.rejected > 0 && (
          <Link
            to="/data"
            search={writeDataSearch({ tab: 'quarantine', stream: upload.stream })}
            className="button"
          >
            {t('upload.toQuarantine')}
          </Link>
        )}
      </div>
      <Rejections rejections={state.rejections} say={say} />
    </div>
  );
}

/** Before this an estimate would jump. */
const ESTIMATE_AFTER_MS = 3_000;

interface SpeedProps {
  state: UploadState;
  total: number;
  nowMs: number;
  say: Say;
}

function Speed({ state, total, nowMs, say }: SpeedProps) {
  const spentMs = nowMs - state.startedAtMs;
  if (spentMs < ESTIMATE_AFTER_MS || state.bytesDone === 0) return null;
  const perMs = state.bytesDone / spentMs;
  const left = say.span(Math.max(1_000, (total - state.bytesDone) / perMs));
  return <> · {say.t('upload.speed', { rate: say.bytes(perMs * 1_000), left })}</>;
}

interface StoryProps {
  state: UploadState;
  nowMs: number;
  say: Say;
}

/** What there is to say about it in a sentence. */
function Story({ state, nowMs, say }: StoryProps) {
  const { t } = say;
  const reason = state.error ? say.reason(state.error) : '';
  switch (state.phase) {
    case 'sending':
      return null;
    case 'waiting': {
      const seconds = Math.max(0, Math.ceil(((state.retryAtMs ?? nowMs) - nowMs) / 1_000));
      return t('upload.waiting', { reason, seconds });
    }
    case 'doubtful':
      return t('upload.doubtful');
    case 'failed':
      return isRefused(state.error) ? t('upload.failed.refused', { reason }) : t('upload.failed', { reason });
    case 'cancelled':
      return t('upload.cancelled');
    case 'done': {
      const span = say.span(Math.max(0, (state.endedAtMs ?? nowMs) - state.startedAtMs));
      return state.rejected > 0 ? t('upload.done.some', { span }) : t('upload.done.all', { span });
    }
  }
}
