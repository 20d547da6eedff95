import { useEffect, useState } from 'react';
import { useSpeech } from '../../i18n/hooks';
import { durationOf } from './took';

/** How long the present run has taken so far; it ticks by itself, so that nothing else is drawn for it. */
export function RunningTime({ sinceMs }: { sinceMs: number }) {
  const { locale } = useSpeech();
  const [now, setNow] = useState(sinceMs);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 100);
    return () => clearInterval(timer);
  }, []);
  return (
    <span className="sql-ticking" aria-hidden="true">
      {durationOf(Math.max(0, now - sinceMs), locale)}
    </span>
  );
}
