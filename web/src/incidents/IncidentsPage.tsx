import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { Incident } from '../api/types';
import { PanelError } from '../board/PanelError';
import { figureText } from '../format/units';
import { useSpeech } from '../i18n/hooks';
import { serverNow } from '../live/clock';
import { useHealth, useIncidents, useTick } from '../live/hooks';
import { mergeIncidents, sortIncidents } from '../live/incidents';
import { useShortcuts } from '../shell/shortcuts';
import { AllClear } from './AllClear';
import { Filters } from './Filters';
import { atStake, groupsOf, type InboxFilter, isNarrowed, readFilter, writeFilter } from './filter';
import { IncidentGroup } from './IncidentRow';
import { rememberInbox } from './inbox';
import { takeFocusedRow, useRows } from './keys';
import { olderQuery, ongoingQuery, useMetricTitle } from './queries';
import { ShortcutButton } from './ShortcutButton';
import { incidentTexts } from './texts';
import { useWords } from './words';
import './incidents.css';

/** More rows at once take longer to draw than anybody reads. */
const ROWS_STEP = 100;
/** As many incidents as the live list is begun with; there may be more. */
const LIVE_LISTED = 200;

/** The inbox of incidents: what goes on first, each with what is part of it, filtered by what the address says. */
export function IncidentsPage() {
  const speech = useSpeech();
  const say = incidentTexts.use();
  const health = useHealth();
  const search = useSearch({ from: '/incidents' });
  const navigate = useNavigate({ from: '/incidents' });
  const { incidents: live, loaded, error } = useIncidents();
  const [withOlder, setWithOlder] = useState(false);
  const older = useQuery({ ...olderQuery, enabled: withOlder });
  const [rows, setRows] = useState(ROWS_STEP);
  const now = serverNow(useTick(5_000));
  const metricTitle = useMetricTitle();
  const wordsOf = useWords(metricTitle);
  const filter = useMemo(() => readFilter(search), [search]);
  // What is open must not be missed because much has happened since.
  const isFull = live.length >= LIVE_LISTED;
  const ongoing = useQuery({ ...ongoingQuery, enabled: isFull });
  const incidents = useMemo(
    () => withOthers(live, [...(older.data ?? []), ...(ongoing.data ?? [])]),
    [live, older.data, ongoing.data],
  );
  const groups = useMemo(() => groupsOf(incidents, filter, wordsOf), [incidents, filter, wordsOf]);
  const active = useMemo(
    () => groupsOf(incidents, { ...filter, state: 'active' }, wordsOf),
    [incidents, filter, wordsOf],
  );
  const list = useRef<HTMLDivElement>(null);
  const searchField = useRef<HTMLInputElement>(null);
  const move = useRows(list);
  useShortcuts({
    j: () => move(1),
    k: () => move(-1),
    a: takeFocusedRow,
    '/': () => searchField.current?.focus(),
  });
  useEffect(() => rememberInbox(search), [search]);
  const open = active.filter(({ leader }) => leader.state === 'open').length;
  useEffect(() => {
    document.title = `${open > 0 ? `(${open}) ` : ''}${say('title')} · Tillwatch`;
  }, [open, say]);

  const change = (next: InboxFilter) => {
    setRows(ROWS_STEP);
    void navigate({ search: writeFilter(next), replace: true });
  };
  const clear = () => change({ state: filter.state, severities: [], monitor: null, metric: null, text: '' });
  const money = atStake(active);
  const shown = groups.slice(0, rows);
  const unresolved = shown.filter(({ leader }) => leader.state !== 'resolved');
  const resolved = shown.filter(({ leader }) => leader.state === 'resolved');
  const nothingGoesOn = loaded && active.length === 0 && !isNarrowed(filter);
  const showsPast = filter.state === 'resolved' || filter.state === 'all';
  const mayHaveMore = loaded && !withOlder && isFull && showsPast;
  const section = (title: string, some: typeof groups) =>
    some.length > 0 && (
      <section className="inbox-section" aria-label={title}>
        <h2>{title}</h2>
        <ul className="inbox-list">
          {some.map((group) => (
            <IncidentGroup key={group.leader.id} group={group} nowMs={now} metricTitle={metricTitle} />
          ))}
        </ul>
      </section>
    );

  return (
    <div className="inbox" data-testid="inbox" data-health={health.kind} data-count={groups.length}>
      <div className="inbox-head">
        <h1>{say('title')}</h1>
        {loaded && (
          <p className="inbox-sum" role="status">
            <span className="count" data-severity={worst(active.map(({ leader }) => leader)) ?? 'none'}>
              {say('head.active', { count: active.length })}
            </span>
            {money.map(({ unit, value }) => (
              <span key={unit ?? ''} className="inbox-stake">
                {say('head.atStake', { amount: figureText(value, unit, speech.locale) })}
              </span>
            ))}
          </p>
        )}
        <ShortcutButton />
      </div>
      <Filters
        filter={filter}
        incidents={incidents}
        wordsOf={wordsOf}
        metricTitle={metricTitle}
        searchField={searchField}
        onChange={change}
        onLeaveSearch={() => move(1)}
      />
      <div ref={list} className="inbox-body">
        {!loaded && error && <PanelError error={error} />}
        {!loaded && !error && <InboxSkeleton text={speech.t('state.loading')} />}
        {nothingGoesOn && (filter.state === 'active' || filter.state === 'all') && (
          <AllClear incidents={incidents} nowMs={now} />
        )}
        {loaded && groups.length === 0 && !(nothingGoesOn && ['active', 'all'].includes(filter.state)) && (
          <div className="inbox-none" data-testid="inbox-none">
            <p>{say(isNarrowed(filter) ? 'none.filtered' : `none.${filter.state}`)}</p>
            {isNarrowed(filter) && (
              <button type="button" className="button" onClick={clear}>
                {say('filter.clear')}
              </button>
            )}
          </div>
        )}
        {section(say('section.ongoing'), unresolved)}
        {section(say('section.resolved'), resolved)}
        {(groups.length > rows || mayHaveMore || (withOlder && (older.isFetching || older.error))) && (
          <div className="inbox-more">
            {groups.length > rows && (
              <button type="button" className="button" onClick={() => setRows(rows + ROWS_STEP)}>
                {say('more.rows', { count: Math.min(ROWS_STEP, groups.length - rows) })}
              </button>
            )}
            {mayHaveMore && (
              <>
                <span className="dim">{say('more.hint', { count: LIVE_LISTED })}</span>
                <button type="button" className="button" onClick={() => setWithOlder(true)}>
                  {say('more.older')}
                </button>
              </>
            )}
            {withOlder && older.isLoading && <span className="dim">{speech.t('state.loading')}</span>}
            {withOlder && older.error && (
              <PanelError error={older.error} compact onRetry={() => void older.refetch()} />
            )}
          </div>
        )}
      </div>
    </div>
  );
}

function withOthers(live: readonly Incident[], others: readonly Incident[]): Incident[] {
  if (others.length === 0) return [...live];
  const known = mergeIncidents(new Map(), others);
  return sortIncidents(mergeIncidents(known, live).values());
}

function worst(incidents: readonly Incident[]) {
  return (['critical', 'warning', 'info'] as const).find((severity) =>
    incidents.some((incident) => incident.severity === severity),
  );
}

function InboxSkeleton({ text }: { text: string }) {
  return (
    <div aria-busy="true" data-testid="inbox-loading">
      <p className="visually-hidden" role="status">
        {text}
      </p>
      {[1, 2, 3, 4].map((n) => (
        <div key={n} className="skeleton inbox-skeleton" />
      ))}
    </div>
  );
}
