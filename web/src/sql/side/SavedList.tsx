import { type ChangeEvent, type FormEvent, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { download } from '../download';
import { fromFile, toFile } from '../memory/file';
import {
  addQueries,
  deleteQuery,
  renameQuery,
  type SavedQuery,
  savedStore,
  saveQuery,
} from '../memory/saved';
import { texts } from '../texts';

/** More than a file of statements has; what is larger was chosen by mistake. */
const FILE_BYTES_MAX = 2_000_000;

interface Props {
  /** The statement that would be saved, or null where there is none. */
  current: () => string | null;
  /** Grows each time somebody asks to save; the field for the name is ready then. */
  asked: number;
  onOpen: (query: SavedQuery) => void;
}

/** Statements with names, kept in this browser, and the way to take them elsewhere. */
export function SavedList({ current, asked, onOpen }: Props) {
  const t = texts.use();
  const queries = useSyncExternalStore(savedStore.subscribe, savedStore.get);
  const field = useRef<HTMLInputElement>(null);
  const [name, setName] = useState('');
  const [said, setSaid] = useState('');
  const isTaken = queries.some((one) => one.name === name.trim());

  useEffect(() => {
    if (asked > 0) field.current?.focus();
  }, [asked]);

  const save = (event: FormEvent) => {
    event.preventDefault();
    const sql = current();
    const wanted = name.trim();
    if (wanted === '') return;
    if (sql === null || sql.trim() === '') setSaid(t('saved.nothing'));
    else setSaid(t(saveQuery(wanted, sql) ? 'saved.done' : 'saved.full', { name: wanted }));
  };
  const read = async (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.target.files?.[0];
    if (!file) return;
    const found =
      file.size > FILE_BYTES_MAX ? [] : fromFile(await file.text(), file.name.replace(/\.\w+$/, ''));
    const added = addQueries(found);
    setSaid(
      found.length === 0 ? t('saved.unreadable', { file: file.name }) : t('saved.read', { count: added }),
    );
    // The same file may be chosen again.
    event.target.value = '';
  };
  const write = () =>
    download('tillwatch-queries.sql', new Blob([toFile(queries)], { type: 'application/sql' }));

  return (
    <>
      <form className="sql-save" onSubmit={save}>
        <label htmlFor="sql-save-name">{t('saved.name')}</label>
        <div className="sql-save-row">
          <input
            id="sql-save-name"
            ref={field}
            value={name}
            maxLength={120}
            required
            onChange={(event) => setName(event.target.value)}
          />
          <button type="submit" className="button">
            {t(isTaken ? 'saved.replace' : 'saved.save')}
          </button>
        </div>
      </form>
      {queries.length === 0 && <p className="sql-side-message dim">{t('saved.none')}</p>}
      <ul className="sql-list" data-testid="sql-saved">
        {queries.map((query) => (
          <Entry
            key={query.name}
            query={query}
            isTaken={(other) => queries.some((one) => one.name === other)}
            onOpen={() => {
              setName(query.name);
              onOpen(query);
            }}
          />
        ))}
      </ul>
      <div className="sql-side-actions">
        <button type="button" className="button" disabled={queries.length === 0} onClick={write}>
          {t('saved.export')}
        </button>
        <label className="button sql-file">
          {t('saved.import')}
          <input
            type="file"
            accept=".sql,.txt,text/plain,application/sql"
            className="visually-hidden"
            onChange={(event) => void read(event)}
          />
        </label>
      </div>
      <p className="sql-said dim" role="status">
        {said}
      </p>
    </>
  );
}

interface EntryProps {
  query: SavedQuery;
  isTaken: (name: string) => boolean;
  onOpen: () => void;
}

function Entry({ query, isTaken, onOpen }: EntryProps) {
  const t = texts.use();
  const [state, setState] = useState<'shown' | 'renaming' | 'deleting'>('shown');
  const [name, setName] = useState(query.name);
  const wanted = name.trim();
  const isRefused = wanted === '' || (wanted !== query.name && isTaken(wanted));
  const rename = (event: FormEvent) => {
    event.preventDefault();
    if (isRefused) return;
    setState('shown');
    renameQuery(query.name, wanted);
  };
  if (state === 'renaming') {
    return (
      <li>
        <form
          className="sql-save-row"
          onSubmit={rename}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setState('shown');
          }}
        >
          <input
            // biome-ignore lint/a11y/noAutofocus: the reader has just asked to write here
            autoFocus
            aria-label={t('saved.newName')}
            aria-invalid={isRefused}
            title={isRefused && wanted !== '' ? t('saved.taken') : undefined}
            maxLength={120}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <button type="submit" className="button" disabled={isRefused}>
            {t('saved.rename')}
          </button>
        </form>
      </li>
    );
  }
  return (
    <li data-name={query.name}>
      <button type="button" className="sql-entry" title={query.sql} onClick={onOpen}>
        <span className="ellipsis">{query.name}</span>
        <code className="dim ellipsis">{query.sql.replace(/\s+/g, ' ')}</code>
      </button>
      <div className="sql-entry-actions">
        {state === 'shown' ? (
          <>
            <button type="button" className="button" onClick={() => setState('renaming')}>
              {t('saved.rename')}
            </button>
            <button type="button" className="button" onClick={() => setState('deleting')}>
              {t('saved.delete')}
            </button>
          </>
        ) : (
          <>
            <span>{t('saved.sure')}</span>
            <button type="button" className="button" onClick={() => deleteQuery(query.name)}>
              {t('saved.delete')}
            </button>
            <button type="button" className="button" onClick={() => setState('shown')}>
              {t('saved.keep')}
            </button>
          </>
        )}
      </div>
    </li>
  );
}
