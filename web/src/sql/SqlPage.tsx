import './sql.css';
import './result/result.css';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { metricsQuery, statusQuery } from '../api/queries';
import { useSpeech } from '../i18n/hooks';
import { problemText } from '../i18n/problem';
import { serverNow } from '../live/clock';
import type { Grounds } from './completion/source';
import { valuesOf } from './completion/values';
import { Editor, type EditorHandle } from './editor/Editor';
import { type Example, examplesFor } from './examples';
import { type Fault, faultOf } from './fault';
import { runKeys } from './keys';
import { draft, keepDraft } from './memory/draft';
import { type Limits, storedLimits, storeLimits } from './memory/limits';
import { ResultPanel, type View } from './result/ResultPanel';
import { ResultSkeleton } from './result/ResultSkeleton';
import { type Outcome, useRuns } from './run';
import { anchorOf, lookInto, schemaQuery, type Table, tablesOf } from './schema';
import { readSqlSearch, writeSqlSearch } from './search';
import { ExampleList } from './side/ExampleList';
import { SidePanel, type SideTab } from './side/SidePanel';
import { SideSkeleton } from './side/SideSkeleton';
import { findStatement, type Statement } from './statement';
import { Toolbar } from './Toolbar';
import { texts } from './texts';

const STATUS_INTERVAL_MS = 60_000;

