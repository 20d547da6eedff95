import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { metricsQuery } from '../../api/queries';
import { numberFormat } from '../../format/units';
import { useSpeech } from '../../i18n/hooks';
import { tabbed } from '../cells';
import type { Fault } from '../fault';
import type { Limits } from '../memory/limits';
import type { Outcome, Running } from '../run';
import { shapeOf } from '../shape';
import { texts } from '../texts';
import { CopyButton } from './CopyButton';
import { CsvButton } from './CsvButton';
import { shownColumns } from './columns';
import { FaultPanel } from './FaultPanel';
import { ResultBars } from './ResultBars';
import { ResultChart } from './ResultChart';
import { ResultTable } from './ResultTable';
import { durationOf } from './took';

export type View = 'table' | 'chart';

interface Props {
  outcome: Outcome;
  running: Running | null;
  fault: Fault | null;
  view: View;
  limits: Limits;
  onView: (view: View) => void;
  onReveal: (offset: number) => void;
  onRemedy: (fault: Fault) => void;
  onRetry: () => void;
}

/** What came of the last run. */
export function ResultPanel(props: Props) {
  const { outcome, running } = props;
  const t = texts.use();
  const { locale } = useSpeech();
  return (
    <section
      className="panel sql-result"
      aria-label={t('result.label')}
      aria-busy={running !== null}
      data-testid="sql-result"
      data-ending={outcome.ending}
      data-running={running !== null}
    >
      {outcome.ending === 'done' && <Answer {...props} outcome={outcome} />}
      {outcome.ending === 'failed' && <FaultPanel {...props} error={outcome.error} tookMs={outcome.tookMs} />}
      {outcome.ending === 'cancelled' && (
        <p className="panel-empty" role="status">
          {t('result.cancelled', { time: durationOf(outcome.tookMs, locale) })}
        </p>
      )}
    </section>
  );
}

type AnswerProps = Props & { outcome: Extract<Outcome, { ending: 'done' }> };

function Answer({ outcome, view, limits, onView }: AnswerProps) {
  const t = texts.use();
  const { locale } = useSpeech();
  const metrics = useQuery(metricsQuery);
  const { answer, cutAt, tookMs, statement } = outcome;
  const columns = useMemo(() => shownColumns(answer.columns, metrics.data), [answer.columns, metrics.data]);
  const shape = useMemo(() => shapeOf(answer), [answer]);
  const shown: View = shape ? view : 'table';
  const number = (n: number) => numberFormat(locale, {}).format(n);
  return (
    <>
      <header className="sql-result-head">
        <p role="status" data-testid="sql-summary">
          <b>{t('result.rows', { count: answer.rows.length, rows: number(answer.rows.length) })}</b>
          <span className="dim">
            {' · '}
            {t('result.columns', { count: answer.columns.length })}
            {' · '}
            <span title={t('result.tookHint')}>{durationOf(tookMs, locale)}</span>
          </span>
        </p>
        {shape && (
          <fieldset className="segmented" aria-label={t('view.label')}>
            {(['table', 'chart'] as const).map((one) => (
              <label key={one} className="segment">
                <input type="radio" name="sql-view" checked={shown === one} onChange={() => onView(one)} />
                <span>{t(`view.${one}`)}</span>
              </label>
            ))}
          </fieldset>
        )}
        <div className="sql-result-actions">
          <CopyButton
            text={() =>
              tabbed(
                answer.columns.map(({ name }) => name),
                answer.rows,
              )
            }
            label={t('copy.all')}
            disabled={answer.rows.length === 0}
          />
          <CsvButton sql={statement.text} limits={limits} />
        </div>
      </header>
      {cutAt !== null && (
        <p className="sql-cut" role="status" data-testid="sql-cut">
          {t('result.cut', { rows: number(cutAt) })}
        </p>
      )}
      {view === 'chart' && !shape && answer.rows.length > 0 && (
        <p className="dim sql-note">{t('chart.none')}</p>
      )}
      {answer.rows.length === 0 && <p className="panel-empty">{t('result.empty')}</p>}
      {shown === 'table' && answer.columns.length > 0 && answer.rows.length > 0 && (
        <ResultTable key={outcome.atMs} answer={answer} columns={columns} />
      )}
      {shown === 'chart' && shape?.kind === 'time' && (
        <ResultChart key={outcome.atMs} answer={answer} columns={columns} shape={shape} />
      )}
      {shown === 'chart' && shape?.kind === 'bars' && (
        <ResultBars key={outcome.atMs} answer={answer} columns={columns} shape={shape} />
      )}
    </>
  );
}
