import type { Metric } from '../../api/types';
import { useSpeech } from '../../i18n/hooks';
import type { Draft } from '../draft';
import { useTexts } from '../texts';
import { Field, GroupField } from './Field';

export interface FormProps {
  draft: Draft;
  onChange: (patch: Partial<Draft>) => void;
}

interface Props extends FormProps {
  metrics: ReadonlyMap<string, Metric>;
  /** An existing monitor keeps its name. */
  isNamed: boolean;
}

/** The name, the metric, and the dimensions it is split by. */
export function WatchedFields({ draft, onChange, metrics, isNamed }: Props) {
  const t = useTexts();
  const metric = metrics.get(draft.metric);
  const isUnknown = draft.metric !== '' && !metric;
  return (
    <fieldset className="form-section">
      <legend>{t('edit.watched')}</legend>
      <Field field="name" label={t('field.name')} hint={isNamed ? t('edit.fixed') : t('hint.name')}>
        {(ties) => (
          <input
            {...ties}
            type="text"
            value={draft.name}
            readOnly={isNamed}
            maxLength={63}
            spellCheck={false}
            autoComplete="off"
            onChange={({ target }) => onChange({ name: target.value })}
          />
        )}
      </Field>
      <Field
        field="metric"
        label={t('field.metric')}
        hint={metric && <MetricNote metric={metric} />}
        onMeant={(name) => onChange({ metric: name })}
      >
        {(ties) => (
          <select
            {...ties}
            value={draft.metric}
            data-testid="metric"
            onChange={({ target }) => {
              const next = metrics.get(target.value);
              // What the other metric has no such dimension for would only be a fault.
              const by = draft.by.filter((dimension) => next?.dimensions.includes(dimension));
              onChange({ metric: target.value, by });
            }}
          >
            <option value="">{t('edit.choose')}</option>
            {isUnknown && <option value={draft.metric}>{draft.metric}</option>}
            {[...metrics.keys()].map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      {metric && <ByField draft={draft} onChange={onChange} dimensions={metric.dimensions} />}
    </fieldset>
  );
}

function MetricNote({ metric }: { metric: Metric }) {
  return (
    <>
      {metric.description}
      {metric.formula && (
        <>
          {' '}
          <span className="form-formula">{metric.formula}</span>
        </>
      )}
    </>
  );
}

/** The dimensions in the order in which they are chosen, which is theirs in the definition. */
function ByField({ draft, onChange, dimensions }: FormProps & { dimensions: readonly string[] }) {
  const t = useTexts();
  const { dimension: spoken } = useSpeech();
  // What an address or a file names and the metric does not have stays visible, so that it can be taken out.
  const all = [...dimensions, ...draft.by.filter((one) => !dimensions.includes(one))];
  const toggle = (dimension: string) =>
    onChange({
      by: draft.by.includes(dimension)
        ? draft.by.filter((one) => one !== dimension)
        : [...draft.by, dimension],
    });
  return (
    <GroupField
      field="by"
      label={t('field.by')}
      hint={dimensions.length === 0 ? t('hint.by.none') : t('hint.by')}
      onMeant={(name) => {
        const known = draft.by.filter((one) => dimensions.includes(one));
        onChange({ by: known.includes(name) ? known : [...known, name] });
      }}
    >
      <div className="chip-choices">
        {all.map((dimension) => {
          const place = draft.by.indexOf(dimension);
          return (
            <label key={dimension} className="chip-choice" title={dimension}>
              <input
                type="checkbox"
                checked={place >= 0}
                data-dimension={dimension}
                onChange={() => toggle(dimension)}
              />
              <span>
                {place >= 0 && draft.by.length > 1 && <b>{place + 1}. </b>}
                {spoken(dimension)}
              </span>
            </label>
          );
        })}
      </div>
    </GroupField>
  );
}
