import { type QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
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
import { calendarsQuery } from './query';
import { calendarTexts } from './texts';
import type { Calendar, Calendars, Maintenance } from './types';
import '../definitions/definitions.css';

interface Props {
  section: 'calendars' | 'maintenance';
  title: string;
  /** What it is called. */
  name: string;
  /** What the form began with; null for one that is new. */
  began: Calendar | Maintenance | null;
  /** The definition as a file has it; null while something in the form is wrong. */
  yaml: string | null;
  onClose: () => void;
  children: ReactNode;
}

/** What is asked of the server; `began` where it is only done while that is in force. */
type Change = { began: Props['began'] } & ({ kind: 'save'; guard: Guard } | { kind: 'delete'; etag: string });

/** Somebody has changed it before its text was read, but after the form got its values: the tag alone cannot tell. */
class ChangedBefore extends Error {}

const isLate = (error: unknown) => isConflict(error) || error instanceof ChangedBefore;

/** A form for one definition, and what becomes of it: saved by the server where it can, else text to copy. */
export function ItemDialog({ section, title, name, began, yaml, onClose, children }: Props) {
  const t = calendarTexts.use();
  const queries = useQueryClient();
  const writing = useWriting();
  const isExisting = began !== null;
  const read = useQuery({ ...itemQuery(section, name), enabled: isExisting });
  // What was read first stays: with the tag of a text that the form has never shown, somebody else's change would be undone unseen.
  const [item, setItem] = useState<Item | null | undefined>(undefined);
  if (item === undefined && read.data !== undefined && read.isFetchedAfterMount) setItem(read.data);
  const [theirs, setTheirs] = useState<Item | null | undefined>(undefined);
  const [isSure, setSure] = useState(false);
  const done = () => {
    onClose();
    void forgetOld(queries);
  };
  const changing = useMutation({
    mutationFn: async (change: Change) => {
      if (change.began && (await isOther(queries, section, change.began))) throw new ChangedBefore();
      if (change.kind === 'delete') return deleteItem(section, name, change.etag);
      return saveItem(section, name, yaml ?? '', change.guard);
    },
    onSuccess: (_saved, change) => {
      // What is gone is not asked for again.
      if (change.kind === 'delete') queries.removeQueries({ queryKey: itemQuery(section, name).queryKey });
      done();
    },
    onError: async (error) => {
      if (!isLate(error)) return;
      const now = itemQuery(section, name);
      await queries.invalidateQueries({ queryKey: now.queryKey });
      setTheirs(await queries.fetchQuery(now));
      setSure(false);
    },
  });
  const isFixed = isExisting && item != null && !item.editable;
  const canWrite = writing.state === 'open' && !isFixed && (!isExisting || item != null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (yaml === null || !canWrite || changing.isPending) return;
    const guard: Guard = isExisting && item ? { kind: 'tag', etag: item.etag } : { kind: 'new' };
    changing.mutate({ kind: 'save', guard, began });
  };
  const refused = changing.error;
  const isDeleting = changing.variables?.kind === 'delete';
  const place = item?.file ? `${item.file}:${item.line ?? 1}` : null;
  if (theirs !== undefined) {
    return (
      <ConflictDialog
        file={t('conflict.what', { name })}
        mine={yaml ?? ''}
        theirs={theirs && itemText(section, name, theirs.yaml)}
        isRemoval={isDeleting}
        onClose={() => setTheirs(undefined)}
        onMine={() => {
          setTheirs(undefined);
          if (!isDeleting) {
            const guard: Guard = theirs ? { kind: 'tag', etag: theirs.etag } : { kind: 'new' };
            changing.mutate({ kind: 'save', guard, began: null });
          } else if (theirs) changing.mutate({ kind: 'delete', etag: theirs.etag, began: null });
          else done();
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
        {refused && !isLate(refused) && <Refused error={refused} />}
        <div className="be-dialog-ends">
          {canWrite && isExisting && item && (
            <button
              type="button"
              className="button be-danger calendar-delete"
              disabled={changing.isPending}
              data-testid="calendar-delete"
              onClick={() =>
                isSure ? changing.mutate({ kind: 'delete', etag: item.etag, began }) : setSure(true)
              }
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
              disabled={yaml === null || changing.isPending}
              data-testid="calendar-save"
            >
              {t(changing.isPending && !isDeleting ? 'saving' : 'save')}
            </button>
          )}
        </div>
      </form>
    </Dialog>
  );
}

/** Whether what is in force is not what the form began with any more. */
async function isOther(
  queries: QueryClient,
  section: Props['section'],
  began: Calendar | Maintenance,
): Promise<boolean> {
  const list: Calendars = await queries.fetchQuery(calendarsQuery);
  const all: readonly (Calendar | Maintenance)[] = list[section];
  const now = all.find(({ name }) => name === began.name);
  return now !== undefined && written(now) !== written(began);
}

/** What is written of it: not what follows from the clock, or from who uses it. */
function written(one: Calendar | Maintenance): string {
  const { active, next_from, next_to, used_by, ...rest } = { ...one } as Partial<Calendar & Maintenance>;
  return JSON.stringify(rest);
}
