import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { ApiError } from '../../api/client';
import { boardQuery, boardsQuery } from '../../api/queries';
import type { Metric } from '../../api/types';
import { useSettled } from '../../monitors/useSettled';
import { isSaved, type KeptBoard, readBoard, saveBoard, shownBoard } from './calls';
import {
  begin,
  type Change,
  done,
  type History,
  undone,
  withCopy,
  withItem,
  withMove,
  withoutItem,
  withPatch,
} from './changes';
import {
  boardOf,
  copyOf,
  type Draft,
  draftOf,
  emptyItem,
  type Item,
  type ItemKind,
  isSameBoard,
  itemsOf,
  newId,
} from './draft';
import { type Faults, type FaultyBoard, ownFaults, serverFaults, withoutChanged } from './faults';
import { forgetDraft, keepDraft, keptDraft } from './kept';
import { boardTexts } from './texts';

/** What is typed is kept when it has rested this long. */
const KEEP_AFTER_MS = 500;

export type Phase =
  | { kind: 'editing' }
  | { kind: 'saving' }
  /** The server, or the way to it, has refused the whole. */
  | { kind: 'refused'; error: Error }
  /** There are faults, which stand at their controls. */
  | { kind: 'faulty'; count: number }
  /** Somebody else has saved meanwhile, or deleted. */
  | { kind: 'conflict'; newer: KeptBoard | null; told: string }
  /** The folder of definitions has taken the board's name meanwhile, which only another name gets out of. */
  | { kind: 'overtaken' };

interface Options {
  initial: Draft;
  /** The version that is edited; null for a board that is new. */
  version: number | null;
  metrics: ReadonlyMap<string, Metric>;
  /** The names of other boards. */
  taken: ReadonlySet<string>;
  /** Under which name the draft is kept while it is not saved. */
  keptKey: string;
  onSaved: (board: KeptBoard) => void;
}

const noFaults: Faults = new Map();

