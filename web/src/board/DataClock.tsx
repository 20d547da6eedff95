import { useQuery } from '@tanstack/react-query';
import { statusQuery } from '../api/queries';
import { clockTime, durationText } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { serverNow } from '../live/clock';
import { useTick, useWatermarks } from '../live/hooks';
import { lastEventMs } from './lastEvent';

/** Without a new event for this long, the page says so: no news may be the news. */
const QUIET_AFTER_MS = 120_000;
/** How long a stream waits for stragglers changes with its definition only. */
const STATUS_INTERVAL_MS = 60_000;
const STATUS_RETRY_MS = 5_000;

interface Props {
  /** All cubes that the board shows. */
  cubes: ReadonlySet<string>;
}

/** The time of the newest event among all that the board shows. */
export function DataClock({ cubes }: Props) {
  const { t, locale, zone } = useSpeech();
  const all = useWatermarks();
  const known = [...all].filter(([cube]) => cubes.has(cube)).map(([, watermark]) => watermark);
  const watermarks = known.filter((watermark) => watermark !== null);
  const status = useQuery({
    ...statusQuery,
    enabled: watermarks.length > 0,
    refetchInterval: ({ state }) => (state.data ? STATUS_INTERVAL_MS : STATUS_RETRY_MS),
  });
  const now = serverNow(useTick(1_000));
  if (known.length === 0) return null;
  const newest = lastEventMs(watermarks, status.data?.streams ?? [], now);
  if (newest === null) return <span className="data-clock dim">{t('live.noData')}</span>;
  // Until the wait is known, the watermark would tell of a silence that is none.
  if (!status.data) return null;
  const age = now - newest;
  const isQuiet = age > QUIET_AFTER_MS;
  return (
    <span className={isQuiet ? 'data-clock data-clock-quiet' : 'data-clock dim'} data-testid="data-clock">
      {t('live.dataTo', { time: clockTime(newest, locale, zone) })}
      {isQuiet && ` · ${t('live.quiet', { duration: durationText(age, locale) })}`}
    </span>
  );
}
