import type { FileForm } from './look';
import { countLines, cutRows, firstRow, LF, ROW_BYTES_MAX } from './records';

/** Small enough to be sent within a minute over a poor line, and larger than any row. */
export const PART_BYTES = 2 << 20;

/** A stretch of whole rows of a file. */
export interface FilePart {
  /** Where it begins and ends in the file. */
  from: number;
  to: number;
  /** Its rows; for all but the first one below the first row of the file. */
  body: Uint8Array<ArrayBuffer>;
  /** Whether the first row of the file stands above them again. */
  isRepeated: boolean;
  /** By how much a line of the file has a higher number than the same line of `body`. */
  linesAbove: number;
}

/** Cuts a file into parts at the ends of rows. Parts are read one after the other and not kept. */
export class FileParts {
  readonly #file: Blob;
  readonly #delimiter: number;
  readonly #bytes: number;
  readonly #form: FileForm;
  /** The first row with what lies above it. */
  #head: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #headLines = 0;
  /** Lines of the file that end before `#counted`. */
  #lines = 0;
  #counted = 0;

  constructor(file: Blob, delimiter: string, bytes = PART_BYTES, form: FileForm = 'csv') {
    this.#file = file;
    this.#delimiter = delimiter.charCodeAt(0);
    this.#bytes = bytes;
    this.#form = form;
  }

  /** The part that begins at `from`: at 0, or where the one before it ended. */
  async at(from: number): Promise<FilePart | null> {
    if (from >= this.#file.size) return null;
    const piece = await this.#read(from);
    const isLast = from + piece.length >= this.#file.size;
    if (from === 0) {
      const end = this.#form === 'ndjson' ? 0 : (firstRow(piece, this.#delimiter, isLast) ?? 0);
      // What is longer than a row can be is none, and names no columns.
      this.#head = piece.slice(0, end > ROW_BYTES_MAX ? 0 : end);
      this.#headLines = countLines(this.#head);
      this.#lines = 0;
      this.#counted = 0;
    }
    // A row longer than a part: it is cut, and the server rejects what it cannot read.
    const length = this.#cut(piece, isLast) || piece.length;
    const rows = piece.subarray(0, length);
    const isRepeated = from > 0 && this.#head.length > 0;
    const linesAbove = from === 0 ? 0 : this.#linesBefore(from) - this.#headLines;
    if (from === this.#counted) {
      this.#lines += countLines(rows);
      this.#counted = from + length;
    }
    const body = isRepeated ? joined(this.#head, rows) : rows.slice();
    return { from, to: from + length, body, isRepeated, linesAbove };
  }

  /** An object is a line: quotes in it say nothing of where it ends. */
  #cut(piece: Uint8Array, isLast: boolean): number {
    if (this.#form === 'csv') return cutRows(piece, this.#delimiter, isLast);
    return isLast ? piece.length : piece.lastIndexOf(LF) + 1;
  }

  /** A part that is asked for again has been counted already, with nothing behind it. */
  #linesBefore(from: number): number {
    if (from !== this.#counted) throw new Error('parts are read in their order');
    return this.#lines;
  }

  async #read(from: number): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await this.#file.slice(from, from + this.#bytes).arrayBuffer());
  }
}

function joined(head: Uint8Array, rows: Uint8Array): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(head.length + rows.length);
  body.set(head);
  body.set(rows, head.length);
  return body;
}
