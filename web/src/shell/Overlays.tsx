import { lazy, Suspense, useEffect, useSyncExternalStore } from 'react';
import { isApple, overlayStore, showOverlay, useShortcuts } from './shortcuts';

const Palette = lazy(async () => ({ default: (await import('../palette/Palette')).Palette }));
const ShortcutHelp = lazy(async () => ({ default: (await import('../palette/ShortcutHelp')).ShortcutHelp }));
const AnnotationDialog = lazy(async () => ({
  default: (await import('../annotations/AnnotationDialog')).AnnotationDialog,
}));

/** What opens above every page by a key. */
export function Overlays() {
  const overlay = useSyncExternalStore(overlayStore.subscribe, overlayStore.get);
  useShortcuts({ '?': () => showOverlay('help') });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isCalled = isApple ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
      if (!isCalled || event.altKey || event.shiftKey || event.key.toLowerCase() !== 'k') return;
      // The browser would search the web.
      event.preventDefault();
      // A question that waits for its answer is not covered by another one.
      const other = document.querySelector('dialog[open]:not([data-testid=palette])');
      if (!other) showOverlay(overlayStore.get() === 'palette' ? null : 'palette');
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  const close = () => showOverlay(null);
  return (
    <Suspense>
      {overlay === 'palette' && <Palette onClose={close} />}
      {overlay === 'help' && <ShortcutHelp onClose={close} />}
      {overlay === 'annotate' && <AnnotationDialog onClose={close} />}
    </Suspense>
  );
}
