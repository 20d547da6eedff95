import { useEffect, useRef, useSyncExternalStore } from 'react';
import { chooseShortcuts, shortcutsStore } from './keys';
import { incidentTexts } from './texts';

interface Props {
  isOpen: boolean;
  onOpen: () => void;
  onClose: () => void;
}

const keys = [
  ['j', 'keys.next'],
  ['k', 'keys.previous'],
  ['Enter', 'keys.open'],
  ['u', 'keys.back'],
  ['a', 'keys.acknowledge'],
  ['/', 'keys.search'],
  ['?', 'keys.help'],
] as const;

/** Which keys do what, and the switch for who has another use for them. */
export function ShortcutHelp({ isOpen, onOpen, onClose }: Props) {
  const say = incidentTexts.use();
  const dialog = useRef<HTMLDialogElement>(null);
  const isOn = useSyncExternalStore(shortcutsStore.subscribe, shortcutsStore.get);
  useEffect(() => {
    const element = dialog.current;
    if (isOpen && !element?.open) element?.showModal();
    else if (!isOpen && element?.open) element.close();
  }, [isOpen]);
  return (
    <>
      <button type="button" className="inbox-keys" onClick={onOpen} data-testid="shortcuts">
        {say('keys.title')} <kbd>?</kbd>
      </button>
      <dialog ref={dialog} className="keys-dialog" aria-labelledby="keys-title" onClose={onClose}>
        <h2 id="keys-title">{say('keys.title')}</h2>
        <dl>
          {keys.map(([key, text]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{say(text)}</dd>
            </div>
          ))}
        </dl>
        <label className="keys-switch">
          <input type="checkbox" checked={isOn} onChange={(event) => chooseShortcuts(event.target.checked)} />
          {say('keys.switch')}
        </label>
        <button type="button" className="button" onClick={onClose}>
          {say('keys.close')}
        </button>
      </dialog>
    </>
  );
}
