import { briefTime, durationText } from '../../format/time';
import { numberFormat } from '../../format/units';
import { useSpeech } from '../../i18n/hooks';
import { briefDuration } from '../duration';
import { useTexts } from '../texts';
import { type BacktestAnswer, type BacktestRun, detectorNames } from '../types';

/** The detector that judged, with all its settings: what `auto` has chosen, and windows of whole buckets. */
export function judgedText(run: BacktestRun): string {
  const name = detectorNames.find((one) => run.detect[one] !== undefined) ?? 'auto';
  const settings = Object.entries(run.detect[name] ?? {}).filter(([, value]) => value !== null);
  const told = settings.map(
    ([key, value]) => `${key} ${typeof value === 'string' ? briefDuration(value) : value}`,
  );
  return [name, ...told].join(' · ');
}

/** What limits the test: by what was judged, how coarse the past is kept, where there was too little history. */
export function JudgedBy({ answer }: { answer: BacktestAnswer }) {
  const t = useTexts();
  const { locale, zone } = useSpeech();
  const run = answer.proposed ?? answer.existing;
  if (!run) return null;
  const [coarse, fine] = run.resolution;
  const isTruncated = answer.existing?.truncated || answer.proposed?.truncated;
  return (
    <div className="judged-by">
      <p>
        {t('preview.judgedBy')} <code>{judgedText(run)}</code>
      </p>
      {run.learning_hours > 0 && (
        <p className="judged-note" data-testid="learning-note">
          {t('preview.learning', { hours: numberFormat(locale, {}).format(run.learning_hours) })}
        </p>
      )}
      {coarse && fine && (
        <p className="dim">
          {t('preview.coarse', {
            time: briefTime(Date.parse(fine.from), Date.parse(answer.to), locale, zone),
            step: durationText(coarse.step_s * 1_000, locale),
          })}
        </p>
      )}
      {isTruncated && <p className="judged-note">{t('preview.truncated')}</p>}
    </div>
  );
}
