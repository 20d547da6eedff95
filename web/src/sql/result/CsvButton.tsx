import { useEffect, useRef, useState } from 'react';
import { ApiError } from '../../api/client';
import { askCsv } from '../call';
import { download, fileName } from '../download';
import type { Limits } from '../memory/limits';
import { texts } from '../texts';

interface Props {
  sql: string;
  limits: Limits;
}

/** Asks for the whole answer as CSV, not only for the rows that are shown. A second click gives it up. */
export function CsvButton({ sql, limits }: Props) {
  const t = texts.use();
  const [fault, setFault] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const current = useRef<AbortController | null>(null);
  useEffect(() => () => current.current?.abort(), []);
  const start = async () => {
    const controller = new AbortController();
    current.current = controller;
    setFault(null);
    setIsBusy(true);
    try {
      const content = await askCsv(sql, { timeoutMs: limits.seconds * 1000 }, controller.signal);
      download(fileName('csv', new Date()), content);
    } catch (cause) {
      if (controller.signal.aborted) return;
      const problem = cause instanceof ApiError ? cause.problem : null;
      setFault(problem?.detail ?? problem?.title ?? t('csv.unreachable'));
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <>
      <button
        type="button"
        className="button"
        data-testid="sql-csv"
        title={t('csv.hint')}
        onClick={() => (isBusy ? current.current?.abort() : void start())}
      >
        {isBusy ? t('csv.cancel') : t('csv.label')}
      </button>
      {fault !== null && (
        <p className="sql-action-fault" role="alert">
          {t('csv.failed', { reason: fault })}
        </p>
      )}
    </>
  );
}
