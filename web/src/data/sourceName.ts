import type { Say } from './say';

/** The name of a source as people know it. The server's own names cannot be those of sources that somebody defines. */
export function sourceName(name: string, { t }: Say): string {
  if (name === 'http') return t('source.http');
  if (name === 'quarantine') return t('source.quarantine');
  return name === '__other__' ? t('source.other') : name;
}
