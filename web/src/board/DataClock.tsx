import type { SeriesQuery } from '../api/paths';
import { clockTime, durationText } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { serverNow } from '../live/clock';
import { useLiveSeries, useTick } from '../live/hooks';

/** Without a new event for this long, the page says so: no news may be the news. */
const QUIET_AFTER_MS = 120_000;

interface Props {
  cube: string;
  query: SeriesQuery;
}

/** Up to which event time the figures reach. */
export function DataClock({ cube, query }: Props) {
  const { t, locale, zone } = useSpeech();
  const { document } = useLiveSeries(cube, query, 'total');
  const now = serverNow(useTick(1_000));
  if (!document) return null;
  if (document.watermark === null) return <span className="data-clock dim">{t('live.noData')}</span>;
  const age = now - document.watermark;
  const isQuiet = age > QUIET_AFTER_MS;
  return (
    <span className={isQuiet ? 'data-clock data-clock-quiet' : 'data-clock dim'} data-testid="data-clock">
      {t('live.dataTo', { time: clockTime(document.watermark, locale, zone) })}
      {isQuiet && ` · ${t('live.quiet', { duration: durationText(age, locale) })}`}
    </span>
  );
}
