import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useEffect } from 'react';
import { clockTime } from '../format/time';
import { numberFormat } from '../format/units';
import { serverNow } from '../live/clock';
import { useTick } from '../live/hooks';
import { type Snapshot, snapshotQuery } from './calls';
import './data.css';
import './tables.css';
import './forms.css';
import { Overview } from './Overview';
import { Progress } from './parts';
import { QuarantineTab } from './QuarantineTab';
import { Refusal } from './Refusal';
import { StorageTab } from './StorageTab';
import { StreamsTab } from './StreamsTab';
import { SystemTab } from './SystemTab';
import { type Say, useSay } from './say';
import { type DataSearch, readDataSearch, tabs, writeDataSearch } from './search';
import { UploadTab } from './UploadTab';

/** The definitions, with the editor for them, are only loaded where they are looked at. */
const DefinitionsTab = lazy(() => import('./DefinitionsTab'));

/** What goes into the server, and how well it is. */
export function DataPage() {
  const say = useSay();
  const { t } = say;
  const search = readDataSearch(useSearch({ from: '/data' }));
  const snapshot = useQuery(snapshotQuery);
  useEffect(() => {
    document.title = `${t('title')} · Tillwatch`;
  }, [t]);
  return (
    <div className="data-page" data-testid="data" data-tab={search.tab}>
      <div className="data-head">
        <h1>{t('title')}</h1>
        {snapshot.data && (
          <span className="data-updated dim">
            {t('updated.now', {
              time: clockTime(serverNow(snapshot.data.atMs), say.speech.locale, say.speech.zone),
            })}
          </span>
        )}
      </div>
      {snapshot.data ? (
        <Loaded snapshot={snapshot.data} error={snapshot.error} search={search} say={say} />
      ) : snapshot.error ? (
        <Refusal error={snapshot.error} onRetry={() => void snapshot.refetch()} />
      ) : (
        <Skeleton label={t('loading')} />
      )}
    </div>
  );
}

interface LoadedProps {
  snapshot: Snapshot;
  error: Error | null;
  search: DataSearch;
  say: Say;
}

function Loaded({ snapshot, error, search, say }: LoadedProps) {
  const { status } = snapshot;
  const tickMs = useTick(1_000);
  // What was true when the server answered last is told as of then.
  const nowMs = serverNow(error ? snapshot.atMs : tickMs);
  const view = { snapshot, search, say, nowMs, isStale: error !== null };
  return (
    <>
      {error && <Stale snapshot={snapshot} error={error} say={say} />}
      {status.state === 'recovering' && <Recovering progress={status.progress} say={say} />}
      <Overview {...view} />
      <Tabs search={search} say={say} />
      {search.tab === 'streams' && <StreamsTab {...view} />}
      {search.tab === 'quarantine' && <QuarantineTab {...view} />}
      {search.tab === 'upload' && <UploadTab {...view} />}
      {search.tab === 'definitions' && (
        <Suspense fallback={<p className="dim">{say.t('loading')}</p>}>
          <DefinitionsTab {...view} />
        </Suspense>
      )}
      {search.tab === 'storage' && <StorageTab {...view} />}
      {search.tab === 'system' && <SystemTab {...view} />}
    </>
  );
}

/** What every part of the page is given. */
export interface View {
  snapshot: Snapshot;
  search: DataSearch;
  say: Say;
  /** By the server's clock; it stands still while the server does not answer. */
  nowMs: number;
  isStale: boolean;
}

function Tabs({ search, say }: { search: DataSearch; say: Say }) {
  const { t } = say;
  return (
    <nav className="data-tabs" aria-label={t('tabs.label')}>
      {tabs.map((tab) => (
        <Link
          key={tab}
          to="/data"
          search={writeDataSearch({ tab, stream: tab === 'streams' ? null : search.stream })}
          className="data-tab"
          data-tab={tab}
          activeOptions={{ exact: true }}
          aria-current={tab === search.tab ? 'page' : undefined}
        >
          {t(`tab.${tab}`)}
        </Link>
      ))}
    </nav>
  );
}

/** The figures stay on the screen while the server is away, and it is said that they are old. */
function Stale({ snapshot, error, say }: { snapshot: Snapshot; error: Error; say: Say }) {
  const { locale, zone } = say.speech;
  const time = clockTime(serverNow(snapshot.atMs), locale, zone);
  return (
    <p className="data-strip" role="alert" data-testid="stale">
      {say.t('updated.stale', { time, reason: say.reason(error) })}
    </p>
  );
}

function Recovering({ progress, say }: { progress: number; say: Say }) {
  const percent = numberFormat(say.speech.locale, { style: 'percent' }).format(progress);
  const text = say.t('recovering', { percent });
  return (
    <div className="data-strip" role="status" data-testid="recovering">
      <p>{text}</p>
      <Progress label={text} share={progress} />
    </div>
  );
}

function Skeleton({ label }: { label: string }) {
  return (
    <div role="status" aria-label={label} className="data-skeleton" data-testid="loading">
      <div className="data-tiles">
        {['a', 'b', 'c', 'd', 'e'].map((key) => (
          <div key={key} className="panel data-tile">
            <div className="skeleton skeleton-line" />
            <div className="skeleton skeleton-value" />
          </div>
        ))}
      </div>
      <div className="panel data-panel">
        <div className="skeleton skeleton-title" />
        <div className="skeleton data-skeleton-table" />
      </div>
    </div>
  );
}
