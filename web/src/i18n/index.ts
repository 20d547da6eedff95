import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import type { Localized } from '../api/types';
import { withoutTurns } from '../format/bidi';
import { storedLanguage, storeLanguage } from '../state/preferences';
import { en } from './en';
import { PROBLEMS } from './problem';

export const languages = ['en', 'zh'] as const;
export type Language = (typeof languages)[number];

/** Each language in its own name, so that who cannot read the current one finds theirs. */
export const languageNames: Record<Language, string> = { en: 'English', zh: '简体中文' };

function isLanguage(value: string | null): value is Language {
  return value === 'en' || value === 'zh';
}

/** The chosen language, or the first of the browser's that we speak. */
function preferredLanguage(): Language {
  const stored = storedLanguage();
  if (isLanguage(stored)) return stored;
  for (const tag of navigator.languages ?? []) {
    const base = tag.toLowerCase().split('-')[0] ?? '';
    if (isLanguage(base)) return base;
  }
  return 'en';
}

async function load(language: Language): Promise<void> {
  if (i18next.hasResourceBundle(language, 'translation')) return;
  const [{ zh }, { zhProblems }] = await Promise.all([import('./zh'), import('./zhProblems')]);
  i18next.addResourceBundle('zh', 'translation', zh);
  i18next.addResourceBundle('zh', PROBLEMS, zhProblems);
}

export async function startI18n(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: 'en',
    fallbackLng: 'en',
    // Keys hold dots, and nothing here is nested.
    keySeparator: false,
    nsSeparator: false,
    resources: { en: { translation: en } },
    // React escapes all text that it writes; escaping twice would show `&lt;` to people.
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  await chooseLanguage(preferredLanguage(), false);
}

export async function chooseLanguage(language: Language, remember = true): Promise<void> {
  await load(language);
  if (remember) storeLanguage(language);
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  await i18next.changeLanguage(language);
}

/** The locale for numbers and dates: the browser's regional form of the language, if it has one. */
export function localeOf(language: string): string {
  const regional = (navigator.languages ?? []).find((tag) => tag.toLowerCase().startsWith(`${language}-`));
  return regional ?? (language === 'zh' ? 'zh-CN' : 'en-GB');
}

export function localized(text: Localized | undefined, language: string, fallback = ''): string {
  const value = language === 'zh' ? (text?.zh ?? text?.en) : text?.en;
  return withoutTurns(value ?? fallback);
}
