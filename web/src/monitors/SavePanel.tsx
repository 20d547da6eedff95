import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
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
import type { Draft } from './draft';
import { useTexts } from './texts';

/** The monitor that was saved last in this tab, and where: its page tells it once. */
const savedStore = new Store<{ name: string; saved: Saved } | null>(null);

export interface Saving extends Writing {
  /** The monitor as it is written; null for one that is new. */
  item: Item | null;
}

/** Whether this monitor can be saved from here: the folder takes it, and it is not one of a pack or written in a way that cannot be replaced. */
export function useSaving(existing: string | null): Saving {
  const writing = useWriting();
  const item = useQuery({ ...itemQuery('monitors', existing ?? ''), enabled: existing !== null });
  if (writing.state !== 'open' || existing === null) return { ...writing, item: null };
  if (item.data === undefined) {
    if (item.error) return { state: 'closed', reason: item.error.message, item: null };
    return { state: 'unknown', reason: null, item: null };
  }
  if (item.data && !item.data.editable) return { state: 'closed', reason: item.data.reason, item: item.data };
  return { state: 'open', reason: null, item: item.data };
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
  const save = useMutation({
    mutationFn: (guard: Guard) => saveItem('monitors', name, text, guard),
    onSuccess: async (saved) => {
      savedStore.set({ name, saved });
      await forgetOld(queries);
      if (saved.in_force !== false) await navigate({ to: '/monitors/$name', params: { name } });
    },
    onError: async (error) => {
      if (isConflict(error)) setTheirs(await readItem(name));
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
  const guard: Guard = existing !== null && item ? { kind: 'tag', etag: item.etag } : { kind: 'new' };
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
          onClick={() => save.mutate(guard)}
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
      {save.error && !isConflict(save.error) && <Refused error={save.error} />}
      {theirs !== undefined && (
        <ConflictDialog
          file={t('save.conflict', { name })}
          mine={text}
          theirs={theirs && itemText('monitors', name, theirs.yaml)}
          onClose={() => setTheirs(undefined)}
          onMine={() => {
            const next: Guard = theirs ? { kind: 'tag', etag: theirs.etag } : { kind: 'new' };
            setTheirs(undefined);
            save.mutate(next);
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
