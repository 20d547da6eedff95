import { useQuery } from '@tanstack/react-query';
import { statusQuery } from '../api/queries';
import { useWatermarks } from '../live/hooks';
import { lastEventMs } from './lastEvent';

/** How long a stream waits for stragglers changes with its definition only. */
const STATUS_INTERVAL_MS = 60_000;
const STATUS_RETRY_MS = 5_000;

/** What is known of the newest event: not yet anything, that there has been none, or when it was. */
export type NewestEvent = { kind: 'unknown' } | { kind: 'none' } | { kind: 'at'; atMs: number };

/** The time of the newest event among some cubes that somebody looks at. */
export function useNewestEvent(cubes: ReadonlySet<string>, nowMs: number): NewestEvent {
  const all = useWatermarks();
  const known = [...all].filter(([cube]) => cubes.has(cube)).map(([, watermark]) => watermark);
  const watermarks = known.filter((watermark) => watermark !== null);
  const status = useQuery({
    ...statusQuery,
    enabled: watermarks.length > 0,
    refetchInterval: ({ state }) => (state.data ? STATUS_INTERVAL_MS : STATUS_RETRY_MS),
  });
  if (known.length === 0) return { kind: 'unknown' };
  const newest = lastEventMs(watermarks, status.data?.streams ?? [], nowMs);
  if (newest === null) return { kind: 'none' };
  // Until the wait is known, the watermark would tell of a silence that is none.
  return status.data ? { kind: 'at', atMs: newest } : { kind: 'unknown' };
}
