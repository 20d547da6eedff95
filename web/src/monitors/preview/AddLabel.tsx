import { useState } from 'react';
import { useSpeech } from '../../i18n/hooks';
import type { Label } from '../labels';
import { instantOf, labelBetween } from '../localTime';
import { useTexts } from '../texts';

interface Props {
  /** The dimensions that the tested monitor splits by. */
  by: readonly string[];
  onAdd: (label: Label) => void;
}

/** Something that was wrong, whether a version found it or not: only so is it known what was missed. */
export function AddLabel({ by, onAdd }: Props) {
  const t = useTexts();
  const { dimension, zone } = useSpeech();
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [values, setValues] = useState<Record<string, string>>({});
  const label = labelBetween(instantOf(from, zone), instantOf(to, zone), values, by);
  const add = () => {
    if (!label) return;
    onAdd(label);
    setFrom('');
    setTo('');
    setValues({});
  };
  return (
    <details className="add-label">
      <summary>{t('label.add')}</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <p className="dim">{t('label.addText', { zone })}</p>
        <div className="form-grid">
          <label className="filter">
            <span>{t('label.from')}</span>
            <input type="datetime-local" value={from} onChange={({ target }) => setFrom(target.value)} />
          </label>
          <label className="filter">
            <span>{t('label.to')}</span>
            <input type="datetime-local" value={to} onChange={({ target }) => setTo(target.value)} />
          </label>
          {by.map((one) => (
            <label key={one} className="filter">
              <span>{dimension(one)}</span>
              <input
                type="text"
                value={values[one] ?? ''}
                placeholder={t('label.any')}
                maxLength={200}
                autoComplete="off"
                onChange={({ target }) => setValues({ ...values, [one]: target.value })}
              />
            </label>
          ))}
        </div>
        {from !== '' && to !== '' && !label && <p className="form-faults">{t('label.order')}</p>}
        <button type="submit" className="button" disabled={!label}>
          {t('label.submit')}
        </button>
      </form>
    </details>
  );
}
