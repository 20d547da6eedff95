import type { Incident } from '../api/types';
import { toNumber } from '../format/figure';
import { figureText } from '../format/units';
import type { Speech } from '../i18n/hooks';

/** How large an incident is, in words: against the bound it has crossed, else against what was expected. */
export function incidentSize(
  incident: Pick<Incident, 'value' | 'expected' | 'bound' | 'direction'>,
  unit: string | null,
  { t, locale }: Pick<Speech, 't' | 'locale'>,
): string {
  const value = figureText(incident.value, unit, locale);
  if (incident.bound !== null && incident.bound !== undefined) {
    const bound = figureText(incident.bound, unit, locale);
    return t(isAbove(incident) ? 'incident.aboveBound' : 'incident.belowBound', { value, bound });
  }
  if (incident.expected === null) return value;
  return t('incident.insteadOf', { value, expected: figureText(incident.expected, unit, locale) });
}

/** The figures decide; the direction, where one of them is missing or both are the same. */
function isAbove({ value, bound, direction }: Pick<Incident, 'value' | 'bound' | 'direction'>): boolean {
  const [now, limit] = [toNumber(value), toNumber(bound)];
  if (now === null || limit === null || now === limit) return direction !== 'down';
  return now > limit;
}
