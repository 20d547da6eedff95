import { useState } from 'react';
import type { Metric } from '../../api/types';
import { looksAtCalendar } from '../detectors';
import { useTexts } from '../texts';
import { Field, GroupField } from './Field';
import type { FormProps } from './WatchedFields';

interface Props extends FormProps {
  metrics: ReadonlyMap<string, Metric>;
  /** Channels that are known: active ones, and those of other monitors. */
  channels: readonly string[];
  /** Owners of earlier incidents. */
  owners: readonly string[];
}

/** Who is told, and with what. */
export function ToldFields({ draft, onChange, metrics, channels, owners }: Props) {
  const t = useTexts();
  const sums = [...metrics.values()].filter(({ kind }) => kind === 'amount' || kind === 'count');
  const isOther = draft.impact !== '' && !sums.some(({ name }) => name === draft.impact);
  return (
    <fieldset className="form-section">
      <legend>{t('edit.told')}</legend>
      <ChannelField draft={draft} onChange={onChange} channels={channels} />
      <div className="form-grid">
        <Field
          field="impact"
          label={t('field.impact')}
          hint={t('hint.impact')}
          onMeant={(name) => onChange({ impact: name })}
        >
          {(ties) => (
            <select
              {...ties}
              value={draft.impact}
              onChange={({ target }) => onChange({ impact: target.value })}
            >
              <option value="">{t('hint.impact.none')}</option>
              {isOther && <option value={draft.impact}>{draft.impact}</option>}
              {sums.map(({ name, unit }) => (
                <option key={name} value={name}>
                  {unit && unit !== 'count' ? `${name} (${unit})` : name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field field="owner" label={t('field.owner')} hint={t('hint.owner')}>
          {(ties) => (
            <>
              <input
                {...ties}
                type="text"
                list={`${ties.id}-owners`}
                value={draft.owner}
                maxLength={200}
                autoComplete="off"
                onChange={({ target }) => onChange({ owner: target.value })}
              />
              <datalist id={`${ties.id}-owners`}>
                {owners.map((owner) => (
                  <option key={owner} value={owner} />
                ))}
              </datalist>
            </>
          )}
        </Field>
        <Field
          field="calendar"
          label={t('field.calendar')}
          hint={t(looksAtCalendar(draft.detector) ? 'hint.calendar' : 'hint.calendar.unused')}
          onMeant={(name) => onChange({ calendar: name })}
        >
          {(ties) => (
            <input
              {...ties}
              type="text"
              value={draft.calendar}
              maxLength={63}
              spellCheck={false}
              autoComplete="off"
              onChange={({ target }) => onChange({ calendar: target.value })}
            />
          )}
        </Field>
        <Field field="description" label={t('field.description')} hint={t('hint.description')}>
          {(ties) => (
            <input
              {...ties}
              type="text"
              value={draft.description}
              maxLength={300}
              autoComplete="off"
              onChange={({ target }) => onChange({ description: target.value })}
            />
          )}
        </Field>
      </div>
    </fieldset>
  );
}

function ChannelField({ draft, onChange, channels }: FormProps & { channels: readonly string[] }) {
  const t = useTexts();
  const [text, setText] = useState('');
  const all = [...new Set([...channels, ...draft.notify])];
  const add = () => {
    const name = text.trim();
    if (name !== '' && !draft.notify.includes(name)) onChange({ notify: [...draft.notify, name] });
    setText('');
  };
  return (
    <GroupField
      field="notify"
      label={t('field.notify')}
      hint={t('hint.notify')}
      onMeant={(name) => {
        const known = draft.notify.filter((one) => channels.includes(one));
        onChange({ notify: known.includes(name) ? known : [...known, name] });
      }}
    >
      <div className="chip-choices">
        {all.map((channel) => (
          <label key={channel} className="chip-choice">
            <input
              type="checkbox"
              checked={draft.notify.includes(channel)}
              onChange={({ target }) =>
                onChange({
                  notify: target.checked
                    ? [...draft.notify, channel]
                    : draft.notify.filter((one) => one !== channel),
                })
              }
            />
            <span>{channel}</span>
          </label>
        ))}
        <span className="chip-add">
          <input
            type="text"
            value={text}
            aria-label={t('hint.notify.add')}
            placeholder={t('hint.notify.add')}
            maxLength={63}
            spellCheck={false}
            autoComplete="off"
            onChange={({ target }) => setText(target.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter') {
                event.preventDefault();
                add();
              }
            }}
          />
          <button type="button" className="button" disabled={text.trim() === ''} onClick={add}>
            {t('hint.add')}
          </button>
        </span>
      </div>
    </GroupField>
  );
}
