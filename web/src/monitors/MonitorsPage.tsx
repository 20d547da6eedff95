import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect } from 'react';
import { PanelError } from '../board/PanelError';
import { serverNow } from '../live/clock';
import { useIncidents, useTick } from '../live/hooks';
import { Message } from '../shell/Message';
import { MonitorFilters } from './MonitorFilters';
import { MonitorRow } from './MonitorRow';
import { monitorsQuery } from './queries';
import { Silences } from './Silences';
import { type ListSearch, listed, readList, writeList } from './search';
import { useTexts } from './texts';
import './monitor.css';
import './monitors.css';

/** All monitors: what they do, what they found, and how far to trust them. */
export function MonitorsPage() {
  const t = useTexts();
  const search = readList(useSearch({ from: '/monitors' }));
  const navigate = useNavigate({ from: '/monitors' });
  const { data, error, refetch } = useQuery(monitorsQuery);
  const feed = useIncidents();
  const nowMs = serverNow(useTick(10_000));
  useEffect(() => {
    document.title = `${t('title')} · Tillwatch`;
  }, [t]);
  const change = (next: ListSearch) => void navigate({ search: writeList(next), replace: true });
  const open = (name: string) =>
    feed.loaded
      ? feed.incidents.filter(({ monitor, state }) => monitor === name && state !== 'resolved').length
      : null;

  if (!data && error) return <PanelError error={error} onRetry={() => void refetch()} />;
  const { rows, counts, total } = listed(data ?? [], search, nowMs);
  return (
    <div className="monitors" data-testid="monitors">
      <div className="board-head">
        <h1>{t('title')}</h1>
        <span className="button-row">
          <Link to="/maintenance" className="button" data-testid="to-maintenance">
            {t('list.maintenance')}
          </Link>
          <Link to="/monitors/new" className="button button-main">
            {t('list.new')}
          </Link>
        </span>
      </div>
      {!data && <ListSkeleton />}
      {data?.length === 0 && (
        <Message title={t('list.empty.title')}>
          <p className="dim">{t('list.empty.text')}</p>
          <Link to="/monitors/new" className="button">
            {t('list.new')}
          </Link>
        </Message>
      )}
      {data && data.length > 0 && (
        <>
          <MonitorFilters search={search} counts={counts} total={total} onChange={change} />
          <Silences nowMs={nowMs} />
          {rows.length === 0 && (
            <div className="panel monitors-none">
              <p className="dim">{t('list.none')}</p>
              <button type="button" className="button" onClick={() => change({})}>
                {t('list.reset')}
              </button>
            </div>
          )}
          <ul className="monitor-list" aria-label={t('list.label')}>
            {rows.map(({ monitor, state }) => (
              <MonitorRow
                key={monitor.name}
                monitor={monitor}
                state={state}
                open={open(monitor.name)}
                nowMs={nowMs}
              />
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function ListSkeleton() {
  return (
    <div className="monitor-list" aria-busy="true">
      {[0, 1, 2, 3].map((one) => (
        <div key={one} className="panel monitor-row">
          <div>
            <div className="skeleton skeleton-title" />
            <div className="skeleton skeleton-line" />
          </div>
        </div>
      ))}
    </div>
  );
}
