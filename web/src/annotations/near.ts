import type { Annotation } from './types';

/** More marks than this on one chart cannot be told apart. */
export const MARKS_MAX = 30;
/** What began this long before an incident may be why. */
export const BEFORE_MS = 60 * 60_000;

type Values = string | null | readonly (string | null)[];

/** Whether an annotation of a slice may be about what these filters pick: no dimension that both name has only other values. */
export function isAbout(annotation: Annotation, filters: Readonly<Record<string, Values>>): boolean {
  return Object.entries(annotation.where).every(([dimension, value]) => {
    const wanted = filters[dimension];
    if (wanted === undefined) return true;
    const values = Array.isArray(wanted) ? (wanted as readonly (string | null)[]) : [wanted as string | null];
    return values.some((one) => (one ?? '') === (value ?? ''));
  });
}

export interface Mark {
  annotation: Annotation;
  startMs: number;
  endMs: number;
}

/** The latest annotations within a window that may be about what is looked at, the first of them first. */
export function marksFor(
  annotations: readonly Annotation[],
  filters: Readonly<Record<string, Values>>,
  fromMs: number,
  toMs: number,
): Mark[] {
  return annotations
    .filter((annotation) => isAbout(annotation, filters))
    .map((annotation) => {
      const startMs = Date.parse(annotation.at);
      return { annotation, startMs, endMs: annotation.until ? Date.parse(annotation.until) : startMs };
    })
    .filter(({ startMs, endMs }) => startMs <= toMs && endMs >= fromMs)
    .slice(-MARKS_MAX);
}

/** Marks that stand closer than this are one to press. */
export const APART_PX = 24;

/** Marks that would stand on each other, together, each lot with the place of its first. */
export function together(
  marks: readonly Mark[],
  toPx: (atMs: number) => number,
): { leftPx: number; marks: Mark[] }[] {
  const lots: { leftPx: number; marks: Mark[] }[] = [];
  const placed = marks.map((mark) => ({ mark, leftPx: toPx(mark.startMs) }));
  for (const { mark, leftPx } of placed.sort((a, b) => a.leftPx - b.leftPx)) {
    const last = lots.at(-1);
    if (last && leftPx - last.leftPx < APART_PX) last.marks.push(mark);
    else lots.push({ leftPx, marks: [mark] });
  }
  return lots;
}

/** What was noted from an hour before an incident began until it was over, the nearest before its beginning first. */
export function aroundIncident(
  annotations: readonly Annotation[],
  incident: {
    slice: Readonly<Record<string, string | null>>;
    started_at: string;
    resolved_at: string | null;
  },
  nowMs: number,
): Mark[] {
  const startedMs = Date.parse(incident.started_at);
  const endMs = incident.resolved_at === null ? nowMs : Date.parse(incident.resolved_at);
  const marks = marksFor(annotations, incident.slice, startedMs - BEFORE_MS, endMs);
  const distance = ({ startMs }: Mark) =>
    startMs <= startedMs ? startedMs - startMs : BEFORE_MS + startMs - startedMs;
  return marks.sort((a, b) => distance(a) - distance(b));
}

const HOUR_MS = 3_600_000;

/** The stretch to ask for: whole hours, so that all charts of a board ask the same, and a moving window seldom asks anew. */
export function askedHours(fromMs: number, toMs: number): { from: string; to: string } {
  const from = Math.floor(fromMs / HOUR_MS) * HOUR_MS;
  const to = (Math.floor(toMs / HOUR_MS) + 1) * HOUR_MS;
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}
