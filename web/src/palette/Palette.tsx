import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { SearchIcon } from '../shell/icons';
import { type Entry, ranked } from './rank';
import { recentIds, rememberUse } from './recent';
import { paletteTexts } from './texts';
import { useEntries } from './useEntries';
import './palette.css';

interface Props {
  onClose: () => void;
}

/** Everything by its name: boards, metrics, monitors, incidents, pages, and what can be done. */
export function Palette({ onClose }: Props) {
  const t = paletteTexts.use();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [search, setSearch] = useState('');
  const [active, setActive] = useState(0);
  const [recent] = useState(recentIds);
  const { entries, isLoading } = useEntries();
  const groups = useMemo(() => ranked(entries, search, recent), [entries, search, recent]);
  const flat = useMemo(() => groups.flatMap((group) => group.entries), [groups]);
  const at = Math.min(active, flat.length - 1);
  const current = flat[at];
  // In time: what had the focus gets it back from a dialog that is closed while it still stands in the document.
  useLayoutEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  const optionId = (entry: Entry) => `${id}-${entry.id}`;
  const currentId = current && optionId(current);
  useEffect(() => {
    if (currentId === undefined) return;
    document.getElementById(currentId)?.scrollIntoView({ block: 'nearest' });
  }, [currentId]);

  const run = (entry: Entry) => {
    rememberUse(entry.id);
    onClose();
    entry.run();
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const last = Math.max(0, flat.length - 1);
    const targets: Record<string, number> = {
      ArrowDown: at >= last ? 0 : at + 1,
      ArrowUp: at <= 0 ? last : at - 1,
      PageDown: Math.min(last, at + 8),
      PageUp: Math.max(0, at - 8),
    };
    const target = targets[event.key];
    if (target !== undefined) {
      event.preventDefault();
      setActive(target);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (current) run(current);
    }
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a press beside the panel closes it; by keys it is Escape
    <dialog
      ref={dialog}
      className="palette"
      aria-label={t('title')}
      data-testid="palette"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div className="palette-panel">
        <div className="palette-field">
          <SearchIcon />
          <input
            type="text"
            role="combobox"
            aria-expanded="true"
            aria-controls={`${id}-list`}
            aria-activedescendant={currentId}
            aria-autocomplete="list"
            aria-label={t('field')}
            placeholder={t('field')}
            value={search}
            autoComplete="off"
            spellCheck={false}
            data-testid="palette-search"
            onChange={(event) => {
              setSearch(event.target.value);
              setActive(0);
            }}
            onKeyDown={onKey}
          />
          <kbd>Esc</kbd>
        </div>
        <div className="palette-list" role="listbox" id={`${id}-list`} aria-label={t('list')} ref={list}>
          {groups.map((group) => {
            const head = group.kind ?? 'recent';
            return (
              // biome-ignore lint/a11y/useSemanticElements: a fieldset is no group of options
              <div key={head} role="group" aria-labelledby={`${id}-${head}`}>
                <div className="palette-kind" id={`${id}-${head}`} role="presentation">
                  {t(`kind.${head}`)}
                </div>
                {group.entries.map((entry) => (
                  // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are heard by the field, as of every combobox
                  <div
                    key={entry.id}
                    id={optionId(entry)}
                    role="option"
                    tabIndex={-1}
                    aria-selected={entry === current}
                    className="palette-option"
                    data-testid="palette-option"
                    data-entry={entry.id}
                    onPointerMove={() => setActive(flat.indexOf(entry))}
                    onClick={() => run(entry)}
                  >
                    <span className="ellipsis palette-title">{entry.title}</span>
                    {group.kind === null && <span className="chip">{t(`kind.${entry.kind}`)}</span>}
                    {entry.note && <span className="ellipsis palette-note">{entry.note}</span>}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
        <p className={flat.length === 0 ? 'palette-none' : 'visually-hidden'} role="status">
          {flat.length > 0
            ? t('found', { count: flat.length })
            : isLoading
              ? t('loading')
              : t('none', { search })}
        </p>
        <p className="palette-foot" aria-hidden="true">
          <kbd>↑</kbd> <kbd>↓</kbd> {t('foot.choose')} <kbd>↵</kbd> {t('foot.open')} <kbd>?</kbd>{' '}
          {t('foot.keys')}
        </p>
      </div>
    </dialog>
  );
}
