import { useLayoutEffect, useRef, useSyncExternalStore } from 'react';
import { chooseShortcuts, isApple, shortcutsStore } from '../shell/shortcuts';
import { type PaletteText, paletteTexts } from './texts';
import './palette.css';

const mod = isApple ? '⌘' : 'Ctrl';

/** Which keys do what, by where they do it. */
const places: readonly [PaletteText, readonly (readonly [string, PaletteText])[]][] = [
  [
    'keys.everywhere',
    [
      [`${mod} K`, 'keys.palette'],
      ['?', 'keys.help'],
      ['Esc', 'keys.close'],
    ],
  ],
  [
    'keys.incidents',
    [
      ['j', 'keys.next'],
      ['k', 'keys.previous'],
      ['Enter', 'keys.open'],
      ['u', 'keys.back'],
      ['a', 'keys.acknowledge'],
      ['/', 'keys.search'],
    ],
  ],
  [
    'keys.charts',
    [
      ['← →', 'keys.read'],
      ['Home End', 'keys.ends'],
      ['Shift ← →', 'keys.stretch'],
      ['Enter', 'keys.pick'],
    ],
  ],
  [
    'keys.edit',
    [
      ['↑ ↓', 'keys.move'],
      [`${mod} Z`, 'keys.undo'],
      [`${mod} S`, 'keys.save'],
    ],
  ],
  [
    'keys.wall',
    [
      ['Space', 'keys.pause'],
      ['← →', 'keys.turn'],
      ['f', 'keys.full'],
      ['Esc', 'keys.leave'],
    ],
  ],
  [
    'keys.sql',
    [
      [`${mod} ↵`, 'keys.run'],
      [`${mod} S`, 'keys.keep'],
    ],
  ],
];

/** All keys of all pages, and the switch for who has another use for single ones. */
export function ShortcutHelp({ onClose }: { onClose: () => void }) {
  const t = paletteTexts.use();
  const dialog = useRef<HTMLDialogElement>(null);
  const isOn = useSyncExternalStore(shortcutsStore.subscribe, shortcutsStore.get);
  // In time: what had the focus gets it back from a dialog that is closed while it still stands in the document.
  useLayoutEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className="keys-dialog"
      aria-labelledby="keys-title"
      data-testid="shortcut-help"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id="keys-title">{t('keys.title')}</h2>
      <div className="keys-places">
        {places.map(([place, keys]) => (
          <section key={place}>
            <h3>{t(place)}</h3>
            <dl>
              {keys.map(([key, text]) => (
                <div key={text}>
                  <dt>
                    <kbd>{key}</kbd>
                  </dt>
                  <dd>{t(text)}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <label className="keys-switch">
        <input type="checkbox" checked={isOn} onChange={(event) => chooseShortcuts(event.target.checked)} />
        {t('keys.switch')}
      </label>
      <button type="button" className="button" onClick={onClose}>
        {t('keys.shut')}
      </button>
    </dialog>
  );
}
