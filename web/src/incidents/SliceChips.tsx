import { useSpeech } from '../i18n/hooks';

/** A slice as dimension and value side by side. Values are data and only ever text. */
export function SliceChips({ slice }: { slice: Record<string, string | null> }) {
  const { t, dimension, sliceValue } = useSpeech();
  const entries = Object.entries(slice);
  if (entries.length === 0) return <span className="inbox-whole">{t('incident.whole')}</span>;
  return entries.map(([name, value]) => (
    <span key={name} className="inbox-chip">
      <span className="slice-dimension">{dimension(name)}</span>{' '}
      <span className="slice-value">{sliceValue(value)}</span>
    </span>
  ));
}
