import { useEffect } from 'react';

/** Keeps the screen from going dark, where the browser has a way to ask for it. It gives it up in a hidden tab by itself. */
export function useScreenAwake(): void {
  useEffect(() => {
    if (!('wakeLock' in navigator)) return;
    let lock: WakeLockSentinel | null = null;
    let isGone = false;
    const ask = async () => {
      if (document.hidden || isGone) return;
      try {
        const got = await navigator.wakeLock.request('screen');
        if (isGone) await got.release();
        else lock = got;
      } catch {
        // A low battery or a policy refuses it; the wall goes on, and is asked for again when it is next seen.
      }
    };
    const onVisibility = () => void ask();
    void ask();
    document.addEventListener('visibilitychange', onVisibility);
    return () => {
      isGone = true;
      document.removeEventListener('visibilitychange', onVisibility);
      void lock?.release();
    };
  }, []);
}
