import type { ErrorComponentProps } from '@tanstack/react-router';
import { useSpeech } from '../i18n/hooks';
import { Message } from '../shell/Message';

/** A fault of ours. A wall screen comes back from it by itself as soon as somebody, or something, reloads it. */
export function CrashPage({ error }: ErrorComponentProps) {
  const { t } = useSpeech();
  return (
    <Message title={t('page.crashed')}>
      <p className="dim">{error instanceof Error ? error.message : String(error)}</p>
      <button type="button" className="button" onClick={() => location.reload()}>
        {t('page.reload')}
      </button>
    </Message>
  );
}
