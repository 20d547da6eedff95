import i18next from 'i18next';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Language } from './index';

export type PageText<K extends string> = (key: K, values?: Record<string, string | number>) => string;

/** What a page says in every language. */
export interface PageTexts<K extends string> {
  texts: Record<Language, Record<K, string>>;
  use: () => PageText<K>;
}

/**
 * The texts of a page that is loaded on demand: they come with the page and not with the first one. A language that
 * lacks a key does not compile.
 */
export function pageTexts<K extends string>(
  page: string,
  texts: Record<Language, Record<K, string>>,
): PageTexts<K> {
  for (const [language, bundle] of Object.entries(texts)) i18next.addResourceBundle(language, page, bundle);
  return {
    texts,
    use: () => {
      const { t } = useTranslation(page);
      return useMemo(() => (key, values) => t(key as string, values ?? {}), [t]);
    },
  };
}
