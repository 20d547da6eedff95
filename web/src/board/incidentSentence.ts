import type { Incident } from '../api/types';
import { toNumber } from '../format/figure';
import { durationText } from '../format/time';
import { figureText } from '../format/units';
import type { Speech } from '../i18n/hooks';
import { partsBeyond, shareText } from './cause';
import { incidentSize } from './incidentSize';

type Told = Pick<
  Incident,
  | 'metric'
  | 'slice'
  | 'value'
  | 'expected'
  | 'bound'
  | 'direction'
  | 'affected'
  | 'passed'
  | 'denominator'
  | 'impact'
  | 'explanation'
  | 'started_at'
  | 'resolved_at'
  | 'summary'
>;

type Tongue = Pick<Speech, 't' | 'language' | 'locale' | 'dimension' | 'sliceValue'>;

/**
 * One sentence about an incident, in the reader's language. The server writes its own in English, and that is what channels
 * were sent; in another language it is composed of the same figures. Where these say nothing, the server's words stay.
 */
export function incidentSentence(
  incident: Told,
  unit: string | null,
  title: string,
  speech: Tongue,
): { text: string; language: string } {
  const { t, language, locale } = speech;
  const { value, expected, bound, direction, affected, passed, denominator, impact, resolved_at } = incident;
  const isKnown = [value, expected, bound].some((figure) => toNumber(figure) !== null);
  if (language === 'en' || !isKnown) return { text: incident.summary, language: 'en' };
  const what = t('sentence.what', { metric: title, slice: sliceWords(incident.slice, speech) });
  const size = incidentSize(incident, unit, speech);
  const lastedMs = resolved_at === null ? null : Date.parse(resolved_at) - Date.parse(incident.started_at);
  const parts: string[] = [];
  if (toNumber(value) === null)
    parts.push(t('sentence.noValue', { what, expected: figureText(bound ?? expected, unit, locale) }));
  else if (lastedMs !== null)
    parts.push(t('sentence.over', { what, size, duration: durationText(lastedMs, locale) }));
  else if (direction === 'up' || direction === 'down') parts.push(t(`sentence.${direction}`, { what, size }));
  else parts.push(t('sentence.is', { what, size }));
  const count = toNumber(affected) === null ? null : figureText(affected, 'count', locale);
  if (count !== null && toNumber(denominator) !== null) {
    const total = figureText(denominator, 'count', locale);
    const isBeyond = bound !== null && bound !== undefined;
    parts.push(t(isBeyond ? 'sentence.beyond' : 'sentence.affected', { count, total }));
  } else if (count !== null && bound !== null && bound !== undefined)
    parts.push(t('sentence.beyondIt', { count }));
  else if (count !== null)
    parts.push(t(direction === 'down' ? 'sentence.missing' : 'sentence.many', { count }));
  else if (toNumber(passed) !== null)
    parts.push(t('sentence.passed', { count: figureText(passed, 'count', locale) }));
  if (impact && toNumber(impact.value) !== null)
    parts.push(
      t(impact.of === 'passed' ? 'incident.inAll' : 'incident.atStake', {
        amount: figureText(impact.value, impact.unit, locale),
      }),
    );
  const causes = partsBeyond(incident).map(
    (part) => `${sliceWords(part.slice, speech)} ${shareText(part.share, locale)}`,
  );
  if (causes.length > 0) parts.push(t('sentence.cause', { parts: causes.join(t('sentence.and')) }));
  return { text: parts.join(t('sentence.join')) + t('sentence.end'), language };
}

/** A slice with the names of its dimensions: `PSP adyen、发卡行 bank_17`. */
function sliceWords(slice: Record<string, string | null>, { t, dimension, sliceValue }: Tongue): string {
  const pairs = Object.entries(slice).map(([name, value]) => `${dimension(name)} ${sliceValue(value)}`);
  return pairs.length === 0 ? t('incident.whole') : pairs.join(t('sentence.and'));
}
