import { numberFormat } from '../format/units';
import { useSpeech } from '../i18n/hooks';
import { runKeys, saveKeys } from './keys';
import { type Limits, rowChoices, secondChoices } from './memory/limits';
import { RunningTime } from './result/RunningTime';
import type { Running } from './run';
import { texts } from './texts';

interface Props {
  running: Running | null;
  hasSelection: boolean;
  limits: Limits;
  said: string;
  onRun: () => void;
  onCancel: () => void;
  onSave: () => void;
  onLimits: (limits: Limits) => void;
}

/** What is done with the statement, and how much it may ask for. */
export function Toolbar({ running, hasSelection, limits, said, onRun, onCancel, onSave, onLimits }: Props) {
  const t = texts.use();
  const { locale } = useSpeech();
  return (
    <div className="sql-toolbar">
      <button
        type="button"
        className="button button-main"
        data-testid="sql-run"
        title={t('runHint', { keys: runKeys })}
        onClick={onRun}
      >
        {t(hasSelection ? 'runSelection' : 'run')}{' '}
        <span className="sql-keys" aria-hidden="true">
          {runKeys}
        </span>
      </button>
      {running ? (
        <>
          <button type="button" className="button" data-testid="sql-cancel" onClick={onCancel}>
            {t('cancel')}
          </button>
          <span className="sql-running" role="status">
            <span className="visually-hidden">{t('result.running')}</span>
            <RunningTime sinceMs={running.sinceMs} />
          </span>
        </>
      ) : (
        <button
          type="button"
          className="button"
          data-testid="sql-save"
          title={t('saveHint', { keys: saveKeys })}
          onClick={onSave}
        >
          {t('save')}
        </button>
      )}
      <span className="sql-said" role="status">
        {said}
      </span>
      <div className="sql-limits">
        <label className="sql-setting" title={t('limits.rowsHint')}>
          {t('limits.rows')}
          <select
            value={limits.rows}
            data-testid="sql-rows"
            onChange={(event) => onLimits({ ...limits, rows: Number(event.target.value) })}
          >
            {rowChoices.map((rows) => (
              <option key={rows} value={rows}>
                {numberFormat(locale, {}).format(rows)}
              </option>
            ))}
          </select>
        </label>
        <label className="sql-setting" title={t('limits.timeHint')}>
          {t('limits.time')}
          <select
            value={limits.seconds}
            data-testid="sql-seconds"
            onChange={(event) => onLimits({ ...limits, seconds: Number(event.target.value) })}
          >
            {secondChoices.map((seconds) => (
              <option key={seconds} value={seconds}>
                {t('limits.seconds', { seconds })}
              </option>
            ))}
          </select>
        </label>
      </div>
    </div>
  );
}
