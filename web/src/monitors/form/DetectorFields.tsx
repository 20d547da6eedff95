import type { Metric } from '../../api/types';
import { chosenByAuto, type Setting, sensitivities, settingsOf, suits, takesOver } from '../detectors';
import { type TextKey, useTexts } from '../texts';
import { type DetectorName, detectorNames } from '../types';
import { Field, GroupField } from './Field';
import type { FormProps } from './WatchedFields';

/** How the metric is judged: a detector, and its settings with what they are unless told. */
export function DetectorFields({ draft, onChange, metric }: FormProps & { metric: Metric | undefined }) {
  const t = useTexts();
  const needs = (name: DetectorName): TextKey | null =>
    metric && !suits(name, metric.kind) && (name === 'rate' || name === 'count' || name === 'silence')
      ? `detect.${name}.needs`
      : null;
  const says = (name: DetectorName) => {
    const needed = needs(name);
    if (needed) return t(needed);
    if (name !== 'auto') return t(`detect.${name}.text`);
    if (!metric) return t('detect.auto.any');
    return t('detect.auto.text', { detector: t(`detect.${chosenByAuto(metric.kind)}.title`) });
  };
  return (
    <fieldset className="form-section">
      <legend>{t('edit.how')}</legend>
      <GroupField field="detect" label={t('field.detect')}>
        <div className="detector-choices">
          {detectorNames.map((name) => (
            <label key={name} className="detector-choice" data-unfit={needs(name) !== null || undefined}>
              <input
                type="radio"
                name="detector"
                value={name}
                checked={draft.detector === name}
                onChange={() => onChange({ detector: name })}
              />
              <span>
                <b>{t(`detect.${name}.title`)}</b>
                <small>{says(name)}</small>
              </span>
            </label>
          ))}
        </div>
      </GroupField>
      <div className="form-grid">
        {settingsOf[draft.detector].map((setting) => (
          <SettingField
            key={setting.key}
            setting={setting}
            draft={draft}
            onChange={onChange}
            metric={metric}
          />
        ))}
        {takesOver(draft.detector) && (
          <Field field="over" label={t('field.over')} hint={t('hint.over')}>
            {(ties) => (
              <input
                {...ties}
                type="text"
                value={draft.over}
                placeholder="–"
                maxLength={20}
                autoComplete="off"
                onChange={({ target }) => onChange({ over: target.value })}
              />
            )}
          </Field>
        )}
      </div>
    </fieldset>
  );
}

interface SettingProps extends FormProps {
  setting: Setting;
  metric: Metric | undefined;
}

function SettingField({ setting, draft, onChange, metric }: SettingProps) {
  const t = useTexts();
  const { key, kind, unlessTold } = setting;
  const value = draft.settings[key] ?? '';
  const write = (text: string) => onChange({ settings: { ...draft.settings, [key]: text } });
  const isReplaced = key === 'window' && draft.over.trim() !== '';
  return (
    <Field
      field={`settings.${key}`}
      label={t(`setting.${key}`)}
      hint={t(explanationOf(draft.detector, key, metric?.unit === 'percent'))}
    >
      {(ties) =>
        kind === 'sensitivity' ? (
          <select {...ties} value={value || unlessTold} onChange={({ target }) => write(target.value)}>
            {sensitivities.map((one) => (
              <option key={one} value={one}>
                {t(`sensitivity.${one}`)}
              </option>
            ))}
            {value !== '' && !(sensitivities as readonly string[]).includes(value) && (
              <option value={value}>{value}</option>
            )}
          </select>
        ) : (
          <input
            {...ties}
            type="text"
            inputMode={kind === 'duration' ? 'text' : 'decimal'}
            value={value}
            disabled={isReplaced}
            maxLength={40}
            autoComplete="off"
            data-setting={key}
            placeholder={unlessTold === '' ? '–' : t('unless', { value: unlessTold })}
            onChange={({ target }) => write(target.value)}
          />
        )
      }
    </Field>
  );
}

/** What a setting means for this detector. */
function explanationOf(detector: DetectorName, key: Setting['key'], isPercent: boolean): TextKey {
  const isVolume = detector === 'rate' || detector === 'count';
  switch (key) {
    case 'above':
    case 'below':
      return isPercent ? 'explain.bound.percent' : 'explain.bound';
    case 'min_samples':
      return detector === 'threshold' || detector === 'rate' || detector === 'count'
        ? `explain.min_samples.${detector}`
        : 'explain.min_samples.rate';
    case 'min_change':
      return detector === 'rate' ? 'explain.min_change.rate' : 'explain.min_change';
    case 'window':
      if (isVolume) return 'explain.window.rate';
      if (detector === 'threshold' || detector === 'silence') return `explain.window.${detector}`;
      return 'explain.window';
    default:
      return `explain.${key}`;
  }
}
