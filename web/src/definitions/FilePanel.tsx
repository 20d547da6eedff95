import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useBlocker } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { ApiError } from '../api/client';
import { Dialog } from '../board/edit/Dialog';
import { CheckLine } from './CheckLine';
import { ConflictDialog } from './ConflictDialog';
import { CopyYaml } from './CopyYaml';
import {
  deleteFile,
  type Fault,
  type FilePlace,
  faultsIn,
  fileQuery,
  forgetOld,
  type Guard,
  type Holds,
  isConflict,
  readFile,
  type Saved,
  saveFile,
  type Tagged,
} from './calls';
import { FaultList } from './FaultList';
import { holdsText } from './holds';
import { Refused } from './Refused';
import { SavedNote } from './SavedNote';
import { type DefinitionKey, definitionTexts } from './texts';
import { useCheck } from './useCheck';
import { useWriting } from './writing';
import { YamlBox } from './YamlBox';
import type { Spot, YamlHandle } from './YamlEditor';

interface Props {
  place: FilePlace;
  /** It is not there yet: what is written begins it. */
  isNew: boolean;
  holds: Holds;
  note: string | null;
  /** Why the server does not let it be changed here. */
  reason: string | null;
  /** What is brought into sight when the text is there. */
  spot: Spot | null;
  onGone: () => void;
}

const nothing: Tagged = { text: '', etag: null };

/** One file: its text, with what is wrong at its lines, changed here where that can be. */
export function FilePanel(props: Props) {
  const { place, isNew } = props;
  const t = definitionTexts.use();
  const read = useQuery({ ...fileQuery(place), enabled: !isNew });
  const opened = isNew ? nothing : read.data;
  if (opened) return <Opened {...props} opened={opened} />;
  if (read.error instanceof ApiError && read.error.status === 404)
    return <p className="data-empty">{t('files.missing', { file: place.file })}</p>;
  if (read.error) return <Refused error={read.error} title={t('files.unread', { file: place.file })} />;
  return <p className="dim">{t('files.loading')}</p>;
}

