import { answerTo } from '../../api/write';
import type { WrittenBoard } from '../../board/edit/draft';
import type { FileForm } from '../csv/look';
import { cutRows, LF } from '../csv/records';

/** So much of a file is looked at by the server; less than it takes, and enough to see what repeats. */
export const SAMPLE_BYTES = 2 << 20;
/** The sample is decoded several times. */
const PROPOSE_TIMEOUT_MS = 60_000;

export interface ProposedField {
  name: string;
  /** The column or key it is read from, where that has another name. */
  from?: string | null;
  type: string;
  optional?: boolean;
  /** As the server shows them: card numbers masked. */
  examples?: (string | number | boolean | null)[];
}

/** What the server makes of the beginning of a file. */
export interface Proposal {
  stream: string;
  format: string;
  lines: number;
  rejected: number;
  /** The first of them, each with its line and reason in words. */
  rejections: string[];
  /** Whether all that was sent was looked at. */
  whole: boolean;
  yaml: string;
  fields: ProposedField[];
  /** The field that tells events apart. */
  id: string | null;
  time: string | null;
  /** What was not taken over, and why. */
  left_out: string[];
  board: { name: string; board: WrittenBoard } | null;
}

export type Role = 'id' | 'time' | 'amount' | 'currency';

/** What a field is to the stream: what the server says, and what its type gives away. */
export function rolesOf(field: ProposedField, { id, time }: Pick<Proposal, 'id' | 'time'>): Role[] {
  const roles: Role[] = [];
  if (field.name === id) roles.push('id');
  if (field.name === time) roles.push('time');
  if (/^(decimal|money|amount)\b/.test(field.type)) roles.push('amount');
  if (/^currency\b/.test(field.type) || /(^|_)currency($|_)/.test(field.name)) roles.push('currency');
  return roles;
}

const NAME_IN_STREAMS =
  /^streams:[ \t]*(?:#.*)?\r?\n(?:[ \t]*(?:#.*)?\r?\n)*[ \t]+["']?([A-Za-z_]\w*)["']?[ \t]*:/m;

/** The first stream that a text defines, in block style; what somebody renamed by hand is followed. */
export function streamIn(yaml: string): string | null {
  return NAME_IN_STREAMS.exec(yaml)?.[1] ?? null;
}

/** The beginning of a file up to the end of a row: half a row would look like a faulty one. */
export async function sampleOf(
  file: Blob,
  form: FileForm,
  delimiter: string,
  bytes = SAMPLE_BYTES,
): Promise<Uint8Array<ArrayBuffer>> {
  const head = new Uint8Array(await file.slice(0, bytes).arrayBuffer());
  if (file.size <= bytes) return head;
  const end = form === 'csv' ? cutRows(head, delimiter.charCodeAt(0), false) : head.lastIndexOf(LF) + 1;
  return head.subarray(0, end || head.length);
}

/** Asks the server what it would make of a file. */
export async function propose(
  sample: Uint8Array<ArrayBuffer>,
  form: FileForm,
  fileName: string,
  stream: string | null,
  isWhole: boolean,
): Promise<Proposal> {
  const search = new URLSearchParams({
    file_name: fileName,
    whole: String(isWhole),
    ...(stream === null ? {} : { stream }),
  });
  const headers = {
    accept: 'application/json',
    'content-type': form === 'csv' ? 'text/csv' : 'application/x-ndjson',
  };
  const init = { method: 'POST', headers, body: sample };
  const response = await answerTo(`/v1/propose?${search}`, init, PROPOSE_TIMEOUT_MS);
  return (await response.json()) as Proposal;
}
