import { durationText } from '../../format/time';
import { numberFormat } from '../../format/units';
import { useSpeech } from '../../i18n/hooks';
import { medianDelay } from '../compare';
import { type Label, type Score, scoreOf } from '../labels';
import { percentOf } from '../MonitorFacts';
import { type TextKey, useTexts } from '../texts';
import type { BacktestAnswer, BacktestRun } from '../types';

interface Column {
  version: 'existing' | 'proposed';
  run: BacktestRun;
  score: Score;
}

/** What each version found, how much of it was real, and what it missed. */
export function Scoreboard({ answer, labels }: { answer: BacktestAnswer; labels: readonly Label[] }) {
  const t = useTexts();
  const { locale } = useSpeech();
  const count = numberFormat(locale, {});
  const columns: Column[] = (['existing', 'proposed'] as const).flatMap((version) => {
    const run = answer[version];
    return run ? [{ version, run, score: scoreOf(run, labels, answer.from, answer.to) }] : [];
  });
  const delay = ({ run }: Column) => {
    const seconds = medianDelay(run.incidents);
    return seconds === null ? '–' : durationText(seconds * 1_000, locale);
  };
  const lines: { key: TextKey; hint?: TextKey; id: string; value: (column: Column) => string }[] = [
    { key: 'score.found', id: 'found', value: ({ score }) => count.format(score.found) },
    {
      key: 'score.perWeek',
      id: 'per-week',
      value: ({ run }) => numberFormat(locale, { maximumFractionDigits: 1 }).format(run.per_week),
    },
    {
      key: 'score.precision',
      hint: 'score.precision.hint',
      id: 'precision',
      value: ({ score }) => percentOf(score.precision, locale),
    },
    { key: 'score.real', id: 'real', value: ({ score }) => count.format(score.real) },
    { key: 'score.falseAlarms', id: 'false-alarms', value: ({ score }) => count.format(score.falseAlarms) },
    { key: 'score.unjudged', id: 'unjudged', value: ({ score }) => count.format(score.unjudged) },
    {
      key: 'score.missed',
      hint: 'score.missed.hint',
      id: 'missed',
      value: ({ score }) => count.format(score.missed),
    },
    { key: 'score.delay', hint: 'score.delay.hint', id: 'delay', value: delay },
  ];
  return (
    <table className="scoreboard" aria-label={t('score.label')} data-testid="scoreboard">
      <thead>
        <tr>
          <td />
          {columns.map(({ version }) => (
            <th key={version} scope="col" data-version={version}>
              {t(`version.${version}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {lines.map(({ key, hint, id, value }) => (
          <tr key={id}>
            <th scope="row" title={hint && t(hint)}>
              {t(key)}
            </th>
            {columns.map((column) => (
              <td key={column.version} data-figure={`${column.version}-${id}`}>
                {value(column)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
