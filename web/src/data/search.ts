export const tabs = ['streams', 'quarantine', 'upload', 'definitions', 'storage', 'system'] as const;
export type Tab = (typeof tabs)[number];

/** What the address says of this page. */
export interface DataSearch {
  tab: Tab;
  stream: string | null;
  /** The kind of reason that the quarantine is narrowed to. */
  reason: string | null;
  /** Whether an upload makes a stream of the file; null leaves it to whether there is any stream. */
  way: Way | null;
  /** The file of definitions that is looked at, and the pack that it is of. */
  file: string | null;
  pack: string | null;
}

export const ways = ['new', 'existing'] as const;
export type Way = (typeof ways)[number];

/** Longer than any name of a stream or kind of reason; what is longer comes from nobody who uses the page. */
const TEXT_MAX = 300;

/** Reads untrusted parameters: what is not understood is dropped. */
export function readDataSearch(raw: Record<string, unknown>): DataSearch {
  const tab = tabs.find((one) => one === raw.tab) ?? 'streams';
  const isFiles = tab === 'definitions';
  return {
    tab,
    stream: text(raw.stream),
    reason: tab === 'quarantine' ? text(raw.reason) : null,
    way: (tab === 'upload' && ways.find((one) => one === raw.way)) || null,
    file: isFiles ? text(raw.file) : null,
    pack: isFiles ? text(raw.pack) : null,
  };
}

/** The shortest address that says the same. */
export function writeDataSearch(search: Partial<DataSearch>): Record<string, string> {
  const written: Record<string, string> = {};
  if (search.tab && search.tab !== 'streams') written.tab = search.tab;
  if (search.stream) written.stream = search.stream;
  if (search.reason && search.tab === 'quarantine') written.reason = search.reason;
  if (search.way && search.tab === 'upload') written.way = search.way;
  if (search.tab === 'definitions') {
    if (search.file) written.file = search.file;
    if (search.pack) written.pack = search.pack;
  }
  return written;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && value.length <= TEXT_MAX ? value : null;
}
