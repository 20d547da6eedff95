import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type FormEvent, useId, useState } from 'react';
import { ClosedNote } from '../definitions/ClosedNote';
import { type Fault, type FilePlace, type Folder, folderQuery, type Holds } from '../definitions/calls';
import { FaultList } from '../definitions/FaultList';
import { FilePanel } from '../definitions/FilePanel';
import { holdsText } from '../definitions/holds';
import { type DefinitionKey, definitionTexts } from '../definitions/texts';
import { useWriting } from '../definitions/writing';
import type { View } from './DataPage';
import { Panel, ToneIcon } from './parts';
import { Refusal } from './Refusal';
import type { Say } from './say';
import { writeDataSearch } from './search';
import './files.css';

/** The files that say what everything is: what each holds, what it says, and what is wrong with it. */
export default function DefinitionsTab({ search, say }: View) {
  const t = definitionTexts.use();
  const navigate = useNavigate({ from: '/data' });
  const writing = useWriting();
  const { data, error, refetch } = useQuery(folderQuery);
  const [begun, setBegun] = useState<string | null>(null);
  // Where a fault was pressed whose file has to be opened first.
  const [spot, setSpot] = useState<Fault | null>(null);
  if (!data) {
    if (error) return <Refusal error={error} onRetry={() => void refetch()} />;
    return <p className="dim">{t('files.loading')}</p>;
  }
  const open = (place: FilePlace | null) =>
    navigate({
      search: writeDataSearch({
        tab: 'definitions',
        file: place?.file ?? null,
        pack: place?.pack ?? null,
      }),
    });
  const place = search.file === null ? null : { pack: search.pack, file: search.file };
  const isBegun = place !== null && place.pack === null && place.file === begun;
  const known = place && data.files.find(({ file }) => place.pack === null && file === place.file);
  return (
    <div className="data-stack" data-testid="definition-files">
      <ClosedNote writing={writing} />
      {data.faults.length > 0 && (
        <Panel title={t('files.faults')} testId="folder-faults">
          <p className="data-small">{t('files.faults.text')}</p>
          <FaultList
            faults={data.faults}
            onReveal={(fault) => {
              setSpot(fault);
              void open(placeOf(fault.file));
            }}
          />
        </Panel>
      )}
      <div className="files" data-open={place !== null || undefined}>
        <Panel title={t('files.title')} testId="file-list">
          <FileList folder={data} place={place} say={say} />
          {writing.state === 'open' && (
            <NewFile
              taken={new Set(data.files.map(({ file }) => file))}
              onBegin={(file) => {
                setBegun(file);
                void open({ pack: null, file });
              }}
            />
          )}
        </Panel>
        <section className="panel data-panel files-shown" data-testid="file-shown">
          {place === null ? (
            <p className="data-empty">{t('files.choose')}</p>
          ) : (
            <>
              <p className="files-back">
                <Link to="/data" search={writeDataSearch({ tab: 'definitions' })} className="button">
                  {t('files.back')}
                </Link>
              </p>
              <FilePanel
                key={`${place.pack ?? ''}/${place.file}`}
                place={place}
                isNew={isBegun && !known}
                holds={known?.holds ?? {}}
                note={known?.changed_at ? t('files.changed', { time: say.time(known.changed_at) }) : null}
                reason={known?.reason ?? null}
                spot={spot && isSame(placeOf(spot.file), place) ? spot : null}
                onGone={() => {
                  setBegun(null);
                  void open(null);
                }}
              />
            </>
          )}
        </section>
      </div>
    </div>
  );
}

/** Where the file of a fault stands. */
function placeOf(file: string): FilePlace {
  const ofPack = /^pack:([^/]+)\/(.+)$/.exec(file);
  return ofPack ? { pack: ofPack[1] ?? '', file: ofPack[2] ?? '' } : { pack: null, file };
}

function isSame(a: FilePlace, b: FilePlace): boolean {
  return a.pack === b.pack && a.file === b.file;
}

interface ListProps {
  folder: Folder;
  place: FilePlace | null;
  say: Say;
}

