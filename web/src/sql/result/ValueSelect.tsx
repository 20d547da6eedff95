import { texts } from '../texts';
import type { ShownColumn } from './columns';

interface Props {
  columns: readonly ShownColumn[];
  values: readonly number[];
  value: number;
  onChange: (column: number) => void;
}

/** Which of several columns of figures is drawn. */
export function ValueSelect({ columns, values, value, onChange }: Props) {
  const t = texts.use();
  if (values.length < 2) return null;
  return (
    <label className="sql-setting">
      {t('chart.value')}
      <select value={value} onChange={(event) => onChange(Number(event.target.value))}>
        {values.map((column) => (
          <option key={column} value={column}>
            {columns[column]?.name}
          </option>
        ))}
      </select>
    </label>
  );
}
