import type { Localized, Metric } from '../api/types';
import { Store } from '../live/store';

/** What the definitions call their metrics, by name, as far as the page has been told. */
export const titleStore = new Store<ReadonlyMap<string, Localized>>(new Map());

/** Takes the titles of the metrics that the server has; told to nobody where they are what they were. */
export function keepTitles(metrics: readonly Metric[]): void {
  const titles = new Map<string, Localized>();
  for (const { name, title } of metrics) if (title) titles.set(name, title);
  const text = (of: ReadonlyMap<string, Localized>) => JSON.stringify([...of]);
  if (text(titles) !== text(titleStore.get())) titleStore.set(titles);
}

/** The name of a metric in words: `authorization_rate` → `Authorization rate`. */
export function inWords(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Whether somebody wrote this title of a panel: the server calls a panel without one by its metric, in words. */
export function isWritten(title: Localized | null | undefined, metric: string): title is Localized {
  if (!title) return false;
  return title.zh !== undefined || ![metric, inWords(metric)].includes(title.en);
}