function FileList({ folder, place, say }: ListProps) {
  const t = definitionTexts.use();
  const faulty = new Set(folder.faults.map(({ file }) => file));
  return (
    <>
      <h3>{t('files.folder')}</h3>
      {folder.files.length === 0 && <p className="dim data-small">{t('files.empty')}</p>}
      <ul className="files-list">
        {folder.files.map(({ file, bytes, holds }) => (
          <li key={file}>
            <FileLink place={{ pack: null, file }} isChosen={place?.pack === null && place.file === file}>
              <span className="files-name">
                {file}
                {faulty.has(file) && (
                  <span className="files-bad">
                    <ToneIcon tone="bad" /> {t('files.faulty')}
                  </span>
                )}
              </span>
              <small>
                <HoldsLine holds={holds} /> · {say.bytes(bytes)}
              </small>
            </FileLink>
          </li>
        ))}
      </ul>
      {folder.packs.map((pack) => (
        <div key={pack.name} className="files-pack" data-pack={pack.name}>
          <h3>{t('files.pack', { name: pack.name })}</h3>
          {pack.files.length === 0 && (
            <p className="dim data-small">
              <HoldsLine holds={pack.holds} />
            </p>
          )}
          <ul className="files-list">
            {pack.files.map((file) => (
              <li key={file}>
                <FileLink
                  place={{ pack: pack.name, file }}
                  isChosen={place?.pack === pack.name && place.file === file}
                >
                  <span className="files-name">{file}</span>
                  <small>
                    <HoldsLine holds={pack.holds} />
                  </small>
                </FileLink>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </>
  );
}

interface LinkProps {
  place: FilePlace;
  isChosen: boolean;
  children: React.ReactNode;
}

function FileLink({ place, isChosen, children }: LinkProps) {
  return (
    <Link
      to="/data"
      search={writeDataSearch({ tab: 'definitions', ...place })}
      className="files-link"
      data-file={place.file}
      aria-current={isChosen ? 'true' : undefined}
    >
      {children}
    </Link>
  );
}

function HoldsLine({ holds }: { holds: Holds }) {
  const t = definitionTexts.use();
  return <>{holdsText(holds, (key) => t(key as DefinitionKey)) || t('files.none')}</>;
}

const FILE = /^[\w-]+(\/[\w-]+)*\.ya?ml$/;

interface NewProps {
  taken: ReadonlySet<string>;
  onBegin: (file: string) => void;
}

function NewFile({ taken, onBegin }: NewProps) {
  const t = definitionTexts.use();
  const id = useId();
  const [name, setName] = useState<string | null>(null);
  if (name === null) {
    return (
      <p>
        <button type="button" className="button" data-testid="new-file" onClick={() => setName('')}>
          {t('files.new')}
        </button>
      </p>
    );
  }
  const file = name.trim();
  const fault =
    file === '' ? null : taken.has(file) ? t('files.new.taken') : FILE.test(file) ? null : t('files.new.bad');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (file === '' || fault !== null) return;
    setName(null);
    onBegin(file);
  };
  return (
    <form className="data-field" onSubmit={submit}>
      <label htmlFor={id}>{t('files.new.name')}</label>
      <input
        id={id}
        type="text"
        value={name}
        maxLength={200}
        spellCheck={false}
        autoComplete="off"
        // biome-ignore lint/a11y/noAutofocus: the field is what the button was pressed for
        autoFocus
        aria-invalid={fault !== null || undefined}
        aria-describedby={`${id}-hint`}
        data-testid="new-file-name"
        onChange={({ target }) => setName(target.value)}
      />
      <p id={`${id}-hint`} className={fault === null ? 'dim' : 'data-fault'}>
        {fault ?? t('files.new.hint')}
      </p>
      <div className="data-actions">
        <button type="submit" className="button button-main" disabled={file === '' || fault !== null}>
          {t('files.new.do')}
        </button>
        <button type="button" className="button" onClick={() => setName(null)}>
          {t('cancel')}
        </button>
      </div>
    </form>
  );
}
