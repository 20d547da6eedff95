import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useState } from 'react';
import { metricsQuery } from '../api/queries';
import { BoardSkeleton } from '../board/BoardSkeleton';
import { PanelError } from '../board/PanelError';
import { draftFrom } from './draft';
import { Editor } from './Editor';
import { monitorsQuery } from './queries';
import { isSpan, SPAN_UNLESS_TOLD } from './span';
import { useTexts } from './texts';
import './monitors.css';

/** A monitor that is none yet. */
export function NewMonitorPage() {
  const t = useTexts();
  const search = useSearch({ from: '/monitors/new' });
  const navigate = useNavigate({ from: '/monitors/new' });
  const metrics = useQuery(metricsQuery);
  const monitors = useQuery(monitorsQuery);
  useEffect(() => {
    document.title = `${t('edit.newTitle')} · Tillwatch`;
  }, [t]);
  // The form is the state, and the address follows: what it said first is what the form begins with.
  const [initial] = useState(() => draftFrom(search));
  const [span] = useState(() => (isSpan(search.span) ? search.span : SPAN_UNLESS_TOLD));
  const keep = useCallback(
    (next: Record<string, string>) => void navigate({ search: next, replace: true }),
    [navigate],
  );
  if (!metrics.data) {
    if (metrics.error) return <PanelError error={metrics.error} onRetry={() => void metrics.refetch()} />;
    return <BoardSkeleton />;
  }
  return (
    <Editor
      existing={null}
      monitors={monitors.data ?? []}
      metrics={metrics.data}
      initial={initial}
      initialSpan={span}
      onKept={keep}
      head={
        <>
          <h1>{t('edit.newTitle')}</h1>
          <Link to="/monitors" className="button">
            {t('monitor.back')}
          </Link>
        </>
      }
    />
  );
}
