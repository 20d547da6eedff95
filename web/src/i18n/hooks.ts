import { useMemo, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import type { Localized } from '../api/types';
import { withSeenTurns } from '../format/bidi';
import { zoneName } from '../format/time';
import { zoneStore } from '../state/preferences';
import { en, type MessageKey } from './en';
import { localeOf, localized } from './index';
import { inWords, isWritten, titleStore } from './titles';

export interface Speech {
  t: (key: MessageKey | 'incidents.open', values?: Record<string, string | number>) => string;
  language: string;
  locale: string;
  zone: string;
  /** Text of a definition in the reader's language. */
  text: (title: Localized | undefined, fallback?: string) => string;
  /** What a metric is called: its own title, else the one given, else its name in words. */
  metric: (name: string, otherwise?: Localized) => string;
  /** The title of what shows a metric; where nobody wrote one, `otherwise` or what the metric is called. */
  titled: (title: Localized | null | undefined, metric: string, otherwise?: string) => string;
  /** The name of a dimension: ours in the reader's language, the user's own as it is written. */
  dimension: (name: string) => string;
  /** The name of a slice's value. It is data, and only ever shown as text. */
  sliceValue: (value: string | null) => string;
}

/** Language, locale and time zone of the reader, and how to say things in them. */
export function useSpeech(): Speech {
  const { t, i18n } = useTranslation();
  const zoneChoice = useSyncExternalStore(zoneStore.subscribe, zoneStore.get);
  const titles = useSyncExternalStore(titleStore.subscribe, titleStore.get);
  const language = i18n.language;
  return useMemo(() => {
    const say: Speech['t'] = (key, values) => t(key, values ?? {});
    const metric: Speech['metric'] = (name, otherwise) =>
      localized(
        titles.get(name) ?? (isWritten(otherwise, name) ? otherwise : undefined),
        language,
        inWords(name),
      );
    return {
      t: say,
      language,
      locale: localeOf(language),
      zone: zoneName(zoneChoice),
      text: (title, fallback) => localized(title, language, fallback),
      metric,
      titled: (title, name, otherwise) =>
        isWritten(title, name) ? localized(title, language) : (otherwise ?? metric(name)),
      dimension: (name) => {
        const key = `dimension.${name}`;
        if (Object.hasOwn(en, key)) return say(key as MessageKey);
        return inWords(name);
      },
      sliceValue: (value) => {
        if (value === '__other__') return say('slice.other');
        return value === null || value === '' ? say('slice.none') : withSeenTurns(value);
      },
    };
  }, [t, language, zoneChoice, titles]);
}
