import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ALL, counterHistory } from './counters';
import type { View } from './DataPage';
import { Course, ToneIcon } from './parts';
import { writeDataSearch } from './search';
import { checksOf, worst } from './signs';

/** The few figures that say at a glance whether all is well. */
export function Overview({ snapshot, say, nowMs, isStale }: View) {
  const { t } = say;
  const { status, atMs } = snapshot;
  const told = status.streams.reduce((sum, { rate_per_s }) => sum + rate_per_s, 0);
  const rate = counterHistory.rate(ALL) ?? told;
  const rejected = status.streams.reduce((sum, stream) => sum + stream.rejected, 0);
  const newly = counterHistory.grown(ALL, 'rejected');
  const newest = status.streams.reduce<string | null>((latest, { last_event_at }) => {
    if (last_event_at === null) return latest;
    return latest === null || Date.parse(last_event_at) > Date.parse(latest) ? last_event_at : latest;
  }, null);
  const checks = checksOf(status);
  const tone = isStale ? 'warning' : worst(checks.map((check) => check.tone));
  const amiss = checks.filter((check) => check.tone === 'bad' || check.tone === 'warning').length;
  const watchedMs = Math.round(counterHistory.watchedMs(ALL) / 1_000) * 1_000;
  const total = say.count(rejected);
  return (
    <div className="data-tiles">
      <Tile id="rate" title={t('tile.rate')} value={say.rate(rate)} hint={t('tile.rate.hint')}>
        <div className="data-tile-course">
          <Course of={ALL} atMs={atMs} />
        </div>
      </Tile>
      <Tile
        id="newest"
        title={t('tile.newest')}
        value={newest ? say.ago(newest, nowMs) : t('none')}
        hint={newest ? say.exact(newest) : t('tile.newest.hint')}
      />
      <Tile
        id="rejected"
        title={t('tile.rejected')}
        value={say.count(newly)}
        hint={
          watchedMs > 0
            ? t('tile.rejected.hint', { span: say.span(watchedMs), total })
            : t('tile.rejected.total', { total })
        }
        tone={newly > 0 ? 'warning' : undefined}
        to={writeDataSearch({ tab: 'quarantine' })}
      />
      <Tile
        id="memory"
        title={t('tile.memory')}
        value={say.bytes(status.memory.bytes)}
        hint={t('tile.memory.hint', { max: say.bytes(status.memory.bytes_max) })}
        to={writeDataSearch({ tab: 'storage' })}
      />
      <Tile
        id="checks"
        title={t('tile.checks')}
        value={
          <>
            <ToneIcon tone={tone} />
            {isStale
              ? t('tile.checks.unknown')
              : amiss === 0
                ? t('tile.checks.good')
                : t('tile.checks.some', { count: amiss })}
          </>
        }
        hint={t('tile.checks.hint', { span: say.span(nowMs - Date.parse(status.started_at)) })}
        tone={tone}
        to={writeDataSearch({ tab: 'system' })}
      />
    </div>
  );
}

interface TileProps {
  id: string;
  title: string;
  value: ReactNode;
  hint: string;
  tone?: string | undefined;
  /** Where it says more. */
  to?: Record<string, string>;
  children?: ReactNode;
}

function Tile({ id, title, value, hint, tone, to, children }: TileProps) {
  const inside = (
    <>
      <span className="data-tile-title">{title}</span>
      <span className="data-tile-value">{value}</span>
      <span className="data-tile-hint">{hint}</span>
      {children}
    </>
  );
  const common = { className: 'panel data-tile', 'data-testid': `tile-${id}`, 'data-tone': tone };
  return to ? (
    <Link to="/data" search={to} activeOptions={{ exact: true }} {...common}>
      {inside}
    </Link>
  ) : (
    <div {...common}>{inside}</div>
  );
}
