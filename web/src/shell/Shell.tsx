import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Outlet, useRouterState } from '@tanstack/react-router';
import { lazy, Suspense, useState, useSyncExternalStore } from 'react';
import { accessStore } from '../api/access';
import { accessQuery, DEFINITIONS_KEY } from '../api/queries';
import { useSpeech } from '../i18n/hooks';
import { LiveContext, useHubLifecycle } from '../live/hooks';
import { LiveHub } from '../live/hub';
import { AccessForm } from './AccessForm';
import { ConnectionBanner } from './ConnectionBanner';
import { Header } from './Header';
import { Overlays } from './Overlays';

const Blind = lazy(async () => ({ default: (await import('./Account')).Blind }));

/** What stays while pages change: the header, the live connections, the banner. */
export function Shell() {
  const { t } = useSpeech();
  const queries = useQueryClient();
  const [hub] = useState(
    () => new LiveHub(() => void queries.invalidateQueries({ queryKey: [DEFINITIONS_KEY] })),
  );
  const access = useSyncExternalStore(accessStore.subscribe, accessStore.get);
  const isTaken = access === 'granted';
  const known = useQuery({ ...accessQuery, enabled: isTaken }).data;
  const identity = isTaken ? known : undefined;
  const isBlind = identity !== undefined && !identity.may.includes('read');
  const isGranted = isTaken && !isBlind;
  useHubLifecycle(hub);
  // A wall screen has a head of its own, and nothing on it to be reached by a hand.
  const isWall = useRouterState({ select: ({ location }) => location.pathname === '/wall' });
  return (
    <LiveContext value={hub}>
      {!isWall && (
        <>
          <a className="skip" href="#main">
            {t('app.skip')}
          </a>
          <Header isGranted={isGranted} identity={identity} />
        </>
      )}
      {isGranted && <ConnectionBanner />}
      {isGranted && <Overlays />}
      <main id="main" tabIndex={-1} className={isWall ? 'on-wall' : undefined}>
        {isGranted && <Outlet />}
        {isBlind && (
          <Suspense>
            <Blind identity={identity} />
          </Suspense>
        )}
        {!isTaken && <AccessForm />}
      </main>
    </LiveContext>
  );
}
