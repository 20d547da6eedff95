import { queryOptions, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { getJson } from '../api/client';
import { healing } from '../api/queries';
import { askedHours, type Mark, marksFor } from './near';
import type { Annotation } from './types';

/** Invalidate it when one was written or removed. */
export const ANNOTATIONS_KEY = 'annotations';
const STALE_MS = 15_000;
const LIMIT = 500;

/** The annotations of a stretch of time. A server that does not tell them has none. */
export function annotationsQuery(fromMs: number, toMs: number) {
  const asked = new URLSearchParams({ ...askedHours(fromMs, toMs), limit: String(LIMIT) });
  return queryOptions({
    queryKey: [ANNOTATIONS_KEY, asked.toString()],
    queryFn: async ({ signal }) =>
      (await getJson<{ annotations: Annotation[] }>(`/v1/annotations?${asked}`, signal)).annotations,
    staleTime: STALE_MS,
    refetchInterval: (query) => healing(query) || STALE_MS,
    retry: false,
  });
}

const NONE: readonly Annotation[] = [];

/** The annotations that a chart over a window marks. */
export function useMarks(
  filters: Readonly<Record<string, string | null | readonly (string | null)[]>>,
  fromMs: number,
  toMs: number,
): Mark[] {
  const { data = NONE } = useQuery(annotationsQuery(fromMs, toMs));
  return useMemo(() => marksFor(data, filters, fromMs, toMs), [data, filters, fromMs, toMs]);
}
