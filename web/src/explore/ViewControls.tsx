import type { ReactNode } from 'react';
import type { Metric } from '../api/types';
import { isSum } from '../charts/shape';
import { durationText } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { drawingOf } from './drawn';
import { comparisons, drawings, type ExploreState } from './state';
import { exploreTexts } from './texts';
import { automaticStep, stepChoices } from './window';

interface Props {
  metric: Metric;
  state: ExploreState;
  /** Whether the span has room for what is to come. */
  hasRoom: boolean;
  onChange: (next: Partial<ExploreState>) => void;
}

/** How the metric is split, stepped, compared and drawn. */
export function ViewControls({ metric, state, hasRoom, onChange }: Props) {
  const t = exploreTexts.use();
  const { t: say, locale } = useSpeech();
  const { by, span, stepMs, compare, forecast } = state;
  const automatic = automaticStep(span, metric);
  const choices = new Set(stepChoices(span, metric));
  if (stepMs !== null) choices.add(stepMs);
  const drawing = drawingOf(state.drawing, metric.kind, by.length > 0);
  const stepText = (ms: number) => (ms === DAY_MS ? t('step.day') : durationText(ms, locale));
  return (
    <>
      <SplitChoices metric={metric} by={by} onChange={(next) => onChange({ by: next, only: [] })} />
      <Field label={t('step.label')}>
        <select
          value={stepMs ?? ''}
          data-testid="step"
          onChange={(event) => onChange({ stepMs: Number(event.target.value) || null })}
        >
          <option value="">{t('step.automatic', { step: stepText(automatic) })}</option>
          {[...choices]
            .sort((a, b) => a - b)
            .map((ms) => (
              <option key={ms} value={ms}>
                {stepText(ms)}
              </option>
            ))}
        </select>
      </Field>
      <Field label={say('compare.label')}>
        <select
          value={compare ?? ''}
          data-testid="compare"
          onChange={(event) =>
            onChange({ compare: comparisons.find((one) => one === event.target.value) ?? null })
          }
        >
          <option value="">{say('compare.none')}</option>
          {comparisons.map((one) => (
            <option key={one} value={one}>
              {say(`compare.${one}`)}
            </option>
          ))}
        </select>
      </Field>
      <fieldset className="segmented drawing">
        <legend className="visually-hidden">{t('drawing.label')}</legend>
        {drawings.map((one) => {
          const isOff = one === 'stacked' && !isSum(metric.kind);
          return (
            <label key={one} className="segment" title={isOff ? t('drawing.noStack') : undefined}>
              <input
                type="radio"
                name="drawing"
                checked={drawing === one}
                disabled={isOff}
                onChange={() => onChange({ drawing: one })}
              />
              <span>{t(`drawing.${one}`)}</span>
            </label>
          );
        })}
      </fieldset>
      <label className="check" title={say(hasRoom ? 'forecast.hint' : 'forecast.short')}>
        <input
          type="checkbox"
          checked={forecast}
          disabled={!hasRoom}
          data-testid="forecast-switch"
          onChange={(event) => onChange({ forecast: event.target.checked })}
        />
        <span>{say('forecast.label')}</span>
      </label>
    </>
  );
}

const DAY_MS = 86_400_000;

/** One dimension, and then another. */
function SplitChoices({
  metric,
  by,
  onChange,
}: {
  metric: Metric;
  by: string[];
  onChange: (by: string[]) => void;
}) {
  const t = exploreTexts.use();
  const { t: say, dimension: spoken } = useSpeech();
  const [first, second] = by;
  if (metric.dimensions.length === 0) return null;
  return (
    <>
      <Field label={say('chart.splitBy')}>
        <select
          value={first ?? ''}
          data-testid="split"
          onChange={({ target }) =>
            onChange(target.value ? [target.value, ...by.slice(1).filter((one) => one !== target.value)] : [])
          }
        >
          <option value="">{say('chart.noSplit')}</option>
          {metric.dimensions.map((dimension) => (
            <option key={dimension} value={dimension}>
              {spoken(dimension)}
            </option>
          ))}
        </select>
      </Field>
      {first && metric.dimensions.length > 1 && (
        <Field label={t('split.and')}>
          <select
            value={second ?? ''}
            data-testid="split-second"
            onChange={({ target }) => onChange(target.value ? [first, target.value] : [first])}
          >
            <option value="">{t('split.nothing')}</option>
            {metric.dimensions
              .filter((dimension) => dimension !== first)
              .map((dimension) => (
                <option key={dimension} value={dimension}>
                  {spoken(dimension)}
                </option>
              ))}
          </select>
        </Field>
      )}
    </>
  );
}

function Field({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child
    <label className="field field-inline">
      <span>{label}</span>
      {children}
    </label>
  );
}
