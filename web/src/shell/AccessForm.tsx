import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState, useSyncExternalStore } from 'react';
import { type Access, accessStore, type Identity, isSendable, keepToken } from '../api/access';
import { ApiError, getJson } from '../api/client';
import { accessQuery } from '../api/queries';
import { useSpeech } from '../i18n/hooks';
import { Message } from './Message';

/** What there is to say of a token that was not taken. */
function faultKey(access: Access) {
  return access === 'granted' || access === 'missing' ? null : (`access.${access}` as const);
}

/** Asks for the token that the server requires, and says why one was not taken: wrong, over, or revoked. */
export function AccessForm() {
  const { t } = useSpeech();
  const queries = useQueryClient();
  const access = useSyncExternalStore(accessStore.subscribe, accessStore.get);
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  // What the form itself has found; else it is what the server has said last.
  const [found, setFound] = useState<'access.unsendable' | 'state.unreachable' | null>(null);
  const key = found ?? faultKey(access);
  const fault = key && !busy ? t(key) : '';

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const text = token.trim();
    if (!isSendable(text)) {
      setFound('access.unsendable');
      return;
    }
    setBusy(true);
    setFound(null);
    keepToken(text);
    try {
      // Nothing of whoever was here before is taken for what this one may see.
      const identity = await getJson<Identity>('/v1/access');
      queries.setQueryData(accessQuery.queryKey, identity);
    } catch (cause) {
      // Any answer but a refusal is one to somebody who may ask; the board itself shows what is wrong then.
      if (!(cause instanceof ApiError) || cause.status === 0) setFound('state.unreachable');
    } finally {
      setBusy(false);
    }
    if (accessStore.get() === 'granted') {
      const others = ({ queryKey }: { queryKey: readonly unknown[] }) => queryKey[0] !== 'access';
      await queries.invalidateQueries({ predicate: others });
    }
  };

  return (
    <Message title={t('access.title')}>
      <p className="dim">{t('access.text')}</p>
      <form className="access" data-testid="access" onSubmit={(event) => void submit(event)}>
        <label htmlFor="access-token">{t('access.token')}</label>
        <div className="access-row">
          <input
            id="access-token"
            type="password"
            autoComplete="current-password"
            spellCheck={false}
            // biome-ignore lint/a11y/noAutofocus: the page has nothing else to offer
            autoFocus
            required
            value={token}
            aria-invalid={fault !== ''}
            aria-describedby="access-fault"
            onChange={(event) => setToken(event.target.value)}
          />
          <button type="submit" className="button button-main" disabled={busy}>
            {busy ? t('access.checking') : t('access.submit')}
          </button>
        </div>
        <p id="access-fault" className="access-fault" role="alert">
          {fault}
        </p>
      </form>
    </Message>
  );
}
