import { useSpeech } from '../../../i18n/hooks';
import { FieldGroup } from '../Field';
import { boardTexts } from '../texts';

interface Props {
  control: string;
  label: string;
  hint: string;
  chosen: string[];
  dimensions: readonly string[];
  most: number;
  onChange: (by: string[]) => void;
}

/** Dimensions in the order in which they are chosen. Where only one may be, another one takes its place. */
export function ByField({ control, label, hint, chosen, dimensions, most, onChange }: Props) {
  const t = boardTexts.use();
  const { dimension: spoken } = useSpeech();
  // What the metric does not have stays visible, so that it can be taken out.
  const all = [...dimensions, ...chosen.filter((one) => !dimensions.includes(one))];
  const isFull = most > 1 && chosen.length >= most;
  const toggle = (dimension: string) => {
    if (chosen.includes(dimension)) onChange(chosen.filter((one) => one !== dimension));
    else onChange(most === 1 ? [dimension] : [...chosen, dimension]);
  };
  return (
    <FieldGroup control={control} label={label} hint={all.length === 0 ? t('by.none') : hint}>
      <div className="be-chips">
        {all.map((dimension) => {
          const place = chosen.indexOf(dimension);
          return (
            <label key={dimension} className="be-chip" title={dimension}>
              <input
                type="checkbox"
                checked={place >= 0}
                disabled={isFull && place < 0}
                data-dimension={dimension}
                onChange={() => toggle(dimension)}
              />
              <span>
                {place >= 0 && chosen.length > 1 && <b>{place + 1}. </b>}
                {spoken(dimension)}
              </span>
            </label>
          );
        })}
      </div>
    </FieldGroup>
  );
}
