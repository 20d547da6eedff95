import { useSyncExternalStore } from 'react';

/** How many pixels the type's unit has; it grows with the window. */
export function useRemPx(): number {
  return useSyncExternalStore(subscribe, read);
}

function subscribe(tell: () => void): () => void {
  addEventListener('resize', tell);
  return () => removeEventListener('resize', tell);
}

function read(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
}
