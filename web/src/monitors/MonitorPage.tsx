import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useState } from 'react';
import { metricsQuery } from '../api/queries';
import { BoardSkeleton } from '../board/BoardSkeleton';
import { PanelError } from '../board/PanelError';
import { Message } from '../shell/Message';
import { draftFrom } from './draft';
import { Editor } from './Editor';
import { MonitorView } from './MonitorView';
import { monitorsQuery } from './queries';
import { isSpan, SPAN_UNLESS_TOLD } from './span';
import { useTexts } from './texts';
import type { Monitor } from './types';
import './monitor.css';
import './monitors.css';

/** One monitor: what it does and found, or a form to change it. */
export function MonitorPage() {
  const t = useTexts();
  const { name } = useParams({ from: '/monitors/$name' });
  const { data, error, refetch } = useQuery(monitorsQuery);
  const isEdited = useSearch({ from: '/monitors/$name' }).mode === 'edit';
  useEffect(() => {
    document.title = `${isEdited ? t('edit.title', { name }) : name} · Tillwatch`;
  }, [t, name, isEdited]);
  if (!data) return error ? <PanelError error={error} onRetry={() => void refetch()} /> : <BoardSkeleton />;
  const monitor = data.find((one) => one.name === name);
  if (!monitor) {
    return (
      <Message title={t('monitor.missing.title', { name })}>
        <p className="dim">{t('monitor.missing.text')}</p>
        <Link to="/monitors" className="button">
          {t('monitor.back')}
        </Link>
      </Message>
    );
  }
  if (isEdited) return <EditPage key={name} monitor={monitor} monitors={data} />;
  return <MonitorView monitor={monitor} />;
}

function EditPage({ monitor, monitors }: { monitor: Monitor; monitors: readonly Monitor[] }) {
  const t = useTexts();
  const { name } = monitor;
  const search = useSearch({ from: '/monitors/$name' });
  const navigate = useNavigate({ from: '/monitors/$name' });
  const metrics = useQuery(metricsQuery);
  // The form is the state, and the address follows: what it said first is what the form begins with.
  const [initial] = useState(() => {
    const draft = draftFrom(search);
    return draft && { ...draft, name };
  });
  const [span] = useState(() => (isSpan(search.span) ? search.span : SPAN_UNLESS_TOLD));
  // The monitor that is changed is the one that was there when the form was opened: its figures change all the time.
  const [existing] = useState(monitor);
  const keep = useCallback(
    (next: Record<string, string>) => void navigate({ search: { mode: 'edit', ...next }, replace: true }),
    [navigate],
  );
  if (!metrics.data) {
    if (metrics.error) return <PanelError error={metrics.error} onRetry={() => void metrics.refetch()} />;
    return <BoardSkeleton />;
  }
  return (
    <Editor
      existing={existing}
      monitors={monitors}
      metrics={metrics.data}
      initial={initial}
      initialSpan={span}
      onKept={keep}
      head={
        <>
          <h1>{t('edit.title', { name })}</h1>
          <Link to="/monitors/$name" params={{ name }} className="button">
            {t('edit.leave')}
          </Link>
        </>
      }
    />
  );
}
