import { useMemo, useSyncExternalStore } from 'react';
import { shownThemeStore } from '../state/preferences';

/** How many series colours the tokens define. */
export const SERIES_COLORS = 10;

/** The CSS variable of the n-th series. Colours live in the tokens, so that both themes have their own. */
export function seriesVariable(index: number): string {
  return `--series-${(index % SERIES_COLORS) + 1}`;
}

export interface ChartColors {
  series: string[];
  other: string;
  axis: string;
  grid: string;
  pointer: string;
  critical: string;
  warning: string;
  info: string;
}

function readColors(): ChartColors {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return {
    series: Array.from({ length: SERIES_COLORS }, (_, i) => read(seriesVariable(i))),
    other: read('--series-other'),
    axis: read('--text-3'),
    grid: read('--line-1'),
    pointer: read('--line-3'),
    critical: read('--critical'),
    warning: read('--warning'),
    info: read('--info'),
  };
}

/** The tokens as a canvas needs them: resolved, and read again when the theme changes by choice or by the system. */
export function useChartColors(): ChartColors {
  const theme = useSyncExternalStore(shownThemeStore.subscribe, shownThemeStore.get);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme is what makes the tokens differ
  return useMemo(readColors, [theme]);
}

/**
 * Gives each name a colour that stays with it while it is on the page: the order of first sight decides, so a slice
 * that overtakes another does not take its colour.
 */
export class ColorAssignment {
  readonly #indexes = new Map<string, number>();

  indexOf(name: string): number {
    let index = this.#indexes.get(name);
    if (index === undefined) {
      index = this.#indexes.size;
      this.#indexes.set(name, index);
    }
    return index;
  }
}
