import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Dialog } from '../board/edit/Dialog';
import { ClosedNote } from '../definitions/ClosedNote';
import { ConflictDialog } from '../definitions/ConflictDialog';
import { CopyYaml } from '../definitions/CopyYaml';
import {
  deleteItem,
  forgetOld,
  type Guard,
  type Item,
  isConflict,
  itemQuery,
  saveItem,
} from '../definitions/calls';
import { hasComments, itemText } from '../definitions/item';
import { Refused } from '../definitions/Refused';
import { useWriting } from '../definitions/writing';
import { calendarTexts } from './texts';
import '../definitions/definitions.css';

interface Props {
  section: 'calendars' | 'maintenance';
  title: string;
  /** What it is called. */
  name: string;
  /** Whether it is there already. */
  isExisting: boolean;
  /** The definition as a file has it; null while something in the form is wrong. */
  yaml: string | null;
  onClose: () => void;
  children: ReactNode;
}

/** A form for one definition, and what becomes of it: saved by the server where it can, else text to copy. */
export function ItemDialog({ section, title, name, isExisting, yaml, onClose, children }: Props) {
  const t = calendarTexts.use();
  const queries = useQueryClient();
  const writing = useWriting();
  const { data: item } = useQuery({ ...itemQuery(section, name), enabled: isExisting });
  const [theirs, setTheirs] = useState<Item | null | undefined>(undefined);
  const [isSure, setSure] = useState(false);
  const done = () => {
    onClose();
    void forgetOld(queries);
  };
  const onError = async (error: Error) => {
    if (!isConflict(error)) return;
    const now = itemQuery(section, name);
    await queries.invalidateQueries({ queryKey: now.queryKey });
    setTheirs(await queries.fetchQuery(now));
  };
  const saving = useMutation({
    mutationFn: (guard: Guard) => saveItem(section, name, yaml ?? '', guard),
    onSuccess: done,
    onError,
  });
  const deleting = useMutation({
    mutationFn: (etag: string) => deleteItem(section, name, etag),
    onSuccess: () => {
      // What is gone is not asked for again.
      queries.removeQueries({ queryKey: itemQuery(section, name).queryKey });
      done();
    },
    onError,
  });
  const isFixed = isExisting && item != null && !item.editable;
  const canWrite = writing.state === 'open' && !isFixed && (!isExisting || item != null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (yaml === null || !canWrite || saving.isPending) return;
    saving.mutate(isExisting && item ? { kind: 'tag', etag: item.etag } : { kind: 'new' });
  };
  const refused = saving.error ?? deleting.error;
  const place = item?.file ? `${item.file}:${item.line ?? 1}` : null;
  if (theirs !== undefined) {
    return (
      <ConflictDialog
        file={t('conflict.what', { name })}
        mine={yaml ?? ''}
        theirs={theirs && itemText(section, name, theirs.yaml)}
        onClose={() => setTheirs(undefined)}
        onMine={() => {
          setTheirs(undefined);
          saving.mutate(theirs ? { kind: 'tag', etag: theirs.etag } : { kind: 'new' });
        }}
        onTheirs={done}
      />
    );
  }
  return (
    <Dialog title={title} testId={`${section}-dialog`} onClose={onClose}>
      <form className="calendar-form" onSubmit={submit}>
        {children}
        {place !== null && item && hasComments(item.yaml) && (
          <p className="dim">{t('form.comments', { place })}</p>
        )}
        {isFixed && item?.reason && <p className="def-note">{item.reason}</p>}
        <ClosedNote writing={writing} />
        {!canWrite && yaml !== null && writing.state !== 'unknown' && (
          <>
            <pre className="def-text" data-testid="calendar-yaml">
              {yaml}
            </pre>
            <p className="button-row">
              <CopyYaml text={yaml} file={`${name}.yaml`} />
            </p>
          </>
        )}
        {refused && !isConflict(refused) && <Refused error={refused} />}
        <div className="be-dialog-ends">
          {canWrite && isExisting && item && (
            <button
              type="button"
              className="button be-danger calendar-delete"
              disabled={deleting.isPending}
              data-testid="calendar-delete"
              onClick={() => (isSure ? deleting.mutate(item.etag) : setSure(true))}
            >
              {t(isSure ? 'delete.sure' : 'delete')}
            </button>
          )}
          <button type="button" className="button" onClick={onClose}>
            {t('cancel')}
          </button>
          {canWrite && (
            <button
              type="submit"
              className="button button-main"
              disabled={yaml === null || saving.isPending}
              data-testid="calendar-save"
            >
              {t(saving.isPending ? 'saving' : 'save')}
            </button>
          )}
        </div>
      </form>
    </Dialog>
  );
}
