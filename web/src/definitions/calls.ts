import { type QueryClient, queryOptions } from '@tanstack/react-query';
import { ApiError, getJson } from '../api/client';
import { DEFINITIONS_KEY, healing } from '../api/queries';
import type { Problem } from '../api/types';
import { answerTo } from '../api/write';

/** The folder of definitions as the server tells and takes it. */

/** Something wrong at a place in a file: of a pack's it is `pack:NAME/…`, of what was sent for one item `sent`. */
export interface Fault {
  file: string;
  line: number;
  column: number;
  reason: string;
  suggestion: string | null;
}

/** Names by the section that they stand in. */
export type Holds = Record<string, string[] | undefined>;

export interface DefinitionFile {
  file: string;
  bytes: number;
  changed_at: string | null;
  etag: string | null;
  /** Why it cannot be read or changed here, if it cannot. */
  reason: string | null;
  holds: Holds;
}

export interface Pack {
  name: string;
  holds: Holds;
  files: string[];
}

export interface Folder {
  writable: boolean;
  /** Why nothing can be written. */
  reason: string | null;
  digest: string;
  /** Whether these files are in force. */
  in_force: boolean;
  files: DefinitionFile[];
  packs: Pack[];
  /** What is wrong with the folder as it stands now. */
  faults: Fault[];
}

/** A text with the tag that a change of it has to bring along. */
export interface Tagged {
  text: string;
  etag: string | null;
}

/** What became of something written. */
export interface Saved {
  file: string;
  /** Of one item: the line of its name. */
  line?: number;
  /** Null when it is gone. */
  etag: string | null;
  digest: string;
  /** False where the reload has not come to it yet. */
  in_force: boolean;
  reason: string | null;
}

export type Section = 'monitors' | 'calendars' | 'maintenance';

/** One item of a section, and where it stands. */
export interface Item {
  section: Section;
  name: string;
  file: string | null;
  pack: string | null;
  line: number;
  yaml: string;
  etag: string;
  editable: boolean;
  reason: string | null;
}

/** What a write must find: nothing of that name, or what was read. */
export type Guard = { kind: 'new' } | { kind: 'tag'; etag: string };

const FOLDER_INTERVAL_MS = 10_000;

export const folderQuery = queryOptions({
  queryKey: [DEFINITIONS_KEY, 'folder'],
  queryFn: ({ signal }) => getJson<Folder>('/v1/definitions', signal),
  refetchInterval: (query) => healing(query) || FOLDER_INTERVAL_MS,
  retry: false,
});

/** The text of a file, as it was when it was opened: it never changes under somebody who edits it. */
export function fileQuery(place: FilePlace) {
  return queryOptions({
    queryKey: ['definition-file', place.pack, place.file],
    queryFn: ({ signal }) => readFile(place, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchInterval: healing,
    retry: false,
  });
}

/** One item; null where the folder has none of that name. */
export function itemQuery(section: Section, name: string) {
  return queryOptions({
    queryKey: [DEFINITIONS_KEY, 'item', section, name],
    queryFn: async ({ signal }): Promise<Item | null> => {
      try {
        return await getJson<Item>(itemPath(section, name), signal);
      } catch (cause) {
        if (cause instanceof ApiError && cause.status === 404) return null;
        throw cause;
      }
    },
    staleTime: 0,
    refetchInterval: healing,
    retry: false,
  });
}

/** A file of the folder, or of a pack. */
export interface FilePlace {
  pack: string | null;
  file: string;
}

function filePath({ pack, file }: FilePlace): string {
  const path = file.split('/').map(encodeURIComponent).join('/');
  return pack === null
    ? `/v1/definitions/files/${path}`
    : `/v1/definitions/packs/${encodeURIComponent(pack)}/${path}`;
}

function itemPath(section: Section, name: string): string {
  return `/v1/definitions/${section}/${encodeURIComponent(name)}`;
}

export async function readFile(place: FilePlace, signal?: AbortSignal): Promise<Tagged> {
  const init: RequestInit = { headers: { accept: 'application/yaml' }, ...(signal ? { signal } : {}) };
  const response = await answerTo(filePath(place), init);
  return { text: await response.text(), etag: response.headers.get('etag') };
}

function guardHeader(guard: Guard): Record<string, string> {
  return guard.kind === 'new' ? { 'if-none-match': '*' } : { 'if-match': guard.etag };
}

const yamlBody = { accept: 'application/json', 'content-type': 'application/yaml' };

/** Whether the folder would work with this text in the place of a file. */
export async function checkFile(file: string, text: string, signal?: AbortSignal): Promise<Fault[]> {
  const init: RequestInit = { method: 'PUT', headers: yamlBody, body: text, ...(signal ? { signal } : {}) };
  try {
    await answerTo(`${filePath({ pack: null, file })}?dry_run=true`, init);
    return [];
  } catch (cause) {
    const faults = faultsIn(cause);
    if (faults === null) throw cause;
    return faults;
  }
}

export function saveFile(file: string, text: string, guard: Guard): Promise<Saved> {
  const headers = { ...yamlBody, ...guardHeader(guard) };
  return write(filePath({ pack: null, file }), { method: 'PUT', headers, body: text });
}

export function deleteFile(file: string, etag: string): Promise<Saved> {
  const headers = { accept: 'application/json', 'if-match': etag };
  return write(filePath({ pack: null, file }), { method: 'DELETE', headers });
}

/** Saves one item; the lines around it stay as they are. */
export function saveItem(section: Section, name: string, yaml: string, guard: Guard): Promise<Saved> {
  const headers = { ...yamlBody, ...guardHeader(guard) };
  return write(itemPath(section, name), { method: 'PUT', headers, body: yaml });
}

export function deleteItem(section: Section, name: string, etag: string): Promise<Saved> {
  const headers = { accept: 'application/json', 'if-match': etag };
  return write(itemPath(section, name), { method: 'DELETE', headers });
}

async function write(path: string, init: RequestInit): Promise<Saved> {
  const response = await answerTo(path, init);
  return (await response.json()) as Saved;
}

/** What the definitions would have wrong, where that is why a call was refused. */
export function faultsIn(error: unknown): Fault[] | null {
  if (!(error instanceof ApiError) || error.status !== 422) return null;
  const { faults } = (error.problem ?? {}) as Problem & { faults?: Partial<Fault>[] };
  if (!Array.isArray(faults) || faults.length === 0) return null;
  return faults.map(({ file = '', line = 1, column = 1, reason = '', suggestion = null }) => ({
    file,
    line,
    column,
    reason,
    suggestion,
  }));
}

/** Somebody else has written meanwhile. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 412;
}

/** All that may be otherwise after the definitions have changed. */
export async function forgetOld(queries: QueryClient): Promise<void> {
  const keys = [[DEFINITIONS_KEY], ['monitors'], ['calendars'], ['data', 'status']];
  await Promise.all(keys.map((queryKey) => queries.invalidateQueries({ queryKey })));
}
