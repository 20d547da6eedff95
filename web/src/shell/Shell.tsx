import { Outlet } from '@tanstack/react-router';
import { useState } from 'react';
import { useSpeech } from '../i18n/hooks';
import { LiveContext, useHubLifecycle } from '../live/hooks';
import { LiveHub } from '../live/hub';
import { ConnectionBanner } from './ConnectionBanner';
import { Header } from './Header';

/** What stays while pages change: the header, the live connections, the banner. */
export function Shell() {
  const { t } = useSpeech();
  const [hub] = useState(() => new LiveHub());
  useHubLifecycle(hub);
  return (
    <LiveContext value={hub}>
      <a className="skip" href="#main">
        {t('app.skip')}
      </a>
      <Header />
      <ConnectionBanner />
      <main id="main" tabIndex={-1}>
        <Outlet />
      </main>
    </LiveContext>
  );
}
