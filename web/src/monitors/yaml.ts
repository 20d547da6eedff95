import type { Written } from './draft';

/** Words that YAML, of one version or another, reads as something else than text. */
const RESERVED = /^(true|false|null|yes|no|on|off|y|n|nan|inf|infinity)$/i;
/** Letters, digits and signs that mean nothing to YAML in the middle of a word or a sentence. */
const PLAIN = /^[A-Za-z_][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+-]+)*$/;
const DURATION = /^\d+(ms|s|m|h|d|w|y)$/;
/**
 * Signs that an editor does not show as they are, break lines, or turn the direction of text: they are written by their
 * number, so that what is read is what is there.
 */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

/** A text as a scalar, in quotes wherever YAML could take it for something else. */
export function yamlText(text: string): string {
  if (DURATION.test(text)) return text;
  if (PLAIN.test(text) && !RESERVED.test(text)) return text;
  // What JSON writes in quotes YAML reads alike; lone surrogates are escaped by it as well.
  const quoted = JSON.stringify(text);
  return quoted.replace(UNSEEN, (sign) => {
    const hex = (sign.codePointAt(0) ?? 0).toString(16);
    return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
  });
}

/** A number without an exponent: older readers of YAML take `1e-7` for a text. */
export function yamlNumber(value: number): string {
  if (!Number.isFinite(value)) throw new Error('only finite numbers can be written');
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!match) return text;
  const [, sign = '', first = '0', rest = '', exponent = '0'] = match;
  const digits = first + rest;
  const point = 1 + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, '0')}`;
}

type Scalar = null | boolean | string | number;

function isScalar(value: Written): value is Scalar {
  return typeof value !== 'object' || value === null;
}

function scalar(value: Scalar): string {
  if (value === null || typeof value === 'boolean') return String(value);
  return typeof value === 'number' ? yamlNumber(value) : yamlText(value);
}

/** A mapping as lines of a block. */
function block(mapping: { [key: string]: Written }, indent: string): string[] {
  return Object.entries(mapping).flatMap(([key, value]) => {
    const head = `${indent}${yamlText(key)}:`;
    if (isScalar(value)) return [`${head} ${scalar(value)}`];
    if (Array.isArray(value)) return list(head, value, indent);
    if (Object.keys(value).length === 0) return [`${head} {}`];
    return [head, ...block(value, `${indent}  `)];
  });
}

/** Names stand in one line, as people write them. */
function list(head: string, values: Written[], indent: string): string[] {
  if (values.every(isScalar)) return [`${head} [${values.map(scalar).join(', ')}]`];
  const items = values.flatMap((value) => {
    if (isScalar(value)) return [`${indent}  - ${scalar(value)}`];
    if (Array.isArray(value)) throw new Error('a list of lists is nothing a definition has');
    const lines = block(value, `${indent}    `);
    const [first = '', ...rest] = lines;
    return [`${indent}  - ${first.trimStart()}`, ...rest];
  });
  return [head, ...items];
}

/** A document: a mapping in block style with a line feed at its end. */
export function yamlDocument(mapping: { [key: string]: Written }): string {
  return `${block(mapping, '').join('\n')}\n`;
}

/** A list of mappings, one in a line, as files of labels are written. */
export function yamlRows(rows: readonly { [key: string]: Written }[]): string {
  return rows.map((row) => `- ${flow(row)}\n`).join('');
}

function flow(value: Written): string {
  if (isScalar(value)) return scalar(value);
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, one]) => `${yamlText(key)}: ${flow(one)}`)
    .join(', ')}}`;
}
