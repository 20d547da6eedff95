import { useMemo } from 'react';
import { ApiError } from '../api/client';
import { briefTime, clockTime, dateTime } from '../format/time';
import { figureText, numberFormat } from '../format/units';
import { type Speech, useSpeech } from '../i18n/hooks';
import type { PageText } from '../i18n/page';
import { serverNow } from '../live/clock';
import { bytesText, rateText, spanText } from './size';
import { dataTexts } from './texts';
import type { DataKey } from './texts/en';

/** How this page writes figures and times for the reader. */
export interface Say {
  t: PageText<DataKey>;
  speech: Speech;
  count: (value: number) => string;
  /** Short where the exact number stands elsewhere. */
  brief: (value: number) => string;
  bytes: (value: number) => string;
  rate: (value: number) => string;
  span: (ms: number) => string;
  share: (part: number, whole: number) => string;
  /** A time of the server, to the second. */
  exact: (rfc3339: string | null) => string;
  /** The same without the day when that is today. */
  time: (rfc3339: string | null) => string;
  /** How long ago it was; what lies ahead counts as now. */
  ago: (rfc3339: string | null, nowMs: number) => string;
  /** What an error says, in the server's words where it has said some. */
  reason: (error: Error) => string;
}

export function useSay(): Say {
  const t = dataTexts.use();
  const speech = useSpeech();
  return useMemo(() => sayIn(t, speech), [t, speech]);
}

function sayIn(t: PageText<DataKey>, speech: Speech): Say {
  const { locale, zone } = speech;
  const at = (rfc3339: string | null, show: (ms: number) => string) => {
    const ms = Date.parse(rfc3339 ?? '');
    return Number.isFinite(ms) ? show(ms) : '–';
  };
  const span = (ms: number) => spanText(ms, locale);
  return {
    t,
    speech,
    count: (value) => figureText(value, 'count', locale),
    brief: (value) => figureText(value, 'count', locale, { compact: true }),
    bytes: (value) => bytesText(value, locale),
    rate: (value) => rateText(value, locale),
    span,
    share: (part, whole) => shareText(part, whole, locale),
    exact: (rfc3339) => at(rfc3339, (ms) => dateTime(ms, locale, zone)),
    time: (rfc3339) =>
      at(rfc3339, (ms) => {
        const nowMs = serverNow();
        const brief = briefTime(ms, nowMs, locale, zone);
        const isToday = brief === clockTime(ms, locale, zone, false);
        return isToday ? clockTime(ms, locale, zone) : brief;
      }),
    ago: (rfc3339, nowMs) => at(rfc3339, (ms) => t('ago', { span: span(Math.max(0, nowMs - ms)) })),
    reason: (error) => reasonOf(error, t),
  };
}

/** A share that is neither none nor all is never written as such. */
function shareText(part: number, whole: number, locale: string): string {
  if (whole <= 0) return '–';
  const format = numberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
  const share = part / whole;
  if (share > 0 && share < 0.001) return `<\u00a0${format.format(0.001)}`;
  if (share < 1 && share > 0.999) return `>\u00a0${format.format(0.999)}`;
  return format.format(share);
}

function reasonOf(error: Error, t: PageText<DataKey>): string {
  const { status, problem } = error instanceof ApiError ? error : { status: null, problem: null };
  const told = problem?.detail ?? problem?.title ?? (status === 0 ? t('unreachable') : error.message);
  if (told === '') return status === null ? t('error.title') : `HTTP ${status}.`;
  // It may stand within a sentence that goes on.
  return /[.!?。！？]$/.test(told) ? told : `${told}.`;
}
