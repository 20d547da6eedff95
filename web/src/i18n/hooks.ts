import { useMemo, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import type { Localized } from '../api/types';
import { withSeenTurns } from '../format/bidi';
import { zoneName } from '../format/time';
import { zoneStore } from '../state/preferences';
import { en, type MessageKey } from './en';
import { localeOf, localized } from './index';

export interface Speech {
  t: (key: MessageKey | 'incidents.open', values?: Record<string, string | number>) => string;
  language: string;
  locale: string;
  zone: string;
  /** Text of a definition in the reader's language. */
  text: (title: Localized | undefined, fallback?: string) => string;
  /** The name of a dimension: ours in the reader's language, the user's own as it is written. */
  dimension: (name: string) => string;
  /** The name of a slice's value. It is data, and only ever shown as text. */
  sliceValue: (value: string | null) => string;
}

/** Language, locale and time zone of the reader, and how to say things in them. */
export function useSpeech(): Speech {
  const { t, i18n } = useTranslation();
  const zoneChoice = useSyncExternalStore(zoneStore.subscribe, zoneStore.get);
  const language = i18n.language;
  return useMemo(() => {
    const say: Speech['t'] = (key, values) => t(key, values ?? {});
    return {
      t: say,
      language,
      locale: localeOf(language),
      zone: zoneName(zoneChoice),
      text: (title, fallback) => localized(title, language, fallback),
      dimension: (name) => {
        const key = `dimension.${name}`;
        if (Object.hasOwn(en, key)) return say(key as MessageKey);
        const spaced = name.replaceAll('_', ' ');
        return spaced.charAt(0).toUpperCase() + spaced.slice(1);
      },
      sliceValue: (value) => {
        if (value === '__other__') return say('slice.other');
        return value === null || value === '' ? say('slice.none') : withSeenTurns(value);
      },
    };
  }, [t, language, zoneChoice]);
}
