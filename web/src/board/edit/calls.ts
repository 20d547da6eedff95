import { queryOptions } from '@tanstack/react-query';
import { getJson } from '../../api/client';
import { boardPath } from '../../api/paths';
import { DEFINITIONS_KEY, healing } from '../../api/queries';
import { getSeries } from '../../api/series';
import type { Board, BoardSummary } from '../../api/types';
import { answerTo } from '../../api/write';
import type { WrittenBoard } from './draft';

const VALUES_STALE_MS = 300_000;
/** As many values of a dimension as somebody looks through. */
const VALUES_MAX = 50;

/** Where a board is from: the folder of definitions, or saved by people. */
export type From = 'folder' | 'catalogue';

/** A board with what the server keeps beside it. */
export interface KeptBoard extends WrittenBoard, BoardSummary {
  title: BoardSummary['title'];
  from?: From;
  /** Of a saved board; it goes up by one with each save. */
  version?: number | null;
  changed_at?: string | null;
}

export interface ListedBoard extends BoardSummary {
  from?: From;
  changed_at?: string | null;
}

/** A server that says nothing of where its boards are from has them in its folder alone. */
export function isSaved(board: { from?: From | undefined }): boolean {
  return board.from === 'catalogue';
}

/** A board that was saved, as the page of it takes it: the answer to a PUT is the one to a GET. */
export function shownBoard(kept: KeptBoard): Board {
  return kept as unknown as Board;
}

/** What a save must find: nothing of that name, or the version that was read. */
export type Guard = { kind: 'new' } | { kind: 'version'; version: number };

function guardHeader(guard: Guard): Record<string, string> {
  return guard.kind === 'new' ? { 'if-none-match': '*' } : { 'if-match': `"${guard.version}"` };
}

/** Saves a board; what comes back is how it is kept. */
export async function saveBoard(name: string, board: WrittenBoard, guard: Guard): Promise<KeptBoard> {
  const response = await answerTo(boardPath(name), {
    method: 'PUT',
    headers: { accept: 'application/json', 'content-type': 'application/json', ...guardHeader(guard) },
    body: JSON.stringify(board),
  });
  return (await response.json()) as KeptBoard;
}

/** Saves a board from a file; the server reads it as it reads its folder. */
export async function importBoard(name: string, yaml: string): Promise<KeptBoard> {
  const headers = {
    accept: 'application/json',
    'content-type': 'application/yaml',
    ...guardHeader({ kind: 'new' }),
  };
  const body = renamedYaml(yaml, name);
  const response = await answerTo(boardPath(name), { method: 'PUT', headers, body });
  return (await response.json()) as KeptBoard;
}

/** Deletes a saved board, if it is still the one that was seen. */
export async function deleteBoard(name: string, version: number | null): Promise<void> {
  const headers = version === null ? {} : guardHeader({ kind: 'version', version });
  await answerTo(boardPath(name), { method: 'DELETE', headers });
}

/** The board as a file for the folder of definitions. */
export async function boardYaml(name: string, from: From | null, signal?: AbortSignal): Promise<string> {
  const init: RequestInit = { headers: { accept: 'application/yaml' }, ...(signal ? { signal } : {}) };
  return (await answerTo(placePath(name, from), init)).text();
}

/** Where the folder and the catalogue both have the name, the folder's is meant unless told otherwise. */
function placePath(name: string, from: From | null): string {
  return from === null ? boardPath(name) : `${boardPath(name)}?from=${from}`;
}

/** The board as it is now; what the page has in its memory may be a minute old. */
export async function readBoard(
  name: string,
  from: From | null = null,
  signal?: AbortSignal,
): Promise<KeptBoard> {
  const init: RequestInit = { headers: { accept: 'application/json' }, ...(signal ? { signal } : {}) };
  return (await (await answerTo(placePath(name, from), init)).json()) as KeptBoard;
}

/** Saved boards that one of the folder hides by its name. */
export const hiddenBoardsQuery = queryOptions({
  queryKey: [DEFINITIONS_KEY, 'boards', 'hidden'],
  queryFn: async ({ signal }) =>
    (await getJson<{ shadowed?: ListedBoard[] }>('/v1/boards', signal)).shadowed ?? [],
  staleTime: 0,
  retry: false,
});

/** The board that is edited: asked for when the form is opened, and never changed under it. */
export function editedBoardQuery(name: string) {
  return queryOptions({
    queryKey: ['edited-board', name],
    queryFn: ({ signal }) => readBoard(name, null, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchInterval: healing,
    retry: false,
  });
}

export function yamlQuery(name: string, from: From | null) {
  return queryOptions({
    queryKey: [DEFINITIONS_KEY, 'yaml', name, from],
    queryFn: ({ signal }) => boardYaml(name, from, signal),
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
}

/** The values that a dimension had on the last day, the largest first. */
export function valuesQuery(metric: string, dimension: string) {
  return queryOptions({
    queryKey: ['dimension-values', metric, dimension],
    queryFn: async ({ signal }) => {
      const question = { metric, from: '-1d', to: 'now', step: '1d', by: [dimension], where: {} };
      const { series } = await getSeries({ ...question, limit: VALUES_MAX }, 'past', signal);
      return series.flatMap(({ by }) => {
        const value = by[dimension];
        return value && value !== '__other__' ? [value] : [];
      });
    },
    staleTime: VALUES_STALE_MS,
    retry: false,
  });
}

const NAME_IN_BLOCK =
  /^boards:[ \t]*(?:#.*)?\r?\n(?:[ \t]*(?:#.*)?\r?\n)*[ \t]+["']?([A-Za-z_]\w*)["']?[ \t]*:/dm;
const NAME_IN_FLOW = /^\{?\s*["']?boards["']?:\s*\{\s*["']?([A-Za-z_]\w*)["']?\s*:/dm;

function ownName(yaml: string): RegExpExecArray | null {
  return NAME_IN_BLOCK.exec(yaml) ?? NAME_IN_FLOW.exec(yaml);
}

/** The name that a file gives its board, where it gives one: `boards: {name: …}` in either style. */
export function nameInYaml(yaml: string): string {
  return ownName(yaml)?.[1] ?? '';
}

/** The same file with another name for its board: the server wants that of the address. */
export function renamedYaml(yaml: string, name: string): string {
  const [from, to] = ownName(yaml)?.indices?.[1] ?? [];
  return from === undefined || to === undefined ? yaml : yaml.slice(0, from) + name + yaml.slice(to);
}
