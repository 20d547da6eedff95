import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { useSpeech } from '../../../i18n/hooks';
import { valuesQuery } from '../calls';
import { type Limit, newId } from '../draft';
import { FieldGroup } from '../Field';
import { CrossIcon } from '../icons';
import { boardTexts } from '../texts';

interface Props {
  control: string;
  metric: string;
  dimensions: readonly string[];
  where: Limit[];
  onChange: (where: Limit[]) => void;
}

/** What an item is limited to: one value a dimension. */
export function WhereField({ control, metric, dimensions, where, onChange }: Props) {
  const t = boardTexts.use();
  const taken = new Set(where.map(({ dimension }) => dimension));
  const free = dimensions.find((dimension) => !taken.has(dimension));
  const change = (id: string, patch: Partial<Limit>) =>
    onChange(where.map((one) => (one.id === id ? { ...one, ...patch } : one)));
  return (
    <FieldGroup control={control} label={t('field.where')}>
      {where.map((limit) => (
        <LimitRow
          key={limit.id}
          limit={limit}
          metric={metric}
          choices={[
            ...new Set([
              limit.dimension,
              ...dimensions.filter((one) => one === limit.dimension || !taken.has(one)),
            ]),
          ].filter((one) => one !== '')}
          onChange={(patch) => change(limit.id, patch)}
          onRemove={() => onChange(where.filter(({ id }) => id !== limit.id))}
        />
      ))}
      <button
        type="button"
        className="button be-small"
        disabled={free === undefined}
        onClick={() => onChange([...where, { id: newId(), dimension: free ?? '', value: '' }])}
      >
        {t('where.add')}
      </button>
    </FieldGroup>
  );
}

interface RowProps {
  limit: Limit;
  metric: string;
  choices: string[];
  onChange: (patch: Partial<Limit>) => void;
  onRemove: () => void;
}

function LimitRow({ limit, metric, choices, onChange, onRemove }: RowProps) {
  const t = boardTexts.use();
  const { dimension: spoken } = useSpeech();
  const id = useId();
  const isKnown = metric !== '' && limit.dimension !== '';
  const values = useQuery({ ...valuesQuery(metric, limit.dimension), enabled: isKnown });
  return (
    <div className="be-limit">
      <select
        value={limit.dimension}
        aria-label={t('where.dimension')}
        onChange={({ target }) => onChange({ dimension: target.value, value: '' })}
      >
        {choices.map((dimension) => (
          <option key={dimension} value={dimension}>
            {spoken(dimension)}
          </option>
        ))}
      </select>
      <span aria-hidden="true">=</span>
      <input
        type="text"
        list={id}
        value={limit.value}
        aria-label={t('where.value', { dimension: spoken(limit.dimension) })}
        placeholder={t('where.placeholder')}
        autoComplete="off"
        spellCheck={false}
        onChange={({ target }) => onChange({ value: target.value })}
      />
      <datalist id={id}>
        {(values.data ?? []).map((value) => (
          <option key={value} value={value} />
        ))}
      </datalist>
      <button
        type="button"
        className="be-icon"
        aria-label={t('where.remove', { dimension: spoken(limit.dimension) })}
        title={t('where.remove', { dimension: spoken(limit.dimension) })}
        onClick={onRemove}
      >
        <CrossIcon />
      </button>
    </div>
  );
}
