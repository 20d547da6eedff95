import { previewRows } from './records';

/** So much of a file is looked at before it is sent. */
export const HEAD_BYTES = 64 << 10;
const ROWS_LOOKED_AT = 50;
const ROWS_SHOWN = 5;

export const delimiters = { comma: ',', semicolon: ';', tab: '\t', pipe: '|' } as const;
export type DelimiterName = keyof typeof delimiters;

/** Why a file is not sent: the server could not read it line by line, and how to mend that. */
export type Unfit = 'empty' | 'utf16' | 'zip' | 'gzip' | 'parquet' | 'binary' | 'json' | 'sep' | 'cr';

/** What the lines of a file are: rows of a table, or an object each. */
export type FileForm = 'csv' | 'ndjson';

/** What is seen in the first part of a file. */
export interface Look {
  form: FileForm;
  unfit: Unfit | null;
  /** What its columns seem to be separated by; null when nothing is found that all rows share. */
  found: DelimiterName | null;
  text: string;
}

/** Looks at the first bytes of a file. */
export function lookAt(head: Uint8Array, isWhole: boolean): Look {
  const text = new TextDecoder('utf-8').decode(head);
  const form = /^\s*\{/.test(text) ? 'ndjson' : 'csv';
  const found = form === 'csv' ? findDelimiter(text, isWhole) : null;
  return { form, unfit: unfitness(head, text), found, text };
}

/** The first rows, as they are cut by a delimiter. A row that is cut off at the end of the head is left out. */
export function shownRows(look: Look, delimiter: DelimiterName, isWhole: boolean): string[][] {
  const whole = isWhole ? look.text : look.text.slice(0, look.text.lastIndexOf('\n') + 1) || look.text;
  return previewRows(whole, delimiters[delimiter], ROWS_SHOWN);
}

function unfitness(head: Uint8Array, text: string): Unfit | null {
  const starts = (...bytes: number[]) => bytes.every((byte, i) => head[i] === byte);
  if (text.trim() === '') return 'empty';
  if (starts(0xff, 0xfe) || starts(0xfe, 0xff)) return 'utf16';
  if (starts(0x50, 0x4b, 3, 4)) return 'zip';
  if (starts(0x1f, 0x8b)) return 'gzip';
  if (text.startsWith('PAR1')) return 'parquet';
  if (head.includes(0)) return 'binary';
  if (/^sep=/i.test(text)) return 'sep';
  if (/^\s*\[\s*[{[\]]/.test(text)) return 'json';
  return text.trimEnd().includes('\r') && !text.includes('\n') ? 'cr' : null;
}

/** The delimiter by which most rows have the same number of cells, of several the one that makes most of them. */
function findDelimiter(text: string, isWhole: boolean): DelimiterName | null {
  let best: { name: DelimiterName; share: number; columns: number } | null = null;
  for (const name of Object.keys(delimiters) as DelimiterName[]) {
    const rows = previewRows(text, delimiters[name], ROWS_LOOKED_AT);
    // The last row may be cut off.
    if (!isWhole && rows.length > 1 && rows.length < ROWS_LOOKED_AT) rows.pop();
    const { share, columns } = agreement(rows);
    if (columns < 2 || share < 0.8) continue;
    const isAlike = best !== null && Math.abs(share - best.share) < 0.05;
    if (!best || (isAlike ? columns > best.columns : share > best.share)) best = { name, share, columns };
  }
  return best?.name ?? null;
}

/** The most frequent number of cells, and the share of rows that have it. */
function agreement(rows: readonly string[][]): { share: number; columns: number } {
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(row.length, (counts.get(row.length) ?? 0) + 1);
  let [columns, most] = [0, 0];
  for (const [length, count] of counts) if (count > most) [columns, most] = [length, count];
  return { share: rows.length > 0 ? most / rows.length : 0, columns };
}

/** How a file is to be read, where that is a choice. `auto` leaves it to the stream's definition. */
export interface CsvReading {
  delimiter: DelimiterName | 'auto';
  header: 'auto' | 'present' | 'absent';
}

const sent: Record<DelimiterName, string> = {
  comma: 'comma',
  semicolon: 'semicolon',
  tab: 'tab',
  pipe: '"|"',
};

/**
 * The content type of a part. What was found in the file is only a guess: it holds where the header has the stream's
 * names with it and not with the delimiter that the stream declares.
 */
export function contentTypeOf(
  form: FileForm,
  reading: CsvReading,
  found: DelimiterName | null,
  isRepeated: boolean,
): string {
  if (form === 'ndjson') return 'application/x-ndjson';
  const parameters = ['text/csv'];
  if (reading.delimiter !== 'auto') parameters.push(`delimiter=${sent[reading.delimiter]}`);
  else if (found) parameters.push(`guess=${sent[found]}`);
  if (reading.header !== 'auto') parameters.push(`header=${reading.header}`);
  if (isRepeated) parameters.push('first-row=repeated');
  return parameters.join('; ');
}
