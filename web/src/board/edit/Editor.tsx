import { useBlocker } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import type { Metric } from '../../api/types';
import { useSpeech } from '../../i18n/hooks';
import { localized } from '../../i18n/index';
import { AddItems } from './AddItems';
import { ConflictDialog } from './ConflictDialog';
import type { KeptBoard } from './calls';
import { placeOf } from './changes';
import { DeleteDialog } from './DeleteDialog';
import { Dialog } from './Dialog';
import { type Draft, type ItemKind, nameFor, sections } from './draft';
import { ExportDialog } from './ExportDialog';
import { FaultList, FaultsContext, Field } from './Field';
import { TitleFields } from './fields/TitleFields';
import { useItemTitle } from './ItemCard';
import { Preview } from './Preview';
import { Refusal } from './Refusal';
import { SectionList } from './SectionList';
import { boardTexts } from './texts';
import { useEditor } from './useEditor';
import './edit.css';

interface Props {
  initial: Draft;
  version: number | null;
  metrics: ReadonlyMap<string, Metric>;
  taken: ReadonlySet<string>;
  keptKey: string;
  onSaved: (board: KeptBoard) => void;
  onCancel: () => void;
  onDeleted: () => void;
  /** Further ways to begin, for a board that is new. */
  onImport?: () => void;
}

