import { clockTime, durationText } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { serverNow } from '../live/clock';
import { useTick } from '../live/hooks';
import { useNewestEvent } from './useNewestEvent';

/** Without a new event for this long, the page says so: no news may be the news. */
export const QUIET_AFTER_MS = 120_000;

interface Props {
  /** All cubes that the board shows. */
  cubes: ReadonlySet<string>;
}

/** The time of the newest event among all that the board shows. */
export function DataClock({ cubes }: Props) {
  const { t, locale, zone } = useSpeech();
  const now = serverNow(useTick(1_000));
  const found = useNewestEvent(cubes, now);
  if (found.kind === 'none') return <span className="data-clock dim">{t('live.noData')}</span>;
  if (found.kind === 'unknown') return null;
  const newest = found.atMs;
  const age = now - newest;
  const isQuiet = age > QUIET_AFTER_MS;
  return (
    <span className={isQuiet ? 'data-clock data-clock-quiet' : 'data-clock dim'} data-testid="data-clock">
      {t('live.dataTo', { time: clockTime(newest, locale, zone) })}
      {isQuiet && ` · ${t('live.quiet', { duration: durationText(age, locale) })}`}
    </span>
  );
}
