import { numberFormat } from '../../format/units';

/** How long a run took, as exactly as it matters: `38 ms`, `1.4 s`. */
export function durationOf(ms: number, locale: string): string {
  if (ms < 999.5) return `${numberFormat(locale, { maximumFractionDigits: 0 }).format(ms)}\u00a0ms`;
  const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  return `${numberFormat(locale, digits).format(ms / 1000)}\u00a0s`;
}
