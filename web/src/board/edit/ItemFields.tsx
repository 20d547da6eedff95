import type { Metric } from '../../api/types';
import { useSpeech } from '../../i18n/hooks';
import { ranges } from '../../state/range';
import { byCounts, type Control, controls, goods, type Item, shapes, TEXT_MAX, widths } from './draft';
import { Field, FieldGroup } from './Field';
import { ByField } from './fields/ByField';
import { MetricField } from './fields/MetricField';
import { StepsField } from './fields/StepsField';
import { TitleFields } from './fields/TitleFields';
import { WhereField } from './fields/WhereField';
import { boardTexts } from './texts';

export type Patch = (patch: Partial<Item>, tag?: string) => void;

interface Props {
  item: Item;
  metrics: ReadonlyMap<string, Metric>;
  onChange: Patch;
}

/** All that can be said of one item. */
export function ItemFields({ item, metrics, onChange }: Props) {
  const t = boardTexts.use();
  const metric = metrics.get(item.metric);
  const dimensions = item.kind === 'funnel' ? sharedDimensions(item, metrics) : (metric?.dimensions ?? []);
  const at = (field: string) => `${item.id}.${field}`;
  const has = (control: Control) => controls[item.kind].includes(control);
  const chooseMetric = (name: string) => {
    const next = metrics.get(name);
    const isKnown = (dimension: string) => next?.dimensions.includes(dimension) ?? false;
    // What the other metric has no such dimension for would only be a fault.
    const by = item.by.filter(isKnown);
    const where = item.where.filter(({ dimension }) => isKnown(dimension));
    const also = item.also.filter((one) => one !== name && metrics.get(one)?.of === next?.of);
    const isMap = item.kind === 'map' && by.length === 0 && isKnown('country');
    onChange({ metric: name, by: isMap ? ['country'] : by, where, also });
  };
  return (
    <div className="be-fields">
      {has('metric') && (
        <MetricField
          control={at('metric')}
          label={t('field.metric')}
          metric={item.metric}
          metrics={metrics}
          onChange={chooseMetric}
        />
      )}
      {item.kind === 'text' && <TextFields item={item} onChange={onChange} />}
      {item.kind === 'funnel' && (
        <StepsField
          control={at('steps')}
          steps={item.steps}
          metrics={metrics}
          onChange={(steps, tag) => onChange({ steps }, tag)}
        />
      )}
      <TitleFields
        control={at('title')}
        label={t('field.title')}
        en={item.titleEn}
        zh={item.titleZh}
        hint={t(
          item.kind === 'text' ? 'hint.titleFree' : item.kind === 'funnel' ? 'hint.titleOwn' : 'hint.title',
        )}
        onChange={(patch) => onChange(patch, at('title'))}
      />
      {has('by') && (metric || item.by.length > 0) && (
        <ByField
          control={at('by')}
          label={t(`by.${item.kind as 'chart' | 'table' | 'sankey' | 'map'}`)}
          hint={byHint(item, t)}
          chosen={item.by}
          dimensions={dimensions}
          most={byCounts[item.kind][1]}
          onChange={(by) => onChange({ by })}
        />
      )}
      {has('also') && metric && (
        <AlsoField item={item} metric={metric} metrics={metrics} onChange={onChange} />
      )}
      {has('scale') && <ScaleFields item={item} onChange={onChange} />}
      <div className="be-grid">
        {has('shape') && (
          <Choice
            control={at('shape')}
            label={t('field.shape')}
            value={item.shape}
            choices={shapes.map((one) => [one, t(`shape.${one}`)])}
            unlessTold={t('shape.auto')}
            onChange={(shape) => onChange({ shape })}
          />
        )}
        {has('good') && (
          <Choice
            control={at('good')}
            label={t('field.good')}
            value={item.good}
            choices={goods.map((one) => [one, t(`good.${one}`)])}
            unlessTold={t(item.kind === 'gauge' ? 'good.gauge' : 'good.none')}
            onChange={(good) => onChange({ good })}
          />
        )}
        {has('window') && <WindowField item={item} onChange={onChange} />}
        {has('top') && (
          <CountField
            item={item}
            field="top"
            unlessTold={item.kind === 'sankey' ? 6 : 10}
            onChange={onChange}
          />
        )}
        {has('weeks') && <CountField item={item} field="weeks" unlessTold={4} onChange={onChange} />}
        {item.kind !== 'tile' && (
          <Choice
            control={at('width')}
            label={t('field.width')}
            value={item.width}
            choices={widths.map((one) => [one, t(`width.${one}`)])}
            unlessTold={t('width.auto')}
            onChange={(width) => onChange({ width })}
          />
        )}
      </div>
      {item.kind !== 'text' && (dimensions.length > 0 || item.where.length > 0) && (
        <WhereField
          control={at('where')}
          metric={item.metric || (item.steps[0]?.metric ?? '')}
          dimensions={dimensions}
          where={item.where}
          onChange={(where) => onChange({ where }, at('where'))}
        />
      )}
    </div>
  );
}

