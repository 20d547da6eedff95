import type { Section } from './calls';

/** The keys of an item as they stand in a file: the section, its name, and below them what the server gave without indentation. */
export function itemText(section: Section, name: string, keys: string): string {
  const indented = keys
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? line : `    ${line}`))
    .join('\n');
  return `${section}:\n  ${name}:\n${indented}\n`;
}

/** Whether comments stand within some keys; a sign in quotes may be taken for one, which costs a word too much. */
export function hasComments(keys: string): boolean {
  return /(^|\s)#/m.test(keys);
}

const NAME = /^[a-z][a-z0-9_]{0,62}$/;

/** Whether a text can be the name of something that is defined. */
export function isItemName(text: string): boolean {
  return NAME.test(text);
}
