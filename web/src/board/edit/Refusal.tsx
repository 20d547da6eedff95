import { ApiError } from '../../api/client';
import { useSpeech } from '../../i18n/hooks';
import { problemText } from '../../i18n/problem';
import { boardTexts } from './texts';

/** Why the server, or the way to it, has refused to write. */
export function Refusal({ error }: { error: Error | null }) {
  const t = boardTexts.use();
  const speech = useSpeech();
  const { t: say } = speech;
  if (error instanceof ApiError) {
    if (error.status === 0) return <>{say('state.unreachable')}</>;
    if (error.status === 401) return <>{t('refused.token')}</>;
    // A server may refuse for where the page is from as well, and says so itself.
    const isOfPlace = /cross-origin|host-not-allowed/.test(error.problem?.type ?? '');
    if (error.status === 403 && !isOfPlace) return <>{t('refused.role')}</>;
    if (error.status === 405 || error.status === 501) return <>{t('refused.readOnly')}</>;
    return <>{problemText(error, speech)}</>;
  }
  return <>{error?.message}</>;
}
