import type { Holds } from './calls';

/** As many names of a section as fit beside a file. */
const NAMES_SHOWN = 3;

/** What a file holds, in a line: `Monitors: a, b, c +2 · Metrics: d`. A section without a word of its own keeps its key. */
export function holdsText(holds: Holds, word: (key: string) => string): string {
  return Object.entries(holds)
    .filter((entry): entry is [string, string[]] => (entry[1]?.length ?? 0) > 0)
    .map(([section, names]) => {
      const key = `holds.${section}`;
      const told = word(key);
      const shown = names.slice(0, NAMES_SHOWN).join(', ');
      const rest = names.length - NAMES_SHOWN;
      return `${told === key ? section : told}: ${shown}${rest > 0 ? ` +${rest}` : ''}`;
    })
    .join(' · ');
}
