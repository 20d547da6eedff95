import { nameOf, type Token, tokens } from '../statement';

/** A table of a statement's `from`, under its own name or another. */
export interface Source {
  table: string;
  alias: string | null;
  /** The function that a cube's windows come from, such as `hop`, or `forecast`. */
  call: string | null;
}

/** What may stand at the cursor; `from` is where what is typed so far begins. */
export type Expected =
  | { kind: 'nothing' }
  | { kind: 'table' | 'cube' | 'measure' | 'any'; from: number }
  | { kind: 'member'; from: number; qualifier: string }
  | { kind: 'value'; from: number; column: string; qualifier: string | null }
  | { kind: 'metricName' | 'period'; from: number };

const WINDOWS = new Set(['tumble', 'hop', 'cumulate']);

/** Reads the text before the cursor: SQL is typed from the left, and what follows may be of another thought. */
export function expectedAt(sql: string, at: number): Expected {
  const all = tokens(sql);
  const inside = all.find(({ from, to }) => from < at && at <= to);
  if (inside?.kind === 'comment') {
    const isOver = inside.text.startsWith('/*') && inside.text.endsWith('*/') && at === inside.to;
    return isOver ? { kind: 'any', from: at } : { kind: 'nothing' };
  }
  const before = all.filter((token) => token.to <= at && token !== inside && token.kind !== 'comment');
  if (inside?.kind === 'text' && (at < inside.to || !isClosed(inside))) return inText(before, inside);
  const isTyping = inside?.kind === 'word' || inside?.kind === 'quoted';
  if (inside?.kind === 'number') return { kind: 'nothing' };
  if (!isTyping && inside) before.push(inside);
  const from = isTyping && inside ? inside.from : at;
  const last = before.at(-1);
  const previous = before.at(-2);
  if (!last) return { kind: 'any', from };
  if (last.text === '.' && previous && isName(previous)) {
    return { kind: 'member', from, qualifier: nameOf(previous) };
  }
  if (last.kind === 'word' && /^(from|join|describe)$/i.test(last.text)) return { kind: 'table', from };
  if (last.text === '(' && previous?.kind === 'word') {
    const call = previous.text.toLowerCase();
    if (call === 'measure') return { kind: 'measure', from };
    if (WINDOWS.has(call)) return { kind: 'cube', from };
  }
  // A name is being made up here, and proposals would only be in the way.
  if (last.kind === 'word' && last.text.toLowerCase() === 'as') return { kind: 'nothing' };
  return { kind: 'any', from };
}

function isName({ kind }: Token): boolean {
  return kind === 'word' || kind === 'quoted';
}

function isClosed({ text }: Token): boolean {
  return text.length > 1 && text.endsWith("'") && (text.match(/'/g)?.length ?? 0) % 2 === 0;
}

function inText(before: Token[], text: Token): Expected {
  const from = text.from + 1;
  const call = callAround(before);
  if (call?.name === 'forecast' && call.argument === 0) return { kind: 'metricName', from };
  if (call && (WINDOWS.has(call.name) || call.name === 'forecast')) return { kind: 'period', from };
  let i = before.length - 1;
  const word = () => before[i]?.text.toLowerCase() ?? '';
  if (word() === '(' || word() === ',') {
    // A list: back to what it is compared with.
    while (i >= 0 && (before[i]?.kind === 'text' || word() === ',')) i -= 1;
    if (word() !== '(' || before[i - 1]?.text.toLowerCase() !== 'in') return { kind: 'nothing' };
    i -= 2;
    if (word() === 'not') i -= 1;
  } else if (word() === '=' || word() === '>') {
    i -= 1;
    while (['<', '>', '!', '='].includes(word())) i -= 1;
  } else if (word() === 'like' || word() === 'ilike') {
    i -= 1;
    if (word() === 'not') i -= 1;
  } else return { kind: 'nothing' };
  const column = before[i];
  if (!column || !isName(column)) return { kind: 'nothing' };
  const qualifier = before[i - 1]?.text === '.' ? before[i - 2] : undefined;
  return {
    kind: 'value',
    from,
    column: nameOf(column),
    qualifier: qualifier && isName(qualifier) ? nameOf(qualifier) : null,
  };
}

/** The call whose parentheses are open, and which of its arguments is being written. */
function callAround(before: readonly Token[]): { name: string; argument: number } | null {
  let depth = 0;
  let argument = 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    const text = before[i]?.text;
    if (text === ')') depth += 1;
    else if (text === ',' && depth === 0) argument += 1;
    else if (text === '(') {
      if (depth === 0) {
        const name = before[i - 1];
        return name?.kind === 'word' ? { name: name.text.toLowerCase(), argument } : null;
      }
      depth -= 1;
    }
  }
  return null;
}

const NOT_AN_ALIAS =
  /^(as|on|using|where|group|order|having|limit|join|inner|left|right|full|cross|natural|union|except|intersect|qualify|window|filter|fetch|offset|lateral)$/i;

/** The tables that a statement names in `from` and `join`, also of its subqueries. */
export function sourcesOf(sql: string): Source[] {
  const all = tokens(sql).filter(({ kind }) => kind !== 'comment');
  const found: Source[] = [];
  for (const [i, token] of all.entries()) {
    if (token.kind !== 'word' || !/^(from|join)$/i.test(token.text)) continue;
    let at = i + 1;
    let name = all[at];
    if (!name || !isName(name)) continue;
    // `public.payments`: the last part is the table.
    while (all[at + 1]?.text === '.' && all[at + 2]) {
      at += 2;
      name = all[at];
    }
    if (!name) continue;
    let call: string | null = null;
    let table = nameOf(name);
    if (all[at + 1]?.text === '(') {
      call = table;
      const first = all[at + 2];
      table = first && isName(first) ? nameOf(first) : '';
      at = closing(all, at + 1);
    }
    let alias = all[at + 1];
    if (alias?.kind === 'word' && alias.text.toLowerCase() === 'as') alias = all[at + 2];
    const isAlias = alias && isName(alias) && !NOT_AN_ALIAS.test(alias.text);
    found.push({ table, alias: isAlias && alias ? nameOf(alias) : null, call });
  }
  return found;
}

function closing(all: readonly Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < all.length; i += 1) {
    if (all[i]?.text === '(') depth += 1;
    else if (all[i]?.text === ')') depth -= 1;
    if (depth === 0) return i;
  }
  return all.length;
}

/** The names that a `with` gives to questions of its own. */
export function withNames(sql: string): string[] {
  const all = tokens(sql).filter(({ kind }) => kind !== 'comment');
  return all.flatMap((token, i) => {
    const before = all[i - 1]?.text.toLowerCase();
    const isNamed = all[i + 1]?.text.toLowerCase() === 'as' && all[i + 2]?.text === '(';
    return isName(token) && isNamed && (before === 'with' || before === ',') ? [nameOf(token)] : [];
  });
}
