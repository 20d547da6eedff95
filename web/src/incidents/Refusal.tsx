import { ApiError } from '../api/client';
import { useSpeech } from '../i18n/hooks';
import { problemText } from '../i18n/problem';
import { incidentTexts } from './texts';

/** Why the server, or the way to it, has refused; an answer that was lost may have been a yes. */
export function Refusal({ error }: { error: Error | null }) {
  const speech = useSpeech();
  const { t } = speech;
  const say = incidentTexts.use();
  if (error instanceof ApiError && error.status === 0) {
    return (
      <>
        {t('state.unreachable')} {say('failed.unknown')}
      </>
    );
  }
  return <>{error && problemText(error, speech)}</>;
}
