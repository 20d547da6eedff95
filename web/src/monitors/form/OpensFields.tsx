import { useSpeech } from '../../i18n/hooks';
import { RESOLVE_AFTER } from '../draft';
import { useTexts } from '../texts';
import { directions, severities } from '../types';
import { Field, GroupField } from './Field';
import type { FormProps } from './WatchedFields';

/** Which way is bad, how urgent it is, and what keeps an incident from flickering. */
export function OpensFields({ draft, onChange }: FormProps) {
  const t = useTexts();
  const { t: say } = useSpeech();
  return (
    <fieldset className="form-section">
      <legend>{t('edit.opens')}</legend>
      <GroupField
        field="direction"
        label={t('field.direction')}
        hint={t(draft.detector === 'threshold' ? 'hint.direction.threshold' : 'hint.direction')}
      >
        <div className="segmented form-segments">
          {(['', ...directions] as const).map((one) => (
            <label key={one} className="segment">
              <input
                type="radio"
                name="direction"
                value={one}
                checked={draft.direction === one}
                onChange={() => onChange({ direction: one })}
              />
              <span>{t(`direction.${one}`)}</span>
            </label>
          ))}
        </div>
      </GroupField>
      <div className="form-grid">
        <Field field="severity" label={t('field.severity')}>
          {(ties) => (
            <select
              {...ties}
              value={draft.severity}
              onChange={({ target }) => onChange({ severity: target.value })}
            >
              <option value="">{t('severity.')}</option>
              {severities.map((one) => (
                <option key={one} value={one}>
                  {say(`severity.${one}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
        {(['for', 'resolve_after'] as const).map((key) => (
          <Field key={key} field={key} label={t(`field.${key}`)} hint={t(`hint.${key}`)}>
            {(ties) => (
              <input
                {...ties}
                type="text"
                value={draft[key]}
                placeholder={t('unless', { value: key === 'for' ? '0s' : RESOLVE_AFTER })}
                maxLength={20}
                autoComplete="off"
                onChange={({ target }) => onChange({ [key]: target.value })}
              />
            )}
          </Field>
        ))}
        <Field field="early" label={t('field.early')} hint={t('hint.early')}>
          {(ties) => (
            <select
              {...ties}
              value={draft.early}
              onChange={({ target }) => onChange({ early: target.value })}
            >
              {(['', 'false'] as const).map((one) => (
                <option key={one} value={one}>
                  {t(`early.${one}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
    </fieldset>
  );
}
