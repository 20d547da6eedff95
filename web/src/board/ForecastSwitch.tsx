import { useSpeech } from '../i18n/hooks';

interface Props {
  isOn: boolean;
  /** Whether the range is too short to look ahead. */
  isShort: boolean;
  onChange: (isOn: boolean) => void;
}

/** Whether charts show what is expected of the rest of the day. */
export function ForecastSwitch({ isOn, isShort, onChange }: Props) {
  const { t } = useSpeech();
  return (
    <label className="forecast-switch" title={t(isShort ? 'forecast.short' : 'forecast.hint')}>
      <input
        type="checkbox"
        checked={isOn}
        disabled={isShort}
        data-testid="forecast-switch"
        onChange={(event) => onChange(event.target.checked)}
      />
      <span>{t('forecast.label')}</span>
    </label>
  );
}
