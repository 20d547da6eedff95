import { useEffect, useRef, useSyncExternalStore } from 'react';
import { Store } from '../live/store';

const KEY = 'tillwatch.shortcuts';

function stored(): boolean {
  try {
    return localStorage.getItem(KEY) !== 'off';
  } catch {
    return true;
  }
}

/** Whether single keys do something. Who dictates, or has another use for them, can switch them off. */
export const shortcutsStore = new Store(stored());

export function chooseShortcuts(isOn: boolean): void {
  try {
    if (isOn) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, 'off');
  } catch {
    // A browser that forbids storage forgets the choice; it holds until the page is left.
  }
  shortcutsStore.set(isOn);
}

/** Whether what other keyboards do by Ctrl is done by ⌘ here. */
export const isApple = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? '');

/** What stands above the page: the way to anything by its name, or the list of keys, or a form for a note on all charts. Each is loaded when it is first used. */
export type Overlay = 'palette' | 'help' | 'annotate' | null;

export const overlayStore = new Store<Overlay>(null);

export function showOverlay(overlay: Overlay): void {
  overlayStore.set(overlay);
}

/** Whether a key press belongs to something that takes text, or to the browser. */
export function isTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing)
    return true;
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  // Space presses what has the focus.
  if (event.key === ' ' && target.closest('button, a, summary')) return true;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** Calls what belongs to a single key, while shortcuts are on and nobody is writing. */
export function useShortcuts(actions: Readonly<Record<string, () => void>>): void {
  const isOn = useSyncExternalStore(shortcutsStore.subscribe, shortcutsStore.get);
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    if (!isOn) return;
    const onKey = (event: KeyboardEvent) => {
      if (isTaken(event) || document.querySelector('dialog[open]')) return;
      const act = Object.hasOwn(latest.current, event.key) ? latest.current[event.key] : undefined;
      if (!act) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [isOn]);
}
