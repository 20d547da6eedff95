import type { Figure } from '../api/types';
import { Swatch } from '../charts/Swatch';
import { figureText } from '../format/units';
import { useSpeech } from '../i18n/hooks';

export interface LegendItem {
  key: string;
  name: string;
  color: string;
  /** Over the whole range. */
  value: Figure | null;
}

interface Props {
  items: LegendItem[];
  unit: string | null;
  hidden: ReadonlySet<string>;
  onToggle: (key: string) => void;
  onPoint: (key: string | null) => void;
  label: string;
}

/** The slices with their figures over the range. A click hides a line, pointing at a name brings it forward. */
export function ChartLegend({ items, unit, hidden, onToggle, onPoint, label }: Props) {
  const { t, locale } = useSpeech();
  return (
    <ul className="legend" aria-label={label}>
      {items.map(({ key, name, color, value }) => {
        const isHidden = hidden.has(key);
        return (
          <li key={key} data-testid="slice" data-slice={name} data-value={value ?? ''}>
            <button
              type="button"
              aria-pressed={!isHidden}
              title={t(isHidden ? 'chart.show' : 'chart.hide', { name })}
              onClick={() => onToggle(key)}
              onPointerEnter={() => onPoint(key)}
              onPointerLeave={() => onPoint(null)}
              onFocus={() => onPoint(key)}
              onBlur={() => onPoint(null)}
            >
              <Swatch color={color} />
              <span className="ellipsis">{name}</span>
              <span className="legend-value">{figureText(value, unit, locale)}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
