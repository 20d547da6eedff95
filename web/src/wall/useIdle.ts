import { useEffect, useState } from 'react';

/** Whether nobody has moved a pointer or pressed a key for some time. */
export function useIdle(afterMs: number): boolean {
  const [isIdle, setIdle] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const rest = () => {
      clearTimeout(timer);
      setIdle(false);
      timer = setTimeout(() => setIdle(true), afterMs);
    };
    rest();
    const signs = ['pointermove', 'pointerdown', 'keydown', 'focusin'] as const;
    for (const sign of signs) document.addEventListener(sign, rest);
    return () => {
      clearTimeout(timer);
      for (const sign of signs) document.removeEventListener(sign, rest);
    };
  }, [afterMs]);
  return isIdle;
}