/** The dimensions that all steps of a funnel have: only by these can all of it be limited. */
function sharedDimensions(item: Item, metrics: ReadonlyMap<string, Metric>): string[] {
  const [first, ...others] = item.steps.flatMap(({ metric }) => metrics.get(metric) ?? []);
  if (!first) return [];
  return first.dimensions.filter((one) => others.every(({ dimensions }) => dimensions.includes(one)));
}

function byHint(item: Item, t: ReturnType<typeof boardTexts.use>): string {
  const [least, most] = byCounts[item.kind];
  return most === 1 ? t('hint.byOne') : t('hint.by', { least, most });
}

interface ChoiceProps {
  control: string;
  label: string;
  value: string;
  choices: [value: string, label: string][];
  /** What holds where nothing is chosen. */
  unlessTold: string;
  onChange: (value: string) => void;
}

function Choice({ control, label, value, choices, unlessTold, onChange }: ChoiceProps) {
  return (
    <Field control={control} label={label}>
      {(ties) => (
        <select {...ties} value={value} onChange={({ target }) => onChange(target.value)}>
          <option value="">{unlessTold}</option>
          {choices.map(([one, text]) => (
            <option key={one} value={one}>
              {text}
            </option>
          ))}
          {value !== '' && !choices.some(([one]) => one === value) && <option value={value}>{value}</option>}
        </select>
      )}
    </Field>
  );
}

function WindowField({ item, onChange }: Omit<Props, 'metrics'>) {
  const t = boardTexts.use();
  const { t: say } = useSpeech();
  return (
    <Choice
      control={`${item.id}.window`}
      label={t('field.window')}
      value={item.window}
      choices={ranges.map((one) => [one, say(`range.${one}`)])}
      unlessTold={t('window.auto')}
      onChange={(window) => onChange({ window })}
    />
  );
}

interface CountProps extends Omit<Props, 'metrics'> {
  field: 'top' | 'weeks';
  unlessTold: number;
}

function CountField({ item, field, unlessTold, onChange }: CountProps) {
  const t = boardTexts.use();
  return (
    <Field control={`${item.id}.${field}`} label={t(`field.${field}`)}>
      {(ties) => (
        <input
          {...ties}
          type="text"
          inputMode="numeric"
          value={item[field]}
          placeholder={String(unlessTold)}
          autoComplete="off"
          onChange={({ target }) => onChange({ [field]: target.value }, `${item.id}.${field}`)}
        />
      )}
    </Field>
  );
}

function ScaleFields({ item, onChange }: Omit<Props, 'metrics'>) {
  const t = boardTexts.use();
  return (
    <div className="be-grid">
      {(['objective', 'from', 'to'] as const).map((field) => (
        <Field key={field} control={`${item.id}.${field}`} label={t(`field.${field}`)}>
          {(ties) => (
            <input
              {...ties}
              type="text"
              inputMode="decimal"
              value={item[field]}
              placeholder={field === 'objective' ? '0.92' : t('scale.auto')}
              autoComplete="off"
              onChange={({ target }) => onChange({ [field]: target.value }, `${item.id}.${field}`)}
            />
          )}
        </Field>
      ))}
    </div>
  );
}

/** Further columns of a table: metrics of the same cube, since they are split by the same dimensions. */
function AlsoField({ item, metric, metrics, onChange }: Props & { metric: Metric }) {
  const t = boardTexts.use();
  const others = [...metrics.values()].filter(({ name, of }) => of === metric.of && name !== metric.name);
  const all = [
    ...others.map(({ name }) => name),
    ...item.also.filter((one) => !others.some(({ name }) => name === one)),
  ];
  if (all.length === 0) return null;
  const toggle = (name: string) =>
    onChange({
      also: item.also.includes(name) ? item.also.filter((one) => one !== name) : [...item.also, name],
    });
  return (
    <FieldGroup control={`${item.id}.also`} label={t('field.also')}>
      <div className="be-chips">
        {all.map((name) => (
          <label key={name} className="be-chip">
            <input type="checkbox" checked={item.also.includes(name)} onChange={() => toggle(name)} />
            <span>{name.replaceAll('_', ' ')}</span>
          </label>
        ))}
      </div>
    </FieldGroup>
  );
}

function TextFields({ item, onChange }: Omit<Props, 'metrics'>) {
  const t = boardTexts.use();
  const label = t('field.text');
  return (
    <FieldGroup control={`${item.id}.text`} label={label} hint={t('hint.text')}>
      <div className="be-pair">
        <label className="be-tongue">
          <span>English</span>
          <textarea
            lang="en"
            rows={5}
            value={item.textEn}
            maxLength={TEXT_MAX}
            aria-label={t('field.in', { label, language: 'English' })}
            onChange={({ target }) => onChange({ textEn: target.value }, `${item.id}.text`)}
          />
        </label>
        <label className="be-tongue">
          <span lang="zh-CN">中文</span>
          <textarea
            lang="zh-CN"
            rows={5}
            value={item.textZh}
            maxLength={TEXT_MAX}
            aria-label={t('field.in', { label, language: '中文' })}
            onChange={({ target }) => onChange({ textZh: target.value }, `${item.id}.text`)}
          />
        </label>
      </div>
    </FieldGroup>
  );
}
