export const tabs = ['streams', 'quarantine', 'upload', 'storage', 'system'] as const;
export type Tab = (typeof tabs)[number];

/** What the address says of this page. */
export interface DataSearch {
  tab: Tab;
  stream: string | null;
  /** The kind of reason that the quarantine is narrowed to. */
  reason: string | null;
}

/** Longer than any name of a stream or kind of reason; what is longer comes from nobody who uses the page. */
const TEXT_MAX = 300;

/** Reads untrusted parameters: what is not understood is dropped. */
export function readDataSearch(raw: Record<string, unknown>): DataSearch {
  const tab = tabs.find((one) => one === raw.tab) ?? 'streams';
  return { tab, stream: text(raw.stream), reason: tab === 'quarantine' ? text(raw.reason) : null };
}

/** The shortest address that says the same. */
export function writeDataSearch(search: Partial<DataSearch>): Record<string, string> {
  const written: Record<string, string> = {};
  if (search.tab && search.tab !== 'streams') written.tab = search.tab;
  if (search.stream) written.stream = search.stream;
  if (search.reason && search.tab === 'quarantine') written.reason = search.reason;
  return written;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && value.length <= TEXT_MAX ? value : null;
}
