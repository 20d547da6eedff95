import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import { metricsQuery } from '../api/queries';
import type { Metric } from '../api/types';
import { PanelError } from '../board/PanelError';
import { Popover } from '../filter/Popover';
import { useSpeech } from '../i18n/hooks';
import { serverNow } from '../live/clock';
import { useTick } from '../live/hooks';
import { Message } from '../shell/Message';
import { ExploreView } from './ExploreView';
import { PageIcon } from './icons';
import { MetricSearch } from './MetricSearch';
import { metricNote } from './names';
import { type ExploreState, readState, stateFor, writeState } from './state';
import { TimeControls } from './TimeControls';
import { exploreTexts } from './texts';
import './explore.css';

/** Any metric, over any time, split and filtered: what a board does not show is looked up here. */
export function ExplorePage() {
  const t = exploreTexts.use();
  const { t: say } = useSpeech();
  const { data: metrics, error, refetch } = useQuery(metricsQuery);
  if (!metrics) {
    if (error) return <PanelError error={error} onRetry={() => void refetch()} />;
    return (
      <div className="explore" aria-busy="true" data-testid="explore-loading">
        <p className="visually-hidden" role="status">
          {say('state.loading')}
        </p>
        <div className="skeleton skeleton-title" />
        <div className="panel chart-panel">
          <div className="skeleton skeleton-chart" />
        </div>
      </div>
    );
  }
  if (metrics.size === 0) {
    return (
      <Message title={t('none.title')}>
        <p className="dim">{t('none.text')}</p>
      </Message>
    );
  }
  return <Explorer metrics={metrics} />;
}

function Explorer({ metrics }: { metrics: ReadonlyMap<string, Metric> }) {
  const t = exploreTexts.use();
  const speech = useSpeech();
  const search = useSearch({ from: '/explore' });
  const navigate = useNavigate({ from: '/explore' });
  const address = JSON.stringify(search);
  const asked = useMemo(() => readState(JSON.parse(address)), [address]);
  const metric = asked.metric === null ? undefined : metrics.get(asked.metric);
  const state = useMemo(() => (metric ? stateFor(asked, metric) : asked), [asked, metric]);
  const nowMs = serverNow(useTick(15_000));
  const title = metric ? speech.metric(metric.name) : t('title');
  useEffect(() => {
    document.title = metric ? `${title} · ${t('title')} · Tillwatch` : `${title} · Tillwatch`;
  }, [metric, title, t]);
  const change = (next: Partial<ExploreState>, isStep = false) =>
    void navigate({ search: writeState({ ...state, ...next }), replace: !isStep });
  const choose = (name: string) => change({ metric: name, only: [], drawing: null }, true);

  if (!metric) {
    return (
      <div className="explore explore-start" data-testid="explore-start">
        <h1>{t('start.title')}</h1>
        {asked.metric !== null && (
          <p className="form-fault" role="alert">
            {t('start.unknown', { metric: asked.metric })}
          </p>
        )}
        <div className="panel">
          <MetricSearch metrics={metrics} current={null} onChoose={choose} />
        </div>
      </div>
    );
  }
  return (
    <div className="explore" data-testid="explore" data-metric={metric.name}>
      <div className="explore-head">
        <div className="explore-metric">
          <h1 className="visually-hidden">{title}</h1>
          <Popover
            name={t('metric.choose')}
            className="metric-button"
            testId="metric-picker"
            label={
              <>
                <span className="ellipsis">{title}</span>
                <PageIcon name="down" />
              </>
            }
          >
            {(close) => (
              <MetricSearch
                metrics={metrics}
                current={metric.name}
                onChoose={(name) => {
                  choose(name);
                  close();
                }}
              />
            )}
          </Popover>
          <p className="explore-note dim" title={metric.formula ?? undefined}>
            {metricNote(metric)}
          </p>
        </div>
        <TimeControls span={state.span} nowMs={nowMs} onChange={(span) => change({ span }, true)} />
      </div>
      <ExploreView key={metric.name} metric={metric} state={state} onChange={change} />
    </div>
  );
}
