import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import { ApiError } from '../api/client';
import { metricsQuery } from '../api/queries';
import type { Incident } from '../api/types';
import { PanelError } from '../board/PanelError';
import { sliceText } from '../board/slice';
import { useSpeech } from '../i18n/hooks';
import { serverNow } from '../live/clock';
import { useHealth, useIncidents, useTick } from '../live/hooks';
import { Message } from '../shell/Message';
import { useShortcuts } from '../shell/shortcuts';
import { Actions } from './Actions';
import { newerOf, withAct } from './act';
import { readLookback } from './around';
import { CoursePanel } from './CoursePanel';
import { Explanation } from './Explanation';
import { groupsOf, readFilter } from './filter';
import { Headline } from './Headline';
import { inboxSearch } from './inbox';
import { KeyFigures } from './KeyFigures';
import { rememberRow } from './keys';
import { NotedPanel } from './NotedPanel';
import { incidentQuery, useMetricTitle } from './queries';
import { RelatedPanel } from './RelatedPanel';
import { ShortcutButton } from './ShortcutButton';
import { Timeline } from './Timeline';
import { incidentTexts } from './texts';
import { useAct } from './useAct';
import { useWords } from './words';
import './incident.css';
import './incidents.css';

/** Everything about one incident, and what can be done about it. */
export function IncidentPage() {
  const { id } = useParams({ from: '/incidents/$id' });
  const say = incidentTexts.use();
  const { incidents } = useIncidents();
  const asked = useQuery(incidentQuery(id));
  const live = incidents.find((incident) => incident.id === id);
  const incident = newerOf(live, asked.data);
  if (incident) return <IncidentView key={id} incident={incident} all={incidents} />;
  if (asked.error instanceof ApiError && asked.error.status === 404) {
    return (
      <Message title={say('missing.title')}>
        <p className="dim">{say('missing.text', { id })}</p>
        <Link to="/incidents" search={inboxSearch()} className="button">
          {say('page.back')}
        </Link>
      </Message>
    );
  }
  if (asked.error) return <PanelError error={asked.error} onRetry={() => void asked.refetch()} />;
  return <PageSkeleton />;
}

function IncidentView({ incident: known, all }: { incident: Incident; all: readonly Incident[] }) {
  const speech = useSpeech();
  const say = incidentTexts.use();
  const health = useHealth();
  const search = useSearch({ from: '/incidents/$id' });
  const navigate = useNavigate();
  const metrics = useQuery(metricsQuery).data;
  const metric = metrics?.get(known.metric);
  const metricTitle = useMetricTitle();
  const act = useAct(known);
  const now = serverNow(useTick(1_000));
  const incident = act.pending ? withAct(known, act.pending, now) : known;
  const unit = metric?.unit ?? known.unit;
  const title = metricTitle(known.metric);
  const where = sliceText(known.slice, speech);
  useEffect(() => {
    document.title = `${title}: ${where} · Tillwatch`;
  }, [title, where]);
  useEffect(() => rememberRow(known.id), [known.id]);

  const wordsOf = useWords(metricTitle);
  const order = useMemo(() => {
    const groups = groupsOf(all, readFilter(inboxSearch()), wordsOf);
    return groups.flatMap(({ leader, parts }) => [leader.id, ...parts.map(({ id }) => id)]);
  }, [all, wordsOf]);
  const at = order.indexOf(known.id);
  const previous = at > 0 ? order[at - 1] : undefined;
  const next = at >= 0 ? order[at + 1] : undefined;
  const go = (id: string | undefined) => {
    if (id !== undefined) void navigate({ to: '/incidents/$id', params: { id } });
  };
  useShortcuts({
    j: () => go(next),
    k: () => go(previous),
    u: () => void navigate({ to: '/incidents', search: inboxSearch() }),
    a: () => document.querySelector<HTMLElement>('[data-deed=acknowledge]')?.click(),
  });

  return (
    <div
      className="case"
      data-testid="incident-page"
      data-incident={incident.id}
      data-metric={incident.metric}
      data-severity={incident.severity}
      data-state={incident.state}
      data-pending={act.pending?.action ?? ''}
      data-health={health.kind}
    >
      <nav className="case-ways" aria-label={say('page.ways')}>
        <Link to="/incidents" search={inboxSearch()} className="case-back">
          <span aria-hidden="true">←</span> {say('page.back')}
        </Link>
        <Step id={previous} text={say('page.previous')} arrow="↑" />
        <Step id={next} text={say('page.next')} arrow="↓" />
        <ShortcutButton />
      </nav>
      <Headline
        incident={incident}
        pending={act.pending}
        title={title}
        metricTitle={metricTitle}
        unit={unit}
        nowMs={now}
        all={all}
      />
      <KeyFigures incident={incident} unit={unit} metricTitle={metricTitle} nowMs={now} />
      <div className="case-columns">
        <CoursePanel
          incident={known}
          metric={metric}
          isUnknown={metrics !== undefined && metric === undefined}
          title={title}
          lookback={readLookback(search.back)}
          onLookback={(back) =>
            void navigate({
              to: '/incidents/$id',
              params: { id: known.id },
              search: back === 'near' ? {} : { back },
              replace: true,
            })
          }
        />
        <Actions incident={known} act={act} />
        <div className="case-main">
          <Explanation incident={incident} metric={metric} unit={unit} />
        </div>
        <aside className="case-side">
          <Timeline metricTitle={metricTitle} incident={incident} known={known.timeline.length} nowMs={now} />
          <NotedPanel incident={known} nowMs={now} />
          <RelatedPanel incident={known} all={all} metricTitle={metricTitle} nowMs={now} />
        </aside>
      </div>
    </div>
  );
}

function Step({ id, text, arrow }: { id: string | undefined; text: string; arrow: string }) {
  if (id === undefined) return null;
  return (
    <Link to="/incidents/$id" params={{ id }} className="case-step" title={text}>
      <span aria-hidden="true">{arrow}</span>
      <span className="visually-hidden">{text}</span>
    </Link>
  );
}

function PageSkeleton() {
  const { t } = useSpeech();
  return (
    <div className="case" aria-busy="true" data-testid="incident-loading">
      <p className="visually-hidden" role="status">
        {t('state.loading')}
      </p>
      <div className="skeleton skeleton-title" />
      <div className="case-figures">
        {[1, 2, 3, 4, 5].map((n) => (
          <div key={n} className="panel case-figure">
            <div className="skeleton skeleton-line" />
            <div className="skeleton skeleton-value" />
          </div>
        ))}
      </div>
      <div className="case-columns">
        <div className="panel case-panel">
          <div className="skeleton skeleton-chart" />
        </div>
        <div className="panel case-panel">
          <div className="skeleton skeleton-incident" />
          <div className="skeleton skeleton-incident" />
        </div>
      </div>
    </div>
  );
}
