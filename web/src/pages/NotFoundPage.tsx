import { Link } from '@tanstack/react-router';
import { useSpeech } from '../i18n/hooks';
import { Message } from '../shell/Message';

export function NotFoundPage() {
  const { t } = useSpeech();
  return (
    <Message title={t('page.notFound')}>
      <Link to="/" className="button">
        {t('boards.missing.back')}
      </Link>
    </Message>
  );
}
