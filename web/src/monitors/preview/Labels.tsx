import { type Label, labelRows } from '../labels';
import { saveFile } from '../saveFile';
import { useTexts } from '../texts';
import type { BacktestAnswer } from '../types';
import { yamlRows } from '../yaml';
import { AddLabel } from './AddLabel';

interface Props {
  metric: string;
  answer: BacktestAnswer;
  labels: readonly Label[];
  /** Whether there is anything to label. */
  hasFound: boolean;
  onChange: (labels: Label[]) => void;
}

/** What can be done with all labels at once. */
export function Labels({ metric, answer, labels, hasFound, onChange }: Props) {
  const t = useTexts();
  const isAllOf = ({ verdict, where }: Label) => verdict === 'false_alarm' && Object.keys(where).length === 0;
  const covers = (label: Label) =>
    isAllOf(label) &&
    Date.parse(label.from) <= Date.parse(answer.from) &&
    Date.parse(label.to) >= Date.parse(answer.to);
  const isRest = labels.some(covers);
  const others = labels.filter((label) => !isAllOf(label));
  const callRest = () =>
    onChange(
      isRest ? others : [...others, { from: answer.from, to: answer.to, where: {}, verdict: 'false_alarm' }],
    );
  return (
    <div className="labels">
      <div className="labels-buttons">
        {(hasFound || isRest) && (
          <button type="button" className="button" aria-pressed={isRest} onClick={callRest}>
            {t(isRest ? 'labels.restOn' : 'labels.rest')}
          </button>
        )}
        {labels.length > 0 && (
          <>
            <button
              type="button"
              className="button"
              onClick={() => saveFile(`${metric}-labels.yaml`, yamlRows(labelRows(labels)))}
            >
              {t('labels.save')}
            </button>
            <button type="button" className="button" onClick={() => onChange([])}>
              {t('labels.clear')}
            </button>
          </>
        )}
      </div>
      <AddLabel
        by={(answer.proposed ?? answer.existing)?.by ?? []}
        onAdd={(label) => onChange([...labels, label])}
      />
      <p className="dim">{t('labels.text')}</p>
    </div>
  );
}
