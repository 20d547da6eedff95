import { type QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { ApiError, getJson } from '../api/client';
import { ClosedNote } from '../definitions/ClosedNote';
import { ConflictDialog } from '../definitions/ConflictDialog';
import {
  forgetOld,
  type Guard,
  type Item,
  isConflict,
  itemQuery,
  type Saved,
  saveItem,
} from '../definitions/calls';
import { hasComments, itemText } from '../definitions/item';
import { Refused } from '../definitions/Refused';
import { SavedNote } from '../definitions/SavedNote';
import { useWriting, type Writing } from '../definitions/writing';
import { Store } from '../live/store';
import { fileOf } from './definitionFile';
import { type Draft, draftOf, isSameDraft } from './draft';
import { monitorsQuery } from './queries';
import { useTexts } from './texts';
import type { Monitor } from './types';

/** The monitor that was saved last in this tab, and where: its page tells it once. */
const savedStore = new Store<{ name: string; saved: Saved } | null>(null);

export interface Saving extends Writing {
  /** The monitor as it was written when the form was opened; null for one that is new. */
  item: Item | null;
  /** The monitor that the form began with; null for one that is new. */
  began: Monitor | null;
}

/** Somebody has changed the monitor before its text was read, but after the form got its values: the tag alone cannot tell. */
class ChangedBefore extends Error {}

const isLate = (error: unknown) => isConflict(error) || error instanceof ChangedBefore;

/** Whether this monitor can be saved from here: the folder takes it, and it is not one of a pack or written in a way that cannot be replaced. */
export function useSaving(began: Monitor | null): Saving {
  const writing = useWriting();
  const read = useQuery({ ...itemQuery('monitors', began?.name ?? ''), enabled: began !== null });
  // What was read first stays: it is read again whenever the server has been away, and with the tag of a text that the form has
  // never shown somebody else's change would be undone unseen.
  const [item, setItem] = useState<Item | null | undefined>(undefined);
  if (item === undefined && read.data !== undefined && read.isFetchedAfterMount) setItem(read.data);
  if (writing.state !== 'open' || began === null) return { ...writing, item: null, began };
  if (item === undefined) {
    if (read.error) return { state: 'closed', reason: read.error.message, item: null, began };
    return { state: 'unknown', reason: null, item: null, began };
  }
  if (item && !item.editable) return { state: 'closed', reason: item.reason, item, began };
  return { state: 'open', reason: null, item, began };
}

interface Props {
  saving: Saving;
  draft: Draft;
  name: string;
  existing: string | null;
  /** The form has no fault that it knows of. */
  isReady: boolean;
}

/** Saves the monitor into the folder of definitions. */
export function SavePanel({ saving, draft, name, existing, isReady }: Props) {
  const t = useTexts();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [theirs, setTheirs] = useState<Item | null | undefined>(undefined);
  const text = fileOf(draft, name);
  const { item } = saving;
  /** What was saved from this form last, by its name: it is not in force yet where the form is still there. */
  const [own, setOwn] = useState<{ name: string; etag: string | null } | null>(null);
  const ownTag = own?.name === name ? own.etag : null;
  const save = useMutation({
    mutationFn: async ({ guard, began }: { guard: Guard; began: Monitor | null }) => {
      if (began && (await isOther(queries, began))) throw new ChangedBefore();
      return saveItem('monitors', name, text, guard);
    },
    onSuccess: async (saved) => {
      savedStore.set({ name, saved });
      setOwn({ name, etag: saved.etag ?? null });
      await forgetOld(queries);
      if (saved.in_force !== false) await navigate({ to: '/monitors/$name', params: { name } });
    },
    onError: async (error) => {
      if (isLate(error)) setTheirs(await readItem(name));
    },
  });
  if (saving.state === 'unknown') return null;
  if (saving.state === 'closed') {
    return (
      <section className="panel yaml" data-testid="save-monitor" data-state="closed">
        <ClosedNote writing={saving} />
      </section>
    );
  }
  const tag = ownTag ?? (existing !== null && item ? item.etag : null);
  const guard: Guard = tag === null ? { kind: 'new' } : { kind: 'tag', etag: tag };
  const place = item?.file ? `${item.file}:${item.line ?? 1}` : null;
  return (
    <section className="panel yaml" data-testid="save-monitor" data-state="open" aria-labelledby="save-title">
      <div className="yaml-head">
        <h2 id="save-title">{t('save.title')}</h2>
        <button
          type="button"
          className="button button-main"
          disabled={!isReady || save.isPending}
          data-testid="save-monitor-do"
          onClick={() => save.mutate({ guard, began: ownTag === null ? saving.began : null })}
        >
          {t('save.do')}
        </button>
      </div>
      <p>{t('save.text')}</p>
      {place !== null && item && hasComments(item.yaml) && (
        <p className="dim" data-testid="save-comments">
          {t('save.comments', { place })}
        </p>
      )}
      {save.data?.in_force === false && <SavedNote saved={save.data} />}
      {save.error && !isLate(save.error) && <Refused error={save.error} />}
      {theirs !== undefined && (
        <ConflictDialog
          file={t('save.conflict', { name })}
          mine={text}
          theirs={theirs && itemText('monitors', name, theirs.yaml)}
          onClose={() => setTheirs(undefined)}
          onMine={() => {
            const next: Guard = theirs ? { kind: 'tag', etag: theirs.etag } : { kind: 'new' };
            setTheirs(undefined);
            save.mutate({ guard: next, began: null });
          }}
          onTheirs={() => {
            const isGone = theirs === null;
            setTheirs(undefined);
            save.reset();
            void forgetOld(queries).then(() =>
              isGone ? navigate({ to: '/monitors' }) : navigate({ to: '/monitors/$name', params: { name } }),
            );
          }}
        />
      )}
    </section>
  );
}

/** Whether the monitor in force is not the one that the form began with any more. */
async function isOther(queries: QueryClient, began: Monitor): Promise<boolean> {
  const monitors = await queries.fetchQuery(monitorsQuery);
  const now = monitors.find(({ name }) => name === began.name);
  return now !== undefined && !isSameDraft(draftOf(now), draftOf(began));
}

/** The item as it is now; null when somebody has deleted it. */
async function readItem(name: string): Promise<Item | null> {
  try {
    return await getJson<Item>(`/v1/definitions/monitors/${encodeURIComponent(name)}`);
  } catch (cause) {
    if (cause instanceof ApiError && cause.status === 404) return null;
    throw cause;
  }
}

/** Where the monitor was written, until its page is left. */
export function JustSaved({ name }: { name: string }) {
  const last = useSyncExternalStore(savedStore.subscribe, savedStore.get);
  useEffect(() => () => savedStore.set(null), []);
  return last?.name === name ? <SavedNote saved={last.saved} /> : null;
}
