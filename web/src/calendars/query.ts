import { queryOptions } from '@tanstack/react-query';
import { getJson } from '../api/client';
import { healing } from '../api/queries';
import type { Calendars } from './types';

/** Windows begin and end by the clock: the page follows without a stream of its own. */
const CALENDARS_INTERVAL_MS = 15_000;

export const calendarsQuery = queryOptions({
  queryKey: ['calendars'],
  queryFn: ({ signal }) => getJson<Calendars>('/v1/calendars', signal),
  refetchInterval: (query) => healing(query) || CALENDARS_INTERVAL_MS,
  retry: false,
});
