import { useState } from 'react';
import { numberFormat } from '../../format/units';
import { useSpeech } from '../../i18n/hooks';
import type { Group, Row } from '../compare';
import { useTexts } from '../texts';
import type { Verdict } from '../types';
import { FoundRow } from './FoundRow';

interface Props {
  rows: readonly Row[];
  unit: string | null;
  isCompared: boolean;
  selected: Row | null;
  verdict: (row: Row) => Verdict | null;
  onSelect: (row: Row) => void;
  onVerdict: (row: Row, verdict: Verdict) => void;
}

const SHOWN_FIRST = 20;
const groups = ['both', 'existing', 'proposed'] as const;

/** What would have opened, the newest first. */
export function FoundList({ rows, unit, isCompared, selected, verdict, onSelect, onVerdict }: Props) {
  const t = useTexts();
  const { locale } = useSpeech();
  const [group, setGroup] = useState<Group | null>(null);
  const [most, setMost] = useState(SHOWN_FIRST);
  const chosen = isCompared && group !== null ? rows.filter((row) => row.group === group) : rows;
  // What is chosen in the strip is shown, however far down it stands.
  const at = selected ? chosen.findIndex(({ key }) => key === selected.key) : -1;
  const shown = chosen.slice(0, Math.max(most, at + 1));
  const countOf = (one: Group | null) =>
    one === null ? rows.length : rows.filter((row) => row.group === one).length;
  return (
    <section className="found-list" aria-labelledby="found-title">
      <div className="found-list-head">
        <h3 id="found-title">{t('found.title')}</h3>
        {isCompared && (
          <fieldset className="state-filter">
            <legend className="visually-hidden">{t('found.title')}</legend>
            {[null, ...groups].map((one) => (
              <label key={one ?? 'all'} className="state-choice">
                <input type="radio" name="group" checked={group === one} onChange={() => setGroup(one)} />
                <span>
                  {t(one === null ? 'group.all' : `group.${one}`)} <b>{countOf(one)}</b>
                </span>
              </label>
            ))}
          </fieldset>
        )}
      </div>
      {chosen.length === 0 && <p className="dim">{t('found.none')}</p>}
      <ul>
        {shown.map((row) => (
          <FoundRow
            key={row.key}
            row={row}
            unit={unit}
            isCompared={isCompared}
            isSelected={selected?.key === row.key}
            verdict={verdict(row)}
            onSelect={() => onSelect(row)}
            onVerdict={(one) => onVerdict(row, one)}
          />
        ))}
      </ul>
      {chosen.length > shown.length && (
        <button type="button" className="button" onClick={() => setMost(shown.length + 50)}>
          {t('found.more', {
            count: numberFormat(locale, {}).format(Math.min(50, chosen.length - shown.length)),
          })}
        </button>
      )}
    </section>
  );
}