/** Asking in SQL: an editor, what there is to name in it, and the answers. */
export function SqlPage() {
  const t = texts.use();
  const speech = useSpeech();
  const { language, zone } = speech;
  const search = readSqlSearch(useSearch({ from: '/sql' }));
  const navigate = useNavigate({ from: '/sql' });
  const queries = useQueryClient();
  const metrics = useQuery(metricsQuery);
  const schema = useQuery(schemaQuery);
  const status = useQuery({ ...statusQuery, refetchInterval: STATUS_INTERVAL_MS });
  const editor = useRef<EditorHandle>(null);
  const [initialText] = useState(() => firstText(search.q));
  const [limits, setLimits] = useState(storedLimits);
  const [fault, setFault] = useState<Fault | null>(null);
  const [hasSelection, setHasSelection] = useState(false);
  const [said, setSaid] = useState('');
  const [tab, setTab] = useState<SideTab>('tables');
  const [saveAsked, setSaveAsked] = useState(0);
  const { running, outcome, run, cancel } = useRuns((ended) => showFault(ended));
  /** The statement that the address names and that has been run; another one comes from going back or from a link. */
  const shownQuery = useRef<string | undefined>(undefined);

  const streams = status.data?.state === 'ready' ? status.data.streams : undefined;
  const tables = useMemo(() => {
    if (!schema.data) return null;
    const names = streams?.map(({ name }) => name);
    return tablesOf(schema.data, metrics.data?.values() ?? [], names);
  }, [schema.data, metrics.data, streams]);
  const newest = streams
    ?.map((one) => one.last_event_at ?? '')
    .sort()
    .at(-1);
  const anchor = anchorOf(newest || null, serverNow());
  const examples = useMemo(
    () => (tables ? examplesFor({ tables, anchor, zone }) : null),
    [tables, anchor, zone],
  );
  const grounds: Grounds = {
    catalogue: { tables: tables ?? [], metrics: [...(metrics.data?.values() ?? [])] },
    language: language === 'zh' ? 'zh' : 'en',
    zone,
    kindText: (kind) => t(`kind.${kind}`),
    values: (table, column) => valuesOf(queries, table, column),
  };

  useEffect(() => {
    document.title = `${t('title')} · Tillwatch`;
  }, [t]);

  // Where there is a keyboard, one can write at once; on a phone it would cover half of the page.
  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches) editor.current?.focus();
  }, []);

  const start = (statement: Statement) => {
    setFault(null);
    setSaid('');
    editor.current?.mark(null);
    void run(statement, limits);
  };
  const runNow = (view: View = search.view) => {
    const statement = editor.current?.runnable();
    if (!statement) {
      setSaid(t('editor.nothing'));
      return;
    }
    start(statement);
    const q = statement.text;
    const isNew = q !== search.q;
    shownQuery.current = writeSqlSearch({ q, view }).q;
    if (isNew || view !== search.view) {
      // Each statement is a place to go back to; running the same one again is not.
      void navigate({ search: writeSqlSearch({ q, view }), replace: !isNew || search.q === undefined });
    }
  };
  const showFault = (ended: Outcome) => {
    if (ended.ending !== 'failed') return;
    const found = faultOf(ended.error, ended.statement, editor.current?.text() ?? '');
    setFault(found);
    editor.current?.mark(found.place);
  };
  const open = (sql: string, view?: View) => {
    editor.current?.replace(sql);
    if (view === undefined) editor.current?.focus();
    else runNow(view);
  };

  // A statement in the address is run: on opening the page, by a link, and on going back. Statements only read.
  const { q } = search;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another address asks for another run
  useEffect(() => {
    if (q === undefined || q === shownQuery.current) return;
    shownQuery.current = q;
    // Where it stands among others already, these stay.
    const found = findStatement(editor.current?.text() ?? '', q);
    if (!found) editor.current?.replace(q);
    start(found ?? { text: q, from: 0, to: q.length });
  }, [q]);

  const look = (table: Table) => open(lookInto(table, `${anchor} - interval '1 hour'`), 'table');
  const openExample = (example: Example) => open(example.sql, example.view);
  const askToSave = () => {
    setTab('saved');
    setSaveAsked((n) => n + 1);
  };
  const chooseLimits = (next: Limits) => {
    setLimits(next);
    storeLimits(next);
  };
  const chooseView = (view: View) =>
    void navigate({ search: writeSqlSearch({ q: search.q, view }), replace: true });
  const remedy = ({ place, remedy: text }: Fault) => {
    if (!place || text === null) return;
    editor.current?.exchange(place, text);
    runNow();
  };

  return (
    <div className="sql" data-testid="sql">
      <h1 className="visually-hidden">{t('title')}</h1>
      <SidePanel
        tab={tab}
        onTab={(next) => {
          setSaveAsked(0);
          setTab(next);
        }}
        saveAsked={saveAsked}
        tables={tables}
        schemaError={schema.error ? problemText(schema.error, speech) : null}
        examples={examples ?? []}
        current={() => editor.current?.text() ?? null}
        onInsert={(text) => editor.current?.insert(text)}
        onLook={look}
        onRetry={() => void schema.refetch()}
        onOpen={(sql) => open(sql)}
        onExample={openExample}
      />
      <div className="sql-main">
        <section className="panel sql-write" aria-label={t('title')}>
          <Toolbar
            running={running}
            hasSelection={hasSelection}
            limits={limits}
            said={said}
            onRun={() => runNow()}
            onCancel={() => {
              cancel();
              // The button goes, and the focus must not go with it.
              editor.current?.focus();
            }}
            onSave={askToSave}
            onLimits={chooseLimits}
          />
          <Editor
            ref={editor}
            initialText={initialText}
            label={t('editor.label')}
            hint={t('editor.hint', { keys: runKeys })}
            grounds={grounds}
            run={() => runNow()}
            save={askToSave}
            change={(text) => {
              keepDraft(text);
              setSaid('');
            }}
            onSelect={setHasSelection}
          />
        </section>
        {!outcome && running && <ResultSkeleton />}
        {outcome && (
          <ResultPanel
            outcome={outcome}
            running={running}
            fault={fault}
            view={search.view}
            limits={limits}
            onView={chooseView}
            onReveal={(offset) => editor.current?.reveal(offset)}
            onRemedy={remedy}
            onRetry={() => start(outcome.statement)}
          />
        )}
        {!outcome && !running && (
          <section className="panel sql-welcome">
            <h2>{t('welcome.title')}</h2>
            <p className="dim">{t('welcome.text')}</p>
            {examples ? <ExampleList examples={examples} onOpen={openExample} /> : <SideSkeleton />}
          </section>
        )}
      </div>
    </div>
  );
}

/** What the editor begins with: what was being written, unless the address names another statement. */
function firstText(q: string | undefined): string {
  const written = draft();
  return q === undefined || findStatement(written, q) ? written : q;
}
