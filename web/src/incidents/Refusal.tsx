import { ApiError } from '../api/client';
import { useSpeech } from '../i18n/hooks';
import { incidentTexts } from './texts';

/** Why the server, or the way to it, has refused; an answer that was lost may have been a yes. */
export function Refusal({ error }: { error: Error | null }) {
  const { t } = useSpeech();
  const say = incidentTexts.use();
  if (error instanceof ApiError && error.status === 0) {
    return (
      <>
        {t('state.unreachable')} {say('failed.unknown')}
      </>
    );
  }
  const problem = error instanceof ApiError ? error.problem : null;
  return <>{problem?.detail ?? problem?.title ?? error?.message}</>;
}
