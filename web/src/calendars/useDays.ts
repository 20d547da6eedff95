import { useMemo } from 'react';
import { useSpeech } from '../i18n/hooks';
import { type WeekDay, weekDays } from './types';

/** A Monday. */
const MONDAY_MS = Date.parse('2026-11-30T12:00:00Z');

/** The days of the week in the reader's language. */
export function useDays(): { brief: (day: WeekDay) => string; long: (day: WeekDay) => string } {
  const { locale } = useSpeech();
  return useMemo(() => {
    const namer = (weekday: 'short' | 'long') => {
      const format = new Intl.DateTimeFormat(locale, { weekday, timeZone: 'UTC' });
      return (day: WeekDay) => format.format(MONDAY_MS + weekDays.indexOf(day) * 86_400_000);
    };
    return { brief: namer('short'), long: namer('long') };
  }, [locale]);
}
