import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { boardsQuery, metricsQuery } from '../../api/queries';
import { OnlyWith } from '../../shell/OnlyWith';
import { BoardSkeleton } from '../BoardSkeleton';
import { PanelError } from '../PanelError';
import { editedBoardQuery } from './calls';
import { copyOf, type Draft, draftOf, emptyDraft, nameFor } from './draft';
import { Editor } from './Editor';
import { ImportDialog } from './ImportDialog';
import { proposedBoard } from './proposed';
import { boardTexts } from './texts';

/** A board that is new: empty, a copy of the one that the address names, or one that was proposed. */
export function NewBoardPage() {
  return (
    <OnlyWith right="operate">
      <New />
    </OnlyWith>
  );
}

function New() {
  const t = boardTexts.use();
  const { from, import: importing, proposed } = useSearch({ from: '/new-board' });
  const navigate = useNavigate();
  const [isImporting, setImporting] = useState(importing === 'on');
  const source = useQuery({ ...editedBoardQuery(from ?? ''), enabled: from !== undefined });
  const metrics = useQuery(metricsQuery);
  const boards = useQuery(boardsQuery);
  const taken = useMemo(() => new Set((boards.data ?? []).map(({ name }) => name)), [boards.data]);
  const isReady = boards.data !== undefined && (from === undefined || source.data !== undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a draft is begun once, whatever the list of boards becomes
  const initial = useMemo((): Draft | null => {
    if (!isReady) return null;
    const given = proposed === undefined ? null : proposedBoard.get();
    if (given) return draftOf(nameFor(given.name, taken), given.board);
    if (!source.data || from === undefined) return emptyDraft();
    const copied = copyOf(draftOf(from, source.data), nameFor(`${from}_copy`, taken));
    return {
      ...copied,
      titleEn: t('copy.titleEn', { title: copied.titleEn }),
      titleZh: copied.titleZh === '' ? '' : t('copy.titleZh', { title: copied.titleZh }),
    };
  }, [isReady, from, proposed]);
  const error = source.error ?? metrics.error ?? boards.error;
  if (!initial || !metrics.data) {
    const retry = () => void Promise.all([source.refetch(), metrics.refetch(), boards.refetch()]);
    return error ? <PanelError error={error} onRetry={retry} /> : <BoardSkeleton />;
  }
  const open = (name: string) => void navigate({ to: '/boards/$name', params: { name } });
  return (
    <>
      <Editor
        key={from ?? proposed ?? ''}
        initial={initial}
        version={null}
        metrics={metrics.data}
        taken={taken}
        keptKey={proposed !== undefined ? '+proposed' : from === undefined ? '+' : `+${from}`}
        onSaved={({ name }) => open(name)}
        onCancel={() => void navigate({ to: '/boards' })}
        onDeleted={() => {}}
        onImport={() => setImporting(true)}
      />
      {isImporting && (
        <ImportDialog onImported={({ name }) => open(name)} onClose={() => setImporting(false)} />
      )}
    </>
  );
}
