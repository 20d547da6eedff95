import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { boardsQuery } from '../../api/queries';
import { useSpeech } from '../../i18n/hooks';
import { Denied } from '../../shell/Denied';
import { Message } from '../../shell/Message';
import { useMay } from '../../shell/useMay';
import { type From, type KeptBoard, readBoard } from '../edit/calls';
import { DeleteDialog } from '../edit/DeleteDialog';
import { ExportDialog } from '../edit/ExportDialog';
import { ImportDialog } from '../edit/ImportDialog';
import { boardTexts } from '../edit/texts';
import { PanelError } from '../PanelError';
import { BoardRow } from './BoardRow';
import { HiddenBoards } from './HiddenBoards';
import { type ListSearch, listed, origins, readList, writeList } from './rows';
import '../edit/edit.css';
import './list.css';

type Question =
  | { kind: 'import' }
  | { kind: 'export'; name: string; title: string; from: From | null }
  | Deletion;
type Deletion = { kind: 'delete'; name: string; title: string; version: number | null };

/** All boards: where each is from, when it was changed, and what can be done with it. */
export function BoardsPage() {
  const t = boardTexts.use();
  const { text } = useSpeech();
  const search = readList(useSearch({ from: '/boards' }));
  const navigate = useNavigate({ from: '/boards' });
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(boardsQuery);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [question, setQuestion] = useState<Question | null>(null);
  const [said, setSaid] = useState('');
  const maySave = useMay('operate');
  useEffect(() => {
    document.title = `${t('list.title')} · Tillwatch`;
  }, [t]);
  const change = (next: ListSearch) => void navigate({ search: writeList(next), replace: true });
  if (!data && error) return <PanelError error={error} onRetry={() => void refetch()} />;
  const rows = listed(data ?? [], search);
  const forWall = (data ?? []).filter(({ name }) => chosen.has(name)).map(({ name }) => name);
  const toggle = (name: string) =>
    setChosen((old) => {
      const next = new Set(old);
      if (!next.delete(name)) next.add(name);
      return next;
    });
  const askDelete = async (name: string, title: string, from: From | null = null) => {
    // A board is deleted as it is now: whoever has changed it since is told of by the server.
    const kept: KeptBoard | null = await readBoard(name, from).catch(() => null);
    setQuestion({ kind: 'delete', name, title, version: kept?.version ?? null });
  };
  return (
    <div className="be" data-testid="boards">
      <div className="board-head">
        <h1>{t('list.title')}</h1>
        <div className="be-head-ends">
          {forWall.length > 0 && (
            <Link
              to="/wall"
              search={{ boards: forWall.join(',') }}
              className="button"
              data-testid="wall-of-chosen"
            >
              {t('list.wall', { count: forWall.length })}
            </Link>
          )}
          {maySave && (
            <>
              <button
                type="button"
                className="button"
                data-testid="ask-import"
                onClick={() => setQuestion({ kind: 'import' })}
              >
                {t('list.import')}
              </button>
              <Link to="/new-board" className="button button-main" data-testid="new-board">
                {t('list.new')}
              </Link>
            </>
          )}
          <Denied right="operate" />
        </div>
      </div>
      {!data && <div className="skeleton be-list-skeleton" aria-hidden="true" />}
      {data?.length === 0 && (
        <Message title={t('list.empty.title')}>
          <p className="dim">{t('list.empty.text')}</p>
        </Message>
      )}
      {data && data.length > 0 && (
        <>
          <div className="bl-filters">
            <label className="bl-search">
              <span className="visually-hidden">{t('list.search')}</span>
              <input
                type="search"
                value={search.q}
                placeholder={t('list.search')}
                data-testid="board-search"
                onChange={({ target }) => change({ ...search, q: target.value })}
              />
            </label>
            <label className="bl-origin">
              <span>{t('list.from')}</span>
              <select
                value={search.from}
                onChange={({ target }) =>
                  change({ ...search, from: origins.find((one) => one === target.value) ?? 'all' })
                }
              >
                {origins.map((one) => (
                  <option key={one} value={one}>
                    {t(`from.${one}`)}
                  </option>
                ))}
              </select>
            </label>
            <p className="dim" role="status">
              {t('list.found', { count: rows.length, total: data.length })}
            </p>
          </div>
          {rows.length === 0 && (
            <div className="panel bl-none">
              <p className="dim">{t('list.none')}</p>
              <button type="button" className="button" onClick={() => change({ q: '', from: 'all' })}>
                {t('list.all')}
              </button>
            </div>
          )}
          {rows.length > 0 && (
            <ul className="panel bl-list" aria-label={t('list.title')}>
              {rows.map((board) => {
                const { name } = board;
                const title = text(board.title, name);
                return (
                  <BoardRow
                    key={name}
                    board={board}
                    title={title}
                    isChosen={chosen.has(name)}
                    onChoose={() => toggle(name)}
                    onExport={() => setQuestion({ kind: 'export', name, title, from: null })}
                    onDelete={() => void askDelete(name, title)}
                  />
                );
              })}
            </ul>
          )}
        </>
      )}
      <HiddenBoards
        onExport={(name, title) => setQuestion({ kind: 'export', name, title, from: 'catalogue' })}
        onDelete={(name, title) => void askDelete(name, title, 'catalogue')}
      />
      <p className="visually-hidden" role="status">
        {said}
      </p>
      {question?.kind === 'import' && (
        <ImportDialog
          onImported={({ name }) => void navigate({ to: '/boards/$name', params: { name } })}
          onClose={() => setQuestion(null)}
        />
      )}
      {question?.kind === 'export' && (
        <ExportDialog
          name={question.name}
          title={question.title}
          from={question.from}
          onClose={() => setQuestion(null)}
        />
      )}
      {question?.kind === 'delete' && (
        <DeleteDialog
          name={question.name}
          title={question.title}
          version={question.version}
          onDeleted={() => {
            setSaid(t('said.deleted', { title: question.title }));
            setQuestion(null);
            setChosen((old) => new Set([...old].filter((name) => name !== question.name)));
            void queries.invalidateQueries({ queryKey: boardsQuery.queryKey });
          }}
          onClose={() => setQuestion(null)}
        />
      )}
    </div>
  );
}
