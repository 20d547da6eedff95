import { useState } from 'react';
import { figureText } from '../../format/units';
import { useSpeech } from '../../i18n/hooks';
import type { SqlAnswer } from '../call';
import { cellText } from '../cells';
import { BARS_MAX, type BarShape, barsOf } from '../shape';
import { texts } from '../texts';
import type { ShownColumn } from './columns';
import { ValueSelect } from './ValueSelect';

interface Props {
  answer: SqlAnswer;
  columns: ShownColumn[];
  shape: BarShape;
}

/** Figures of named things as bars, in the order of the answer. The names and figures are text, so it reads without sight. */
export function ResultBars({ answer, columns, shape }: Props) {
  const t = texts.use();
  const { locale, zone, sliceValue } = useSpeech();
  const [value, setValue] = useState(shape.values[0] ?? 0);
  const bars = barsOf(answer, shape, value);
  const numbers = bars.map((bar) => bar.value ?? 0);
  const low = Math.min(0, ...numbers);
  const spread = Math.max(0, ...numbers) - low || 1;
  const share = (number: number) => `${(number / spread) * 100}%`;
  const column = columns[value];
  return (
    <div className="sql-bars" data-testid="sql-bars">
      <ValueSelect columns={columns} values={shape.values} value={value} onChange={setValue} />
      <ul aria-label={column?.name}>
        {bars.map(({ names, figure, value: number }, i) => {
          const name = names.map(sliceValue).join(' · ');
          const text = column?.unit
            ? figureText(
                typeof figure === 'string' || typeof figure === 'number' ? figure : null,
                column.unit,
                locale,
              )
            : cellText(figure, 'number', locale, zone);
          const size = Math.abs(number ?? 0);
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: names may repeat, and the order is the answer's
            <li key={`${i} ${name}`}>
              <span className="sql-bar-name ellipsis" title={name}>
                {name}
              </span>
              <span className="sql-bar-track" aria-hidden="true">
                <span
                  className="sql-bar"
                  style={{ left: share(Math.min(0, number ?? 0) - low), width: share(size) }}
                />
              </span>
              <span className="sql-bar-figure">
                {figure === null ? <span className="sql-null">null</span> : text}
              </span>
            </li>
          );
        })}
      </ul>
      {answer.rows.length > BARS_MAX && (
        <p className="dim sql-note">{t('chart.barsLeft', { shown: BARS_MAX, count: answer.rows.length })}</p>
      )}
    </div>
  );
}
