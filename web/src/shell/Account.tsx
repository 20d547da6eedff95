import { useQueryClient } from '@tanstack/react-query';
import { type Identity, signOut } from '../api/access';
import { dateTime } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { accountTexts } from './accountTexts';
import { Message } from './Message';

/** Signs out, and forgets what was seen. */
function useSignOut(): () => void {
  const queries = useQueryClient();
  return () => {
    signOut();
    queries.clear();
  };
}

/** Who one is, what the role may do, for how long, and the way out. */
export function Account({ identity }: { identity: Identity }) {
  const t = accountTexts.use();
  const { locale, zone } = useSpeech();
  const leave = useSignOut();
  const endsMs = Date.parse(identity.expires_at ?? '');
  return (
    <div className="account" data-testid="account">
      <dl>
        <dt>{t('name')}</dt>
        <dd className="account-name">{identity.name ?? t('unnamed')}</dd>
        <dt>{t('role')}</dt>
        <dd>
          <b>{identity.role}</b> <span className="dim">{t(`role.${identity.role}`)}</span>
        </dd>
        <dt>{t('expires')}</dt>
        <dd>{Number.isFinite(endsMs) ? dateTime(endsMs, locale, zone) : t('lasting')}</dd>
      </dl>
      <button type="button" className="button" data-testid="sign-out" onClick={leave}>
        {t('signOut')}
      </button>
    </div>
  );
}

/** What somebody sees whose token may only send events. */
export function Blind({ identity }: { identity: Identity }) {
  const t = accountTexts.use();
  const leave = useSignOut();
  return (
    <Message title={t('blind.title')}>
      <p className="dim" data-testid="blind">
        {t('blind.text', { name: identity.name ?? '' })}
      </p>
      <button type="button" className="button button-main" data-testid="sign-out" onClick={leave}>
        {t('blind.other')}
      </button>
    </Message>
  );
}
