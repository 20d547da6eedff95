import { useSyncExternalStore } from 'react';
import { briefTime, dateTime } from '../../format/time';
import { numberFormat } from '../../format/units';
import { useSpeech } from '../../i18n/hooks';
import { forgetHistory, historyStore } from '../memory/history';
import { durationOf } from '../result/took';
import { texts } from '../texts';

interface Props {
  onOpen: (sql: string) => void;
}

/** What was run in this browser, the newest first. */
export function HistoryList({ onOpen }: Props) {
  const t = texts.use();
  const { locale, zone } = useSpeech();
  const runs = useSyncExternalStore(historyStore.subscribe, historyStore.get);
  if (runs.length === 0) return <p className="sql-side-message dim">{t('history.none')}</p>;
  const now = Date.now();
  return (
    <>
      <ul className="sql-list" data-testid="sql-history">
        {runs.map((run) => (
          <li key={run.sql}>
            <button type="button" className="sql-entry" title={run.sql} onClick={() => onOpen(run.sql)}>
              <code className="ellipsis">{run.sql.replace(/\s+/g, ' ')}</code>
              <span className="dim ellipsis" title={dateTime(run.at, locale, zone)}>
                {briefTime(run.at, now, locale, zone)}
                {' · '}
                {run.rows === null
                  ? t(run.ending === 'failed' ? 'history.failed' : 'history.cancelled')
                  : t('result.rows', { count: run.rows, rows: numberFormat(locale, {}).format(run.rows) })}
                {' · '}
                {durationOf(run.tookMs, locale)}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <div className="sql-side-actions">
        <button type="button" className="button" onClick={forgetHistory}>
          {t('history.clear')}
        </button>
      </div>
    </>
  );
}
