import type { CSSProperties } from 'react';
import { byCause } from '../board/cause';
import { QUIET_AFTER_MS } from '../board/DataClock';
import { useNewestEvent } from '../board/useNewestEvent';
import { clockTime, dayName, durationText } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { serverNow } from '../live/clock';
import { useIncidents, useTick } from '../live/hooks';
import { HealthBadge } from '../shell/HealthBadge';
import { Logo } from '../shell/icons';
import { wallTexts } from './texts';

interface Props {
  title: string;
  cubes: ReadonlySet<string>;
  /** Which of how many pages is shown. */
  at: number;
  count: number;
  everyMs: number;
  isPaused: boolean;
  /** Another one for each page, so that the bar begins anew. */
  pageKey: string;
  onPause: () => void;
  onTurn: (by: number) => void;
  onFullScreen: () => void;
  onLeave: () => void;
}

/** What is always to be seen: which board it is, how late it is, and how old the figures are. */
export function WallHead(props: Props) {
  const { title, cubes, at, count, everyMs, isPaused, pageKey, onPause, onTurn, onFullScreen, onLeave } =
    props;
  const t = wallTexts.use();
  const { t: say, locale, zone } = useSpeech();
  const now = serverNow(useTick(1_000));
  const { incidents, loaded } = useIncidents();
  // As the list counts them: those of one cause are one.
  const open = byCause(incidents).leaders.filter(({ state }) => state !== 'resolved');
  const worst = (['critical', 'warning', 'info'] as const).find((one) =>
    open.some(({ severity }) => severity === one),
  );
  return (
    <header className="wall-head">
      <Logo />
      <h1>{title}</h1>
      {count > 1 && (
        <span className="wall-at dim" data-testid="wall-at">
          {t('at', { at: at + 1, count })}
        </span>
      )}
      {isPaused && <span className="wall-paused">{t('paused')}</span>}
      <div className="wall-controls">
        {count > 1 && (
          <>
            <button type="button" className="button" onClick={() => onTurn(-1)} aria-label={t('previous')}>
              ←
            </button>
            <button type="button" className="button" aria-pressed={isPaused} onClick={onPause}>
              {t(isPaused ? 'go' : 'pause')}
            </button>
            <button type="button" className="button" onClick={() => onTurn(1)} aria-label={t('next')}>
              →
            </button>
          </>
        )}
        <button type="button" className="button" onClick={onFullScreen}>
          {t('full')}
        </button>
        <button type="button" className="button" onClick={onLeave} data-testid="leave-wall">
          {t('leave')}
        </button>
      </div>
      {loaded && (
        <span className="count" data-severity={worst ?? 'none'} data-testid="wall-incidents">
          {say('incidents.open', { count: open.length })}
        </span>
      )}
      <HealthBadge />
      <DataAge cubes={cubes} nowMs={now} />
      <time className="wall-clock" data-testid="wall-clock" dateTime={new Date(now).toISOString()}>
        <span className="wall-day">{dayName(now, locale, zone)}</span> {clockTime(now, locale, zone)}
      </time>
      {count > 1 && (
        <span
          key={pageKey}
          className="wall-progress"
          data-paused={isPaused || undefined}
          style={{ '--every': `${everyMs}ms` } as CSSProperties}
        />
      )}
    </header>
  );
}

function DataAge({ cubes, nowMs }: { cubes: ReadonlySet<string>; nowMs: number }) {
  const t = wallTexts.use();
  const { locale } = useSpeech();
  const newest = useNewestEvent(cubes, nowMs);
  const age = newest.kind === 'at' ? Math.max(0, nowMs - newest.atMs) : null;
  const isQuiet = age !== null && age > QUIET_AFTER_MS;
  return (
    <span
      className={isQuiet ? 'data-clock data-clock-quiet' : 'data-clock dim'}
      data-testid="wall-age"
      data-age={age ?? ''}
    >
      {age !== null && t('age', { duration: durationText(age, locale) })}
      {newest.kind === 'none' && t('age.none')}
      {newest.kind === 'unknown' && t('age.unknown')}
    </span>
  );
}
