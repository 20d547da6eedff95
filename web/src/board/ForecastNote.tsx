import type { ForecastDocument } from '../api/types';
import { estimate, isLearning } from '../charts/outlook';
import { figureText } from '../format/units';
import { useSpeech } from '../i18n/hooks';

interface Props {
  document: ForecastDocument | undefined;
  /** What is split is not forecast, unless its parts add up. */
  isSplit: boolean;
  unit: string | null;
}

/** What the day is expected to come to, or why there is nothing to draw. */
export function ForecastNote({ document, isSplit, unit }: Props) {
  const { t, locale } = useSpeech();
  if (isSplit) return <p className="forecast-note dim">{t('forecast.split')}</p>;
  if (isLearning(document)) return <p className="forecast-note dim">{t('forecast.learning')}</p>;
  const day = document?.forecasts[0]?.day;
  if (!day) return null;
  const text = (value: number) => figureText(estimate(value), unit, locale);
  const values = { value: text(day.value), low: text(day.lower_80), high: text(day.upper_80) };
  return (
    <p className="forecast-note dim" data-testid="day-forecast" data-value={day.value}>
      {t('forecast.day', values)}
    </p>
  );
}
