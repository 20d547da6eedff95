const KEY = 'tillwatch.recent';
/** As many as are seen at one glance. */
export const RECENT_MAX = 6;

/** The ids of what was used last, the newest first. */
export function recentIds(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((one) => typeof one === 'string').slice(0, RECENT_MAX) : [];
  } catch {
    return [];
  }
}

export function withRecent(ids: readonly string[], id: string): string[] {
  return [id, ...ids.filter((one) => one !== id)].slice(0, RECENT_MAX);
}

export function rememberUse(id: string): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(withRecent(recentIds(), id)));
  } catch {
    // A browser that forbids storage remembers nothing.
  }
}
