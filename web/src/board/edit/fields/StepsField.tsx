import type { Metric } from '../../../api/types';
import { moved } from '../changes';
import { emptyStep, STEPS_MAX, type Step } from '../draft';
import { FieldGroup } from '../Field';
import { BinIcon, DownIcon, UpIcon } from '../icons';
import { boardTexts } from '../texts';
import { MetricField } from './MetricField';
import { TitleFields } from './TitleFields';

interface Props {
  control: string;
  steps: Step[];
  metrics: ReadonlyMap<string, Metric>;
  onChange: (steps: Step[], tag?: string) => void;
}

/** The steps of a funnel, the widest first. */
export function StepsField({ control, steps, metrics, onChange }: Props) {
  const t = boardTexts.use();
  const change = (id: string, patch: Partial<Step>, tag?: string) =>
    onChange(
      steps.map((step) => (step.id === id ? { ...step, ...patch } : step)),
      tag,
    );
  return (
    <FieldGroup control={control} label={t('field.steps')} hint={t('hint.steps')}>
      <ol className="be-steps">
        {steps.map((step, i) => (
          <li key={step.id} className="be-step">
            <div className="be-step-head">
              <b>{t('steps.one', { number: i + 1 })}</b>
              <button
                type="button"
                className="be-icon"
                disabled={i === 0}
                aria-label={t('steps.up', { number: i + 1 })}
                onClick={() => onChange(moved(steps, i, i - 1))}
              >
                <UpIcon />
              </button>
              <button
                type="button"
                className="be-icon"
                disabled={i === steps.length - 1}
                aria-label={t('steps.down', { number: i + 1 })}
                onClick={() => onChange(moved(steps, i, i + 1))}
              >
                <DownIcon />
              </button>
              <button
                type="button"
                className="be-icon"
                aria-label={t('steps.remove', { number: i + 1 })}
                onClick={() => onChange(steps.filter(({ id }) => id !== step.id))}
              >
                <BinIcon />
              </button>
            </div>
            <MetricField
              control={`${control}.${step.id}.metric`}
              label={t('field.metric')}
              metric={step.metric}
              metrics={metrics}
              onChange={(metric) => change(step.id, { metric })}
            />
            <TitleFields
              control={`${control}.${step.id}.title`}
              label={t('field.title')}
              en={step.titleEn}
              zh={step.titleZh}
              onChange={(patch) => change(step.id, patch, `${step.id}.title`)}
            />
          </li>
        ))}
      </ol>
      <button
        type="button"
        className="button be-small"
        disabled={steps.length >= STEPS_MAX}
        onClick={() => onChange([...steps, emptyStep()])}
      >
        {t('steps.add')}
      </button>
    </FieldGroup>
  );
}
