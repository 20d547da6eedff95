import type { ApiError } from '../api/client';
import { sqlProblem } from './call';
import type { Range } from './editor/fault';
import { faultRange, offsetOf, type Statement } from './statement';

/** A statement's fault as the page tells it. */
export interface Fault {
  /** What is wrong, without the place and the advice that stand beside it. */
  message: string;
  suggestion: string | null;
  /** The place in the whole text of the editor. */
  place: (Range & { line: number; column: number }) | null;
  /** What would stand there instead. */
  remedy: string | null;
  reason: string | null;
}

const places = / \(line \d+, column \d+\)/;
const remedies = [/^did you mean '(.+)'\?$/, /^write (measure\([^()]+\))$/];

/** Reads what the server said of a statement. The position is of the statement; `text` is what it was a part of. */
export function faultOf(error: ApiError, statement: Statement, text: string): Fault {
  const problem = sqlProblem(error);
  const suggestion = problem?.suggestion ?? null;
  let message = (problem?.detail ?? problem?.title ?? error.message).replace(places, '');
  if (suggestion && problem?.detail) message = message.replace(`; ${suggestion}`, '');
  if (!/[.!?…]$/.test(message)) message += '.';
  const place = placeOf(problem?.line, problem?.column, statement, text);
  const remedy = remedies.map((one) => one.exec(suggestion ?? '')?.[1]).find((found) => found) ?? null;
  return { message, suggestion, place, remedy: place ? remedy : null, reason: problem?.reason ?? null };
}

function placeOf(
  line: number | undefined,
  column: number | undefined,
  statement: Statement,
  text: string,
): Fault['place'] {
  if (line === undefined || column === undefined) return null;
  const range = faultRange(statement.text, offsetOf(statement.text, line, column));
  const from = statement.from + range.from;
  const to = statement.from + range.to;
  // Whoever went on writing while it ran has moved the place; a mark on other words would mislead.
  if (text.slice(statement.from, statement.to) !== statement.text || to > text.length) return null;
  const before = text.slice(0, from).split('\n');
  return { from, to, line: before.length, column: [...(before.at(-1) ?? '')].length + 1 };
}
