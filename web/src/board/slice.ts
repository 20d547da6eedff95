import type { Speech } from '../i18n/hooks';

/** A slice in one line: `adyen · bank_17`, or “all traffic” for the whole. */
export function sliceText(slice: Record<string, string | null>, speech: Speech): string {
  const values = Object.values(slice);
  if (values.length === 0) return speech.t('incident.whole');
  return values.map(speech.sliceValue).join(' · ');
}