/** A board while it is edited: its draft with what was before, what is wrong with it, and how saving goes. */
export function useEditor({ initial, version: firstVersion, metrics, taken, keptKey, onSaved }: Options) {
  const t = boardTexts.use();
  const queries = useQueryClient();
  const [kept] = useState(() => keptDraft(keptKey));
  const [history, setHistory] = useState<History>(() =>
    begin(kept ? copyOf(kept.draft, kept.draft.name) : initial),
  );
  const [base, setBase] = useState(initial);
  const [version, setVersion] = useState(kept ? kept.version : firstVersion);
  const [isRestored, setRestored] = useState(kept !== null);
  const [faults, setFaults] = useState<Faults>(noFaults);
  const [phase, setPhase] = useState<Phase>({ kind: 'editing' });
  const { draft } = history;
  const isDirty = useMemo(() => !isSameBoard(draft, base), [draft, base]);
  const isLeaving = useRef(false);

  const settled = useSettled(draft, KEEP_AFTER_MS);
  useEffect(() => {
    if (isLeaving.current) return;
    if (isSameBoard(settled, base)) forgetDraft(keptKey);
    else keepDraft(keptKey, settled, version);
  }, [settled, base, version, keptKey]);

  const apply = useCallback((change: (old: Draft) => Change, controls: readonly string[] = []) => {
    setHistory((old) => done(old, change(old.draft)));
    setPhase((old) => (isAnswering(old) ? old : { kind: 'editing' }));
    if (controls.length > 0) setFaults((old) => withoutChanged(old, controls));
  }, []);
  const actions = useMemo(
    () => ({
      change: (patch: Partial<Draft>, control: string) =>
        apply((old) => ({ draft: { ...old, ...patch }, deed: 'title', tag: control }), [control]),
      patch: (id: string, patch: Partial<Item>, tag?: string) =>
        apply(
          (old) => ({ draft: withPatch(old, id, patch), deed: 'change', tag }),
          Object.keys(patch).map((field) => `${id}.${controlOfField(field)}`),
        ),
      add: (kind: ItemKind): string => {
        const item = emptyItem(kind);
        apply((old) => ({ draft: withItem(old, item), deed: 'add' }));
        return item.id;
      },
      copy: (id: string): string => {
        const copyId = newId();
        apply((old) => {
          const item = itemsOf(old).find((one) => one.id === id);
          if (!item) return { draft: old, deed: 'copy' };
          const fresh = {
            ...item,
            id: copyId,
            where: item.where.map((one) => ({ ...one, id: newId() })),
            steps: item.steps.map((one) => ({ ...one, id: newId() })),
          };
          return { draft: withCopy(old, id, fresh), deed: 'copy' };
        });
        return copyId;
      },
      remove: (id: string) => apply((old) => ({ draft: withoutItem(old, id), deed: 'remove' }), [id]),
      move: (id: string, to: number) => apply((old) => ({ draft: withMove(old, id, to), deed: 'move' })),
      undo: () => {
        setHistory(undone);
        setPhase({ kind: 'editing' });
      },
      discard: () => {
        setHistory(begin(base));
        setVersion(firstVersion);
        setRestored(false);
        setFaults(noFaults);
        setPhase({ kind: 'editing' });
        forgetDraft(keptKey);
      },
    }),
    [apply, base, firstVersion, keptKey],
  );

  const show = (found: Faults) => {
    setFaults(found);
    setPhase({ kind: 'faulty', count: [...found.values()].flat().length });
  };
  const checked = (name: string): boolean => {
    const found = ownFaults({ ...draft, name }, metrics, name === firstName ? noNames : taken);
    if (found.length === 0) return true;
    const byControl = new Map<string, { message: string }[]>();
    for (const { control, key, values } of found)
      byControl.set(control, [...(byControl.get(control) ?? []), { message: t(key, values) }]);
    show(byControl);
    return false;
  };
  /** A saved board keeps its name; of a new one no name is its own yet. */
  const firstName = firstVersion === null ? null : initial.name;

  const send = async (name: string, isNew: boolean) => {
    if (!checked(name)) return;
    setPhase({ kind: 'saving' });
    const sent = { ...draft, name };
    try {
      const guard =
        isNew || version === null ? ({ kind: 'new' } as const) : { kind: 'version' as const, version };
      const answer = await saveBoard(name, boardOf(sent), guard);
      isLeaving.current = true;
      forgetDraft(keptKey);
      const saved = { ...answer, name };
      setBase(sent);
      setHistory((old) => ({ ...old, draft: sent }));
      setFaults(noFaults);
      setVersion(answer.version ?? null);
      queries.setQueryData(boardQuery(name).queryKey, shownBoard(saved));
      void queries.invalidateQueries({ queryKey: boardsQuery.queryKey });
      setPhase({ kind: 'editing' });
      onSaved(saved);
    } catch (cause) {
      await refused(cause, sent, isNew || version === null);
    }
  };

  const refused = async (cause: unknown, sent: Draft, isNew: boolean) => {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    if (!(error instanceof ApiError)) return setPhase({ kind: 'refused', error });
    const problem = error.problem as FaultyBoard | null;
    if (error.status === 422) {
      const found = serverFaults(problem, sent);
      return found.size > 0 ? show(found) : setPhase({ kind: 'refused', error });
    }
    // A saved board keeps its name, so that there is no control to mend it at.
    if (error.status === 409 && !isNew) return setPhase({ kind: 'overtaken' });
    if (error.status === 409 || (error.status === 412 && isNew)) {
      const message =
        error.status === 409 && problem?.detail ? problem.detail : t('fault.taken', { name: sent.name });
      return show(
        new Map([
          ['board.name', [{ message, ...(problem?.suggestion ? { suggestion: problem.suggestion } : {}) }]],
        ]),
      );
    }
    if (error.status === 412 || error.status === 404) {
      try {
        const newer = await readBoard(sent.name);
        return setPhase({
          kind: 'conflict',
          newer: isSaved(newer) ? newer : null,
          told: problem?.detail ?? '',
        });
      } catch (reading) {
        const isGone = reading instanceof ApiError && reading.status === 404;
        return setPhase(isGone ? { kind: 'conflict', newer: null, told: '' } : { kind: 'refused', error });
      }
    }
    setPhase({ kind: 'refused', error });
  };

  const load = (newer: KeptBoard) => {
    const next = draftOf(draft.name, newer);
    setBase(next);
    setVersion(newer.version ?? null);
    setFaults(noFaults);
    // What was here is one step back, so that nothing is lost by looking at the other.
    setHistory((old) => done(old, { draft: next, deed: 'load' }));
    setPhase({ kind: 'editing' });
  };

  return {
    draft,
    isDirty,
    isRestored,
    isLeaving,
    faults,
    phase,
    version,
    undoDeed: history.past.at(-1)?.deed ?? null,
    ...actions,
    save: () => send(draft.name.trim(), false),
    saveAs: (name: string) => send(name, true),
    load,
    dismiss: () => setPhase({ kind: 'editing' }),
  };
}

/** Whether the server is at work, or waits for a choice: what is typed meanwhile changes nothing of that. */
function isAnswering({ kind }: Phase): boolean {
  return kind === 'saving' || kind === 'conflict' || kind === 'overtaken';
}

const noNames: ReadonlySet<string> = new Set();

/** Titles and texts are two fields of one control. */
function controlOfField(field: string): string {
  if (field === 'titleEn' || field === 'titleZh') return 'title';
  if (field === 'textEn' || field === 'textZh') return 'text';
  return field;
}
