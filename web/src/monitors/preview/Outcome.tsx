import { useMemo, useState } from 'react';
import type { Metric } from '../../api/types';
import { type Row, rowsOf } from '../compare';
import { type Label, labelled, missedBy, storedLabels, storeLabels, verdictOf } from '../labels';
import { useTexts } from '../texts';
import type { BacktestAnswer, Verdict } from '../types';
import { FoundList } from './FoundList';
import { JudgedBy } from './JudgedBy';
import { Labels } from './Labels';
import { MissedList } from './MissedList';
import { Scoreboard } from './Scoreboard';
import { type Lane, Strip } from './Strip';
import { WeekBars } from './WeekBars';

interface Props {
  answer: BacktestAnswer;
  metric: Metric | undefined;
}

/** What a test found: along the time, in figures, and one by one, with what people say of it. */
export function Outcome({ answer, metric }: Props) {
  const t = useTexts();
  const run = answer.proposed ?? answer.existing;
  const name = run?.metric ?? '';
  // What was said of a metric's past counts for every monitor on it; another metric has labels of its own.
  const [said, setSaid] = useState<{ metric: string; labels: Label[] }>(() => ({
    metric: name,
    labels: storedLabels(name),
  }));
  const labels = useMemo(() => (said.metric === name ? said.labels : storedLabels(name)), [said, name]);
  const [selectedKey, setSelectedKey] = useState<string | null>(null);
  const rows = useMemo(() => rowsOf(answer), [answer]);
  const selected = rows.find(({ key }) => key === selectedKey) ?? null;
  const isCompared = answer.comparison !== null;
  const fromMs = Date.parse(answer.from);
  const toMs = Date.parse(answer.to);

  const say = (next: Label[]) => {
    storeLabels(name, next);
    setSaid({ metric: name, labels: next });
  };
  const verdict = (row: Row) => verdictOf(row.shown, labels);
  const onVerdict = (row: Row, one: Verdict) => say(labelled(labels, row.shown.incident, one, answer.to));
  const toggle = (row: Row) => setSelectedKey(row.key);
  const of = (group: Row['group']) => rows.filter((row) => row.group === group);
  const lanes: Lane[] = isCompared
    ? [
        { key: 'both', label: 'group.both', rows: of('both') },
        { key: 'existing', label: 'group.existing', rows: of('existing') },
        { key: 'proposed', label: 'group.proposed', rows: of('proposed') },
      ]
    : [{ key: 'found', label: 'group.found', rows }];
  const missed = run ? missedBy(run, labels, answer.from, answer.to) : [];

  return (
    <div className="outcome" data-testid="outcome" data-compared={isCompared || undefined}>
      <Strip
        metric={metric?.name === name ? metric : undefined}
        fromMs={fromMs}
        toMs={toMs}
        lanes={lanes}
        missed={missed}
        verdict={verdict}
        selected={selected}
        onSelect={toggle}
      />
      <JudgedBy answer={answer} />
      <div className="outcome-figures">
        <Scoreboard answer={answer} labels={labels} />
        <WeekBars answer={answer} />
      </div>
      {rows.length === 0 ? (
        <div className="all-clear" data-testid="nothing-found">
          <div>
            <p className="all-clear-title">{t('preview.clear.title')}</p>
            <p className="dim">{t('preview.clear.text')}</p>
          </div>
        </div>
      ) : (
        <FoundList
          rows={rows}
          unit={metric?.unit ?? null}
          isCompared={isCompared}
          selected={selected}
          verdict={verdict}
          onSelect={toggle}
          onVerdict={onVerdict}
        />
      )}
      {(['existing', 'proposed'] as const).map((version) => {
        const tested = answer[version];
        return tested ? (
          <MissedList
            key={version}
            version={version}
            missed={missedBy(tested, labels, answer.from, answer.to)}
          />
        ) : null;
      })}
      <Labels metric={name} answer={answer} labels={labels} hasFound={rows.length > 0} onChange={say} />
    </div>
  );
}
