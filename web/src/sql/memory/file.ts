import { statements } from '../statement';
import type { SavedQuery } from './saved';

/** What stands above each statement of a file and names it. */
const nameLine = /^-- name: (.+)$/;

/** All statements as one text that any SQL tool reads. */
export function toFile(queries: readonly SavedQuery[]): string {
  return queries.map(({ name, sql }) => `-- name: ${name.replace(/\s+/g, ' ')}\n${ended(sql)}\n`).join('\n');
}

/** A comment in a statement that looks like a name must not become one, and a semicolon behind a comment is none. */
function ended(sql: string): string {
  const text = sql.trim().replace(/^-- name: /gm, '--  name: ');
  if (text.endsWith(';')) return text;
  return /--[^\n]*$/.test(text) ? `${text}\n;` : `${text};`;
}

/** Reads such a file. One without names is read too: its statements are named by the file. */
export function fromFile(text: string, fileName: string): SavedQuery[] {
  const found: SavedQuery[] = [];
  let name: string | null = null;
  let lines: string[] = [];
  const close = () => {
    const body = lines.join('\n');
    lines = [];
    if (name !== null) {
      const whole = withoutEnd(body);
      if (whole !== '') found.push({ name, sql: whole });
      return;
    }
    const all = statements(body);
    for (const [i, one] of all.entries())
      found.push({ name: all.length > 1 ? `${fileName} ${i + 1}` : fileName, sql: one.text });
  };
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)) {
    const named = nameLine.exec(line)?.[1]?.trim();
    if (named) {
      close();
      name = named;
    } else lines.push(line);
  }
  close();
  return found;
}

/** The text without what `ended` put behind it. */
function withoutEnd(body: string): string {
  const all = statements(body);
  const [only] = all;
  if (all.length === 1 && only) return only.text;
  return body.trim();
}