/** A board as a form, and beside it the board that it makes. */
export function Editor(props: Props) {
  const { initial, version, metrics, taken, keptKey, onSaved, onCancel, onDeleted, onImport } = props;
  const t = boardTexts.use();
  const { language } = useSpeech();
  const titleOf = useItemTitle();
  const editor = useEditor({ initial, version, metrics, taken, keptKey, onSaved });
  const { draft, faults, phase, isDirty } = editor;
  const isNew = version === null;
  const [openId, setOpenId] = useState<string | null>(null);
  const [said, setSaid] = useState('');
  const [question, setQuestion] = useState<'delete' | 'export' | null>(null);
  /** Until somebody writes a name, it follows the title. */
  const [isNamed, setNamed] = useState(initial.name !== '');
  const root = useRef<HTMLDivElement>(null);
  const title =
    localized(
      { en: draft.titleEn || draft.titleZh, ...(draft.titleZh ? { zh: draft.titleZh } : {}) },
      language,
    ) ||
    draft.name ||
    t('edit.nameless');
  useEffect(() => {
    document.title = `${isNew ? t('edit.new') : t('edit.title', { title })} · Tillwatch`;
  }, [t, isNew, title]);

  const blocker = useBlocker({
    shouldBlockFn: () => isDirty && !editor.isLeaving.current,
    enableBeforeUnload: () => isDirty && !editor.isLeaving.current,
    withResolver: true,
  });

  const focus = (selector: string) =>
    // What is to be focused is drawn first.
    setTimeout(() => root.current?.querySelector<HTMLElement>(selector)?.focus(), 0);
  const add = (kind: ItemKind) => {
    const id = editor.add(kind);
    setOpenId(id);
    setSaid(t('said.added', { kind: t(`kind.${kind}`) }));
    setTimeout(() => {
      const card = root.current?.querySelector<HTMLElement>(`[data-sort="${id}"]`);
      card?.scrollIntoView({ block: 'nearest' });
      card?.querySelector<HTMLElement>('.be-item-body :is(button, input, textarea)')?.focus();
    }, 0);
  };
  const remove = (id: string) => {
    const place = placeOf(draft, id);
    if (!place) return;
    const neighbours = draft[place.section];
    const next = neighbours[place.index + 1] ?? neighbours[place.index - 1];
    editor.remove(id);
    setSaid(t('said.removed', { title: titleOf(place.item) }));
    focus(next ? `[data-open="${next.id}"]` : `[data-section="${place.section}"] .be-add button`);
  };
  const move = (id: string, to: number) => {
    const place = placeOf(draft, id);
    if (!place) return;
    editor.move(id, to);
    const count = draft[place.section].length;
    setSaid(t('said.moved', { title: titleOf(place.item), place: to + 1, count }));
  };
  const changeTitle = (patch: { titleEn?: string; titleZh?: string }) => {
    const named = isNew && !isNamed;
    const name = nameFor(patch.titleEn ?? draft.titleEn, taken);
    editor.change({ ...patch, ...(named ? { name } : {}) }, 'board.title');
  };

  const undo = () => {
    if (editor.undoDeed === null) return;
    editor.undo();
    setSaid(t('said.undone', { deed: t(`deed.${editor.undoDeed}`) }));
  };
  const keys = useRef({ undo, save: editor.save });
  keys.current = { undo, save: editor.save };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || document.querySelector('dialog[open]')) return;
      if (event.key === 's') {
        event.preventDefault();
        void keys.current.save();
      }
      // In a field the browser undoes what was typed there.
      const isTyping = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA)$/.test(event.target.tagName);
      if (event.key === 'z' && !event.shiftKey && !isTyping) {
        event.preventDefault();
        keys.current.undo();
      }
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);

  // The first fault is where somebody has to look.
  const faultyKey = phase.kind === 'faulty' ? [...faults.keys()][0] : undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: it moves once, when faults come, and not while they are mended
  useEffect(() => {
    if (faultyKey === undefined) return;
    const id = faultyKey.split('.')[0] ?? '';
    if (placeOf(draft, id)) setOpenId(id);
    const timer = setTimeout(() => {
      const control = root.current?.querySelector<HTMLElement>(`[data-control="${CSS.escape(faultyKey)}"]`);
      const target = control ?? root.current?.querySelector<HTMLElement>(`[data-sort="${CSS.escape(id)}"]`);
      target?.scrollIntoView({ block: 'center' });
      target?.querySelector<HTMLElement>('input, select, textarea, button')?.focus();
    }, 0);
    return () => clearTimeout(timer);
  }, [faultyKey, phase]);

  return (
    <FaultsContext value={faults}>
      <div
        className="be"
        ref={root}
        data-testid="board-editor"
        data-dirty={isDirty}
        data-phase={phase.kind}
        data-version={editor.version ?? ''}
      >
        <div className="board-head be-head">
          <h1>{isNew ? t('edit.new') : t('edit.title', { title })}</h1>
          <span className="be-state dim" role="status">
            {t(phase.kind === 'saving' ? 'edit.saving' : isDirty ? 'edit.unsaved' : 'edit.clean')}
          </span>
          <div className="be-head-ends">
            <button
              type="button"
              className="button"
              disabled={editor.undoDeed === null}
              data-testid="undo"
              onClick={undo}
            >
              {editor.undoDeed === null
                ? t('edit.undo')
                : t('edit.undoOf', { deed: t(`deed.${editor.undoDeed}`) })}
            </button>
            {!isNew && (
              <>
                <button type="button" className="button" onClick={() => setQuestion('export')}>
                  {t('edit.export')}
                </button>
                <button
                  type="button"
                  className="button"
                  data-testid="ask-delete"
                  onClick={() => setQuestion('delete')}
                >
                  {t('edit.delete')}
                </button>
              </>
            )}
            {onImport && (
              <button type="button" className="button" data-testid="ask-import" onClick={onImport}>
                {t('list.import')}
              </button>
            )}
            <button type="button" className="button" onClick={onCancel}>
              {t('cancel')}
            </button>
            <button
              type="button"
              className="button button-main"
              disabled={phase.kind === 'saving' || (!isDirty && !isNew)}
              data-testid="save-board"
              onClick={() => void editor.save()}
            >
              {t('edit.save')}
            </button>
            {/* Seen however far somebody has scrolled. */}
            {editor.isRestored && isDirty && (
              <p className="be-notice" data-testid="restored">
                {t('edit.restored')}{' '}
                <button type="button" className="button" onClick={editor.discard}>
                  {t('edit.discard')}
                </button>
              </p>
            )}
            {phase.kind === 'refused' && (
              <p className="be-refused" role="alert" data-testid="save-refused">
                {t('edit.notSaved')} <Refusal error={phase.error} />
              </p>
            )}
            {phase.kind === 'faulty' && (
              <p className="be-refused" role="alert" data-testid="save-faulty">
                {t('edit.faulty', { count: phase.count })}
              </p>
            )}
          </div>
        </div>
        <p className="visually-hidden" role="status" data-testid="said">
          {said}
        </p>
        <div className="be-columns">
          <form className="be-form" aria-label={t('edit.form')} onSubmit={(event) => event.preventDefault()}>
            <FaultList faults={faults.get('board') ?? []} />
            <div className="panel be-about">
              <TitleFields
                control="board.title"
                label={t('field.boardTitle')}
                en={draft.titleEn}
                zh={draft.titleZh}
                onChange={changeTitle}
              />
              <Field
                control="board.name"
                label={t('field.name')}
                hint={t(isNew ? 'hint.name' : 'hint.nameFixed')}
              >
                {(ties) => (
                  <input
                    {...ties}
                    type="text"
                    value={draft.name}
                    readOnly={!isNew}
                    maxLength={63}
                    spellCheck={false}
                    autoComplete="off"
                    data-testid="board-name"
                    onChange={({ target }) => {
                      setNamed(target.value !== '');
                      editor.change({ name: target.value }, 'board.name');
                    }}
                  />
                )}
              </Field>
              <label className="be-check">
                <input
                  type="checkbox"
                  checked={draft.incidents}
                  onChange={({ target }) => editor.change({ incidents: target.checked }, 'board.incidents')}
                />
                {t('field.incidents')}
              </label>
            </div>
            {sections.map((section) => (
              <SectionList
                key={section}
                section={section}
                items={draft[section]}
                metrics={metrics}
                openId={openId}
                onOpen={setOpenId}
                onChange={editor.patch}
                onMove={move}
                onCopy={(id) => setOpenId(editor.copy(id))}
                onRemove={remove}
              >
                <AddItems section={section} draft={draft} onAdd={add} />
              </SectionList>
            ))}
          </form>
          <Preview draft={draft} metrics={metrics} />
        </div>
        {(phase.kind === 'conflict' || phase.kind === 'overtaken') && (
          <ConflictDialog
            title={title}
            newer={phase.kind === 'conflict' ? phase.newer : null}
            told={phase.kind === 'conflict' ? phase.told : ''}
            isOvertaken={phase.kind === 'overtaken'}
            name={nameFor(draft.name, new Set([...taken, draft.name]))}
            onLoad={editor.load}
            onSaveAs={(name) => void editor.saveAs(name)}
            onClose={editor.dismiss}
          />
        )}
        {question === 'delete' && (
          <DeleteDialog
            name={draft.name}
            title={title}
            version={editor.version}
            onDeleted={() => {
              editor.isLeaving.current = true;
              onDeleted();
            }}
            onClose={() => setQuestion(null)}
          />
        )}
        {question === 'export' && (
          <ExportDialog name={draft.name} title={title} onClose={() => setQuestion(null)} />
        )}
        {blocker.status === 'blocked' && (
          <Dialog title={t('leave.title')} testId="board-leave" onClose={blocker.reset}>
            <p>{t('leave.text', { title })}</p>
            <div className="be-dialog-ends">
              <button type="button" className="button button-main" onClick={blocker.reset}>
                {t('leave.stay')}
              </button>
              <button
                type="button"
                className="button be-danger"
                data-testid="leave-board"
                onClick={() => {
                  editor.discard();
                  blocker.proceed();
                }}
              >
                {t('leave.go')}
              </button>
            </div>
          </Dialog>
        )}
      </div>
    </FaultsContext>
  );
}
