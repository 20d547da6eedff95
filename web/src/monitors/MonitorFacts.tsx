import { dateTime, durationText } from '../format/time';
import { numberFormat } from '../format/units';
import { useSpeech } from '../i18n/hooks';
import { adviceOf, learningMs, type MonitorState, precisionOf } from './state';
import { useTexts } from './texts';
import type { Monitor } from './types';

interface FactsProps {
  monitor: Monitor;
  open: number | null;
  nowMs: number;
}

/** What a monitor has done lately, and what people said of it. */
export function MonitorFacts({ monitor, open, nowMs }: FactsProps) {
  const t = useTexts();
  const { locale, zone } = useSpeech();
  const { last_judged_at: judgedAt, firing, slices, feedback } = monitor;
  const judged = feedback.real + feedback.false_alarms;
  const count = numberFormat(locale, {});
  return (
    <dl className="monitor-facts">
      <div>
        <dt>{t('col.judged')}</dt>
        <dd>
          {judgedAt === null ? (
            <span className="dim">{t('judged.never')}</span>
          ) : (
            <time
              dateTime={judgedAt}
              title={t('judged.hint', { time: dateTime(Date.parse(judgedAt), locale, zone) })}
            >
              {t('judged.ago', { duration: durationText(nowMs - Date.parse(judgedAt), locale) })}
            </time>
          )}
        </dd>
      </div>
      <div>
        <dt>{t('col.slices')}</dt>
        <dd>
          {firing > 0
            ? t('slices.firing', {
                firing: count.format(firing),
                slices: count.format(Math.max(slices, firing)),
              })
            : t('slices.judged', { slices: count.format(slices) })}
        </dd>
      </div>
      <div>
        <dt>{t('col.open')}</dt>
        <dd data-testid="monitor-open">{open === null ? '–' : count.format(open)}</dd>
      </div>
      <div>
        <dt>{t('col.verdicts')}</dt>
        <dd>
          {judged === 0 ? (
            <span className="dim">{t('verdicts.none')}</span>
          ) : (
            t('verdicts.real', { real: count.format(feedback.real), judged: count.format(judged) })
          )}
        </dd>
      </div>
      <div>
        <dt>{t('col.brier')}</dt>
        <dd title={t('brier.hint')}>{brierText(feedback.brier, locale)}</dd>
      </div>
    </dl>
  );
}

function brierText(brier: number | null, locale: string): string {
  if (brier === null) return '–';
  return numberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 3 }).format(brier);
}

export function percentOf(share: number | null, locale: string): string {
  return share === null
    ? '–'
    : numberFormat(locale, { style: 'percent', maximumFractionDigits: 0 }).format(share);
}

export function precisionText(monitor: Monitor, locale: string): string {
  return percentOf(precisionOf(monitor.feedback), locale);
}

/** Why a monitor is in a state that is none to rest in, and what to do about it. */
export function MonitorAdvice({ monitor, state }: { monitor: Monitor; state: MonitorState }) {
  const t = useTexts();
  const { locale } = useSpeech();
  const advice = adviceOf(monitor, state);
  if (advice === null) return null;
  const neededMs = learningMs(monitor);
  const said =
    advice !== 'advice.learning'
      ? t(advice)
      : neededMs >= 86_400_000
        ? t(advice, { duration: durationText(neededMs, locale) })
        : t('advice.learningSoon');
  return (
    <div className="monitor-advice" data-state={state} data-testid="monitor-advice">
      {monitor.error !== null && <p className="monitor-error">{monitor.error}</p>}
      <p>{said}</p>
    </div>
  );
}
