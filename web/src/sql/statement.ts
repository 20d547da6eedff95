/** A piece of SQL text. Enough of SQL's form to find statements, clauses and names; the server alone understands it. */
export interface Token {
  kind: 'word' | 'quoted' | 'text' | 'number' | 'sign' | 'comment';
  text: string;
  from: number;
  to: number;
}

const parts: readonly [Token['kind'], string][] = [
  ['comment', String.raw`--[^\n]*|/\*[\s\S]*?(?:\*/|$)`],
  ['text', String.raw`'(?:[^']|'')*(?:'|$)|\$\$[\s\S]*?(?:\$\$|$)`],
  ['quoted', '"(?:[^"]|"")*(?:"|$)|`[^`]*(?:`|$)'],
  ['number', String.raw`\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+`],
  ['word', String.raw`[\p{L}_][\p{L}\p{N}_$]*`],
  ['sign', String.raw`\S`],
];
const anyToken = new RegExp(parts.map(([kind, pattern]) => `(?<${kind}>${pattern})`).join('|'), 'gu');

export function tokens(sql: string): Token[] {
  const found: Token[] = [];
  for (const match of sql.matchAll(anyToken)) {
    const text = match[0];
    const kind = parts.find(([name]) => match.groups?.[name] !== undefined)?.[0] ?? 'sign';
    found.push({ kind, text, from: match.index, to: match.index + text.length });
  }
  return found;
}

export interface Statement {
  text: string;
  /** Where it begins in the whole text. */
  from: number;
  to: number;
}

/** The statements of a text, without the semicolons between them. What holds only comments is none. */
export function statements(sql: string): Statement[] {
  const found: Statement[] = [];
  let open: Token[] = [];
  const close = () => {
    const first = open[0];
    const last = open.at(-1);
    if (first && last && open.some(({ kind }) => kind !== 'comment')) {
      found.push({ text: sql.slice(first.from, last.to), from: first.from, to: last.to });
    }
    open = [];
  };
  for (const token of tokens(sql)) {
    if (token.text === ';') close();
    else open.push(token);
  }
  close();
  return found;
}

/** The statement that a cursor stands in or behind; before the first one it is the first. */
export function statementAt(sql: string, at: number): Statement | null {
  const all = statements(sql);
  return all.findLast(({ from }) => from <= at) ?? all[0] ?? null;
}

/** What is run: the marked text where some is marked, else the statement at the cursor. */
export function runnable(
  sql: string,
  selection: { from: number; to: number; head: number },
): Statement | null {
  if (selection.from === selection.to) return statementAt(sql, selection.head);
  const marked = sql.slice(selection.from, selection.to);
  const all = statements(marked);
  const first = all[0];
  const last = all.at(-1);
  if (!first || !last) return statementAt(sql, selection.head);
  // Several marked statements are sent as they are, so that the server says that it takes one at a time.
  const { from, to } = { from: first.from, to: last.to };
  return { text: marked.slice(from, to), from: selection.from + from, to: selection.from + to };
}

/** Where a statement stands in a text already: as one of its statements, or as a part that was marked. */
export function findStatement(sql: string, text: string): Statement | null {
  const whole = statements(sql).find((one) => one.text === text);
  if (whole) return whole;
  const from = sql.indexOf(text);
  if (from < 0) return null;
  const to = from + text.length;
  const isCut =
    /[\p{L}\p{N}_]{2}/u.test(sql.slice(Math.max(0, from - 1), from + 1)) ||
    /[\p{L}\p{N}_]{2}/u.test(sql.slice(to - 1, to + 1));
  return isCut ? null : { text, from, to };
}

const QUESTION_STARTS = new Set(['select', 'with', 'values', '(']);

/** A statement that ends after so many rows, or null where it says itself how many, or cannot be told. */
export function withLimit(sql: string, rows: number): string | null {
  const all = tokens(sql).filter(({ kind }) => kind !== 'comment');
  if (!QUESTION_STARTS.has(all[0]?.text.toLowerCase() ?? '')) return null;
  let depth = 0;
  for (const { kind, text } of all) {
    if (text === '(') depth += 1;
    else if (text === ')') depth -= 1;
    else if (text === ';') return null;
    else if (depth === 0 && kind === 'word' && /^(limit|fetch)$/i.test(text)) return null;
  }
  // On a line of its own: the last one may end in a comment.
  return `${sql}\nlimit ${rows}`;
}

/** The offset of a line and column, both counted from 1 and columns in characters, as problems tell them. */
export function offsetOf(sql: string, line: number, column: number): number {
  let start = 0;
  for (let n = 1; n < line; n += 1) {
    const end = sql.indexOf('\n', start);
    if (end < 0) return sql.length;
    start = end + 1;
  }
  let offset = start;
  for (const character of sql.slice(start).split('\n', 1)[0] ?? '') {
    if (column <= 1) break;
    offset += character.length;
    column -= 1;
  }
  return offset;
}

/** Where the word that begins at an offset, or the sign there, ends; at the end of the text it is the last word. */
export function faultRange(sql: string, offset: number): { from: number; to: number } {
  const all = tokens(sql).filter(({ kind }) => kind !== 'comment');
  const found = all.find(({ to }) => to > offset) ?? all.at(-1);
  if (!found) return { from: 0, to: 0 };
  return {
    from: offset < found.to ? Math.max(found.from, Math.min(offset, found.to)) : found.from,
    to: found.to,
  };
}

const RESERVED = new Set(
  `all and any as asc between both by case cast cross current_date current_time current_timestamp describe desc
distinct else end except exists false fetch filter for from full group having in inner intersect interval into is
join lateral left like limit natural not null offset on or order outer over partition qualify right rollup select set
show some table then true union unnest user using values when where window with`.split(/\s+/),
);

/** A name as it must stand in SQL. */
export function identifier(name: string): string {
  if (/^[a-z_][a-z0-9_]*$/.test(name) && !RESERVED.has(name)) return name;
  return `"${name.replaceAll('"', '""')}"`;
}

/** The name that a token stands for: without its quotes, and small where it has none. */
export function nameOf({ kind, text }: Token): string {
  if (kind !== 'quoted') return text.toLowerCase();
  return text
    .slice(1, text.endsWith(text.charAt(0)) && text.length > 1 ? -1 : undefined)
    .replaceAll('""', '"');
}

export function textLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
