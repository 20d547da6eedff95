import type { QuarantinedLine, RejectedLine } from './documents';

/** Lines that were rejected for the same kind of reason. */
export interface ReasonGroup {
  /** The field and the reason without the values in it: it names the group and stands in the address. */
  key: string;
  field: string | null;
  reason: string;
  count: number;
}

/**
 * The kind of a reason: the same words whatever the value was. Values stand in quotes, before “is not …” or behind a
 * colon; a number behind “byte” or “line” is a place.
 */
export function reasonKind(reason: string): string {
  return reason
    .replace(/'[^']*'/g, '…')
    .replace(/(found [a-z ]+): .*$/, '$1')
    .replace(/^(?!is ).+? (is (?:not|outside) )/, '… $1')
    .replace(/\b(byte|line|column|row|element) \d+/g, '$1 #');
}

export function reasonKey({ field, reason }: RejectedLine): string {
  const kind = reasonKind(reason).slice(0, 200);
  return field ? `${field}: ${kind}` : kind;
}

/** The kinds of reason among lines, the most frequent first. */
export function reasonGroups(lines: readonly QuarantinedLine[]): ReasonGroup[] {
  const groups = new Map<string, ReasonGroup>();
  for (const line of lines) {
    const key = reasonKey(line);
    const group = groups.get(key);
    if (group) group.count += 1;
    else groups.set(key, { key, field: line.field ?? null, reason: reasonKind(line.reason), count: 1 });
  }
  return [...groups.values()].sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1));
}
