import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState, useSyncExternalStore } from 'react';
import { accessStore, isSendable, keepToken } from '../api/access';
import { ApiError, getJson } from '../api/client';
import { useSpeech } from '../i18n/hooks';
import { Message } from './Message';

/** Asks for the token that the server requires, and says when it was the wrong one. */
export function AccessForm() {
  const { t } = useSpeech();
  const queries = useQueryClient();
  const access = useSyncExternalStore(accessStore.subscribe, accessStore.get);
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState(access === 'wrong' ? t('access.wrong') : '');

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const text = token.trim();
    if (!isSendable(text)) {
      setFault(t('access.unsendable'));
      return;
    }
    setBusy(true);
    setFault('');
    keepToken(text);
    try {
      await getJson('/v1/boards');
    } catch (cause) {
      // Any answer but a refusal is one to somebody who may ask; the board itself shows what is wrong then.
      const status = cause instanceof ApiError ? cause.status : 0;
      if (status === 401) setFault(t('access.wrong'));
      else if (status === 0) setFault(t('state.unreachable'));
    } finally {
      setBusy(false);
    }
    if (accessStore.get() === 'granted') await queries.invalidateQueries();
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
