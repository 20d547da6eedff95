import { type FormEvent, useId, useState } from 'react';
import { Popover } from '../filter/Popover';
import { zoneOffset } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { ranges } from '../state/range';
import { PageIcon } from './icons';
import { spanText } from './spanText';
import type { Span } from './state';
import { exploreTexts } from './texts';
import { moved, stretchAt, widened } from './window';
import { midnight, wallInstant, wallText } from './zoned';

interface Props {
  span: Span;
  nowMs: number;
  onChange: (span: Span) => void;
}

/** Which time is looked at: five that end now, any other by its ends, and the ones beside and around it. */
export function TimeControls({ span, nowMs, onChange }: Props) {
  const t = exploreTexts.use();
  const { t: say, locale, zone } = useSpeech();
  const name = useId();
  const isFixed = span.kind === 'fixed';
  const moveLabel = [t('time.earlier'), t('time.later')] as const;
  return (
    <div className="time-controls">
      <fieldset className="segmented">
        <legend className="visually-hidden">{say('range.label')}</legend>
        {ranges.map((range) => (
          <label key={range} className="segment" title={say(`range.last.${range}`)}>
            <input
              type="radio"
              name={name}
              checked={span.kind === 'last' && span.range === range}
              onChange={() => onChange({ kind: 'last', range })}
            />
            <span>{say(`range.${range}`)}</span>
          </label>
        ))}
      </fieldset>
      <Popover
        name={t('time.custom')}
        align="end"
        testId="time-custom"
        className={isFixed ? 'button tool tool-on' : 'button tool'}
        label={
          <>
            <PageIcon name="calendar" />
            <span>{isFixed ? spanText(stretchAt(span, nowMs), locale, zone) : t('time.custom')}</span>
            <PageIcon name="down" />
          </>
        }
      >
        {(close) => (
          <FixedForm
            span={span}
            nowMs={nowMs}
            onChoose={(next) => {
              onChange(next);
              close();
            }}
          />
        )}
      </Popover>
      <div className="button-row">
        <IconButton label={moveLabel[0]} icon="left" onPress={() => onChange(moved(span, nowMs, -1))} />
        <IconButton
          label={moveLabel[1]}
          icon="right"
          isDisabled={!isFixed || span.toMs >= nowMs}
          onPress={() => onChange(moved(span, nowMs, 1))}
        />
        <IconButton label={t('time.widen')} icon="widen" onPress={() => onChange(widened(span, nowMs))} />
      </div>
    </div>
  );
}

interface IconButtonProps {
  label: string;
  icon: 'left' | 'right' | 'widen';
  isDisabled?: boolean;
  onPress: () => void;
}

function IconButton({ label, icon, isDisabled = false, onPress }: IconButtonProps) {
  return (
    <button
      type="button"
      className="button icon-button"
      aria-label={label}
      title={label}
      disabled={isDisabled}
      onClick={onPress}
    >
      <PageIcon name={icon} />
    </button>
  );
}

interface FormProps {
  span: Span;
  nowMs: number;
  onChoose: (span: Span) => void;
}

/** Both ends by the reader's clock, and whole days for who does not want to type. */
function FixedForm({ span, nowMs, onChoose }: FormProps) {
  const t = exploreTexts.use();
  const { zone } = useSpeech();
  const id = useId();
  const [ends, setEnds] = useState(() => {
    const { fromMs, toMs } = stretchAt(span, nowMs);
    const rounding = span.kind === 'last' ? 60_000 : 1_000;
    const floor = (ms: number) => wallText(Math.floor(ms / rounding) * rounding, zone);
    return { from: floor(fromMs), to: floor(toMs) };
  });
  const [fault, setFault] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const [fromMs, toMs] = [wallInstant(ends.from, zone), wallInstant(ends.to, zone)];
    if (fromMs === null || toMs === null) setFault(t('time.missing'));
    else if (fromMs >= toMs) setFault(t('time.reversed'));
    else if (fromMs > nowMs) setFault(t('time.future'));
    else onChoose({ kind: 'fixed', fromMs, toMs });
  };
  const days = (first: number, last: number): Span => ({
    kind: 'fixed',
    fromMs: midnight(nowMs, zone, first),
    toMs: midnight(nowMs, zone, last + 1),
  });
  const named = [
    ['time.today', days(0, 0)],
    ['time.yesterday', days(-1, -1)],
    ['time.days7', days(-6, 0)],
    ['time.days30', days(-29, 0)],
    ['time.days90', days(-89, 0)],
  ] as const;
  const offset = zoneOffset(zone, nowMs);
  return (
    <form className="time-form" onSubmit={submit} noValidate>
      {(['from', 'to'] as const).map((end) => (
        <label key={end} htmlFor={`${id}-${end}`}>
          <span>{t(`time.${end}`)}</span>
          <input
            id={`${id}-${end}`}
            type="datetime-local"
            step={1}
            value={ends[end]}
            aria-invalid={fault !== ''}
            aria-describedby={`${id}-note`}
            data-testid={`time-${end}`}
            onChange={(event) => {
              setEnds({ ...ends, [end]: event.target.value });
              setFault('');
            }}
          />
        </label>
      ))}
      <p id={`${id}-note`} className={fault ? 'form-fault' : 'dim'} role={fault ? 'alert' : undefined}>
        {fault || t('time.zone', { zone: offset === zone ? zone : `${zone} (${offset})` })}
      </p>
      <button type="submit" className="button button-main">
        {t('time.apply')}
      </button>
      <div className="time-named">
        {named.map(([key, one]) => (
          <button key={key} type="button" className="button" onClick={() => onChoose(one)}>
            {t(key)}
          </button>
        ))}
      </div>
    </form>
  );
}
