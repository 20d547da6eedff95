import type { Metric } from '../api/types';

/** What a metric counts, in a line: its description, or else its formula. */
export function metricNote({ description, formula }: Metric): string {
  return description || formula || '';
}

/**
 * The metrics that a search finds. Each word must stand somewhere in a metric's own words; those whose name begins with
 * what is searched come first, then those that have it in the name, and each lot stays in the order of the definitions.
 */
export function findMetrics(metrics: Iterable<Metric>, search: string): Metric[] {
  const wanted = search.trim().toLowerCase();
  const words = wanted.split(/[\s_]+/).filter((word) => word !== '');
  const found: Metric[][] = [[], [], []];
  for (const metric of metrics) {
    const name = metric.name.toLowerCase().replaceAll('_', ' ');
    const { en, zh } = metric.title ?? {};
    const parts = [
      name,
      en,
      zh,
      metric.description,
      metric.formula,
      metric.unit,
      metric.of,
      ...metric.dimensions,
    ];
    const text = parts.join(' ').toLowerCase().replaceAll('_', ' ');
    if (!words.every((word) => text.includes(word))) continue;
    const rank = name.startsWith(words.join(' ')) ? 0 : words.every((word) => name.includes(word)) ? 1 : 2;
    found[rank]?.push(metric);
  }
  return found.flat();
}
