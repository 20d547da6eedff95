import { useSpeech } from '../i18n/hooks';
import { type Range, ranges } from '../state/range';

interface Props {
  range: Range;
  onChange: (range: Range) => void;
}

/** One of five ranges: radio buttons, so that arrow keys work as everywhere. */
export function RangePicker({ range, onChange }: Props) {
  const { t } = useSpeech();
  return (
    <fieldset className="segmented">
      <legend className="visually-hidden">{t('range.label')}</legend>
      {ranges.map((one) => (
        <label key={one} className="segment" title={t(`range.last.${one}`)}>
          <input
            type="radio"
            name="range"
            value={one}
            checked={one === range}
            onChange={() => onChange(one)}
          />
          <span>{t(`range.${one}`)}</span>
        </label>
      ))}
    </fieldset>
  );
}
