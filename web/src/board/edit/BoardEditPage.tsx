import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { ApiError } from '../../api/client';
import { boardsQuery, metricsQuery } from '../../api/queries';
import { useSpeech } from '../../i18n/hooks';
import { Message } from '../../shell/Message';
import { OnlyWith } from '../../shell/OnlyWith';
import { BoardSkeleton } from '../BoardSkeleton';
import { PanelError } from '../PanelError';
import { editedBoardQuery, isSaved } from './calls';
import { draftOf } from './draft';
import { Editor } from './Editor';
import { ExportDialog } from './ExportDialog';
import { boardTexts } from './texts';
import './edit.css';

/** Editing a board that people have made; one of the definitions folder can be copied. */
export function BoardEditPage() {
  return (
    <OnlyWith right="operate">
      <Edit />
    </OnlyWith>
  );
}

function Edit() {
  const t = boardTexts.use();
  const { t: say, text } = useSpeech();
  const { name } = useParams({ from: '/boards/$name/edit' });
  const navigate = useNavigate();
  const board = useQuery(editedBoardQuery(name));
  const metrics = useQuery(metricsQuery);
  const boards = useQuery(boardsQuery);
  const taken = useMemo(() => new Set((boards.data ?? []).map((one) => one.name)), [boards.data]);
  const [isExporting, setExporting] = useState(false);
  const initial = useMemo(() => board.data && draftOf(name, board.data), [board.data, name]);
  if (board.error instanceof ApiError && board.error.status === 404) {
    return (
      <Message title={say('boards.missing.title', { name })}>
        <Link to="/boards" className="button">
          {t('list.title')}
        </Link>
      </Message>
    );
  }
  const error = board.error ?? metrics.error ?? boards.error;
  if (!board.data || !metrics.data || !boards.data || !initial) {
    const retry = () => void Promise.all([board.refetch(), metrics.refetch(), boards.refetch()]);
    return error ? <PanelError error={error} onRetry={retry} /> : <BoardSkeleton />;
  }
  const title = text(board.data.title, name);
  if (!isSaved(board.data)) {
    return (
      <Message title={t('folder.title', { title })}>
        <p className="dim">{t('folder.text')}</p>
        <div className="be-message-ends">
          <Link
            to="/new-board"
            search={{ from: name }}
            className="button button-main"
            data-testid="duplicate"
          >
            {t('folder.copy')}
          </Link>
          <button type="button" className="button" onClick={() => setExporting(true)}>
            {t('edit.export')}
          </button>
          <Link to="/boards/$name" params={{ name }} className="button">
            {t('folder.back')}
          </Link>
        </div>
        {isExporting && <ExportDialog name={name} title={title} onClose={() => setExporting(false)} />}
      </Message>
    );
  }
  const open = (one: string) => void navigate({ to: '/boards/$name', params: { name: one } });
  return (
    <Editor
      key={name}
      initial={initial}
      version={board.data.version ?? 0}
      metrics={metrics.data}
      taken={taken}
      keptKey={name}
      onSaved={(saved) => open(saved.name)}
      onCancel={() => open(name)}
      onDeleted={() => void navigate({ to: '/boards' })}
    />
  );
}
