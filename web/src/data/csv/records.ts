/** Where the rows of a CSV file end, by the same rule as the server: a quote at the start of a cell opens quoted text. */

const QUOTE = 0x22;
export const LF = 0x0a;
const CR = 0x0d;
/** A row goes on over line ends within quotes for so many bytes; then it is one line that the server rejects. */
export const ROW_BYTES_MAX = 1 << 20;

/**
 * The bytes that the whole rows at the start of `data` take. With `isLast` nothing comes behind `data`, and what is left
 * is a row too.
 */
export function cutRows(
  data: Uint8Array,
  delimiter: number,
  isLast: boolean,
  rowBytesMax = ROW_BYTES_MAX,
): number {
  if (isLast) return data.length;
  // Without quotes every line end is the end of a row.
  if (data.indexOf(QUOTE) < 0) return data.lastIndexOf(LF) + 1;
  let end = 0;
  for (;;) {
    const next = rowEnd(data, end, delimiter, false, rowBytesMax);
    if (next === null || next === end) return end;
    end = next;
  }
}

/** The end of the row that begins at `start`; null when it lies behind `data`. */
export function rowEnd(
  data: Uint8Array,
  start: number,
  delimiter: number,
  isLast: boolean,
  rowBytesMax = ROW_BYTES_MAX,
): number | null {
  let isQuoted = false;
  let isCellStart = true;
  let at = start;
  for (; at < data.length; at += 1) {
    const byte = data[at];
    if (isQuoted) {
      if (at - start > rowBytesMax) return lineEnd(data, start);
      if (byte !== QUOTE) continue;
      // A doubled quote is one within the text.
      if (data[at + 1] === QUOTE) at += 1;
      else isQuoted = false;
      isCellStart = false;
    } else if (byte === QUOTE && isCellStart) isQuoted = true;
    else if (byte === LF) return at + 1;
    else isCellStart = byte === delimiter || byte === CR;
  }
  if (!isLast) return data.length - start > rowBytesMax ? lineEnd(data, start) : null;
  return isQuoted ? lineEnd(data, start) : data.length;
}

function lineEnd(data: Uint8Array, start: number): number {
  const end = data.indexOf(LF, start);
  return end < 0 ? data.length : end + 1;
}

/** How many lines end in `data`. */
export function countLines(data: Uint8Array): number {
  let lines = 0;
  for (let at = data.indexOf(LF); at >= 0; at = data.indexOf(LF, at + 1)) lines += 1;
  return lines;
}

/** The first row that is not blank, with blank lines above it; null when the file is blank or the row is too long. */
export function firstRow(data: Uint8Array, delimiter: number, isLast: boolean): number | null {
  let start = 0;
  while (data[start] === LF || data[start] === CR) start += 1;
  if (start >= data.length) return null;
  return rowEnd(data, start, delimiter, isLast);
}

/** The cells of the first rows of some text, for a look at it. */
export function previewRows(text: string, delimiter: string, rowsMax: number): string[][] {
  const rows: string[][] = [];
  let cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  const endCell = () => {
    cells.push(cell);
    cell = '';
  };
  const endRow = () => {
    endCell();
    if (cells.length > 1 || cells[0] !== '') rows.push(cells);
    cells = [];
  };
  for (let at = 0; at < text.length && rows.length < rowsMax; at += 1) {
    const letter = text[at];
    if (isQuoted) {
      if (letter !== '"') cell += letter;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else isQuoted = false;
    } else if (letter === '"' && cell === '') isQuoted = true;
    else if (letter === delimiter) endCell();
    else if (letter === '\n') endRow();
    else if (letter !== '\r') cell += letter;
  }
  if (rows.length < rowsMax && (cell !== '' || cells.length > 0)) endRow();
  return rows;
}
