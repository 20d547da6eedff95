import { Link } from '@tanstack/react-router';
import type { Figure } from '../api/types';
import { Swatch } from '../charts/Swatch';
import { PageIcon } from '../explore/icons';
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
  /** Where a slice can be looked into. */
  drillTo: (key: string) => Record<string, string>;
}

/** The slices with their figures over the range. A click hides a line, pointing at a name brings it forward, its arrow leads to it. */
export function ChartLegend({ items, unit, hidden, onToggle, onPoint, label, drillTo }: Props) {
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
            <Link
              to="/explore"
              search={drillTo(key)}
              className="legend-drill"
              aria-label={t('chart.explore', { name })}
              title={t('chart.explore', { name })}
            >
              <PageIcon name="open" />
            </Link>
          </li>
        );
      })}
    </ul>
  );
}