function Opened({ place, isNew, holds, note, reason, spot, opened, onGone }: Props & { opened: Tagged }) {
  const t = definitionTexts.use();
  const queries = useQueryClient();
  const writing = useWriting();
  const editor = useRef<YamlHandle>(null);
  const [base, setBase] = useState(opened);
  const [text, setText] = useState(opened.text);
  const [saved, setSaved] = useState<Saved | null>(null);
  const [theirs, setTheirs] = useState<Tagged | null | undefined>(undefined);
  const [isDeleting, setDeleting] = useState(false);
  const isLeaving = useRef(false);
  const { file } = place;
  const isOwn = place.pack === null;
  const isOpen = isOwn && reason === null && writing.state === 'open';
  const isDirty = isOpen && text !== base.text;
  const check = useCheck(file, isOwn && (isDirty || !isNew) && writing.state === 'open' ? text : null);

  const take = (next: Tagged) => {
    setBase(next);
    setText(next.text);
  };
  const saving = useMutation({
    mutationFn: async ({ written, guard }: { written: string; guard: Guard }) => ({
      written,
      saved: await saveFile(file, written, guard),
    }),
    onSuccess: async ({ written, saved: told }) => {
      setBase({ text: written, etag: told.etag ?? null });
      setSaved(told);
      queries.setQueryData(fileQuery(place).queryKey, { text: written, etag: told.etag ?? null });
      await forgetOld(queries);
    },
    onError: async (error) => {
      if (isConflict(error)) setTheirs(await readTheirs(place));
    },
  });
  const guard: Guard = base.etag === null ? { kind: 'new' } : { kind: 'tag', etag: base.etag };
  const save = () => {
    if (isDirty && !saving.isPending) saving.mutate({ written: text, guard });
  };
  const change = (next: string) => {
    setText(next);
    setSaved(null);
    if (saving.isError) saving.reset();
  };
  const blocker = useBlocker({
    shouldBlockFn: () => isDirty && !isLeaving.current,
    enableBeforeUnload: () => isDirty && !isLeaving.current,
    withResolver: true,
  });
  const faults = check.faults ?? [];
  const reveal = (fault: Fault) => editor.current?.reveal(fault);
  const isEditorThere = useWhenDrawn(editor);
  useEffect(() => {
    if (spot && isEditorThere) editor.current?.reveal(spot);
  }, [spot, isEditorThere]);
  return (
    <>
      <div className="data-panel-head">
        <h2 className="files-title">{file}</h2>
        <span className="dim data-small" data-testid="file-state">
          {isDirty ? t('files.unsaved') : isOpen ? note : t('files.readOnly')}
        </span>
      </div>
      {!isOwn && <p className="data-small dim">{t('files.ofPack')}</p>}
      {reason !== null && <p className="data-small dim">{reason}</p>}
      <YamlBox
        ref={editor}
        text={text}
        label={file}
        isReadOnly={!isOpen}
        spots={faults.filter((fault) => fault.file === file)}
        onChange={change}
        onSave={save}
      />
      {isOpen && <CheckLine check={check} />}
      <FaultList faults={faults} file={file} onReveal={reveal} />
      {saving.error && !isConflict(saving.error) && faultsIn(saving.error) === null && (
        <Refused error={saving.error} file={file} />
      )}
      {saved && !isDirty && <SavedNote saved={saved} />}
      <div className="data-actions">
        {isOpen && (
          <button
            type="button"
            className="button button-main"
            disabled={!isDirty || saving.isPending}
            data-testid="save-file"
            onClick={save}
          >
            {t(saving.isPending ? 'saving' : 'save')}
          </button>
        )}
        {isDirty && (
          <button type="button" className="button" onClick={() => change(base.text)}>
            {t('files.discard')}
          </button>
        )}
        <CopyYaml text={text} file={file.split('/').at(-1) ?? file} />
        {isOpen && base.etag !== null && (
          <button
            type="button"
            className="button be-danger"
            data-testid="delete-file"
            onClick={() => setDeleting(true)}
          >
            {t('delete')}
          </button>
        )}
      </div>
      {isDeleting && base.etag !== null && (
        <DeleteDialog
          file={file}
          etag={base.etag}
          holds={holds}
          onClose={() => setDeleting(false)}
          onDeleted={() => {
            isLeaving.current = true;
            onGone();
          }}
        />
      )}
      {theirs !== undefined && (
        <ConflictDialog
          file={file}
          mine={text}
          theirs={theirs?.text ?? null}
          onClose={() => setTheirs(undefined)}
          onMine={() => {
            const etag = theirs?.etag ?? null;
            setTheirs(undefined);
            saving.mutate({
              written: text,
              guard: etag === null ? { kind: 'new' } : { kind: 'tag', etag },
            });
          }}
          onTheirs={() => {
            const next = theirs;
            setTheirs(undefined);
            saving.reset();
            if (next) return take(next);
            isLeaving.current = true;
            onGone();
          }}
        />
      )}
      {blocker.status === 'blocked' && (
        <Dialog title={t('leave.title')} testId="file-leave" onClose={blocker.reset}>
          <p>{t('leave.text', { file })}</p>
          <div className="be-dialog-ends">
            <button type="button" className="button button-main" onClick={blocker.reset}>
              {t('leave.stay')}
            </button>
            <button
              type="button"
              className="button be-danger"
              data-testid="leave-file"
              onClick={() => {
                isLeaving.current = true;
                blocker.proceed();
              }}
            >
              {t('leave.go')}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

/** The editor comes after the page: what is to be done with it waits for it. */
function useWhenDrawn(editor: { current: unknown }): boolean {
  const [isThere, setThere] = useState(false);
  useEffect(() => {
    if (isThere) return;
    let frame = 0;
    const look = () => {
      if (editor.current) return setThere(true);
      frame = requestAnimationFrame(look);
    };
    look();
    return () => cancelAnimationFrame(frame);
  }, [editor, isThere]);
  return isThere;
}

/** The file as somebody else left it; null when they have deleted it. */
async function readTheirs(place: FilePlace): Promise<Tagged | null> {
  try {
    return await readFile(place);
  } catch (cause) {
    if (cause instanceof ApiError && cause.status === 404) return null;
    throw cause;
  }
}

interface DeleteProps {
  file: string;
  etag: string;
  holds: Holds;
  onClose: () => void;
  onDeleted: () => void;
}

function DeleteDialog({ file, etag, holds, onClose, onDeleted }: DeleteProps) {
  const t = definitionTexts.use();
  const queries = useQueryClient();
  const deleting = useMutation({
    mutationFn: () => deleteFile(file, etag),
    onSuccess: async () => {
      await forgetOld(queries);
      onDeleted();
    },
  });
  const held = holdsText(holds, (key) => t(key as DefinitionKey));
  return (
    <Dialog title={t('delete.title', { file })} testId="file-delete" onClose={onClose}>
      <p>{held === '' ? t('delete.empty') : t('delete.text', { holds: held })}</p>
      {deleting.error && <Refused error={deleting.error} />}
      <div className="be-dialog-ends">
        <button type="button" className="button" onClick={onClose}>
          {t('keep')}
        </button>
        <button
          type="button"
          className="button be-danger"
          disabled={deleting.isPending}
          data-testid="delete-file-yes"
          onClick={() => deleting.mutate()}
        >
          {t('delete')}
        </button>
      </div>
    </Dialog>
  );
}
