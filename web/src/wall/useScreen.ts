import { type RefObject, useEffect, useState } from 'react';
import type { Screen } from './layout';

/** How large the room for the pages is, in steps in which a layout can change at all. */
export function useScreen(room: RefObject<HTMLElement | null>): Screen | null {
  const [screen, setScreen] = useState<Screen | null>(null);
  useEffect(() => {
    const element = room.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      const remPx = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
      const next = { widthPx: element.clientWidth, heightPx: element.clientHeight, remPx };
      if (next.widthPx === 0 || next.heightPx === 0) return;
      setScreen((old) => {
        const isSame =
          old?.widthPx === next.widthPx && old.heightPx === next.heightPx && old.remPx === next.remPx;
        return isSame ? old : next;
      });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [room]);
  return screen;
}
