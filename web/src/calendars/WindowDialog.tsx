import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { metricsQuery } from '../api/queries';
import { useSpeech } from '../i18n/hooks';
import { monitorsQuery } from '../monitors/queries';
import { isZone, NameField, TextField, useNameFault, ZoneField } from './fields';
import { ItemDialog } from './ItemDialog';
import { calendarTexts } from './texts';
import { type Maintenance, weekDays } from './types';
import { useDays } from './useDays';
import { windowYaml } from './yaml';

interface Props {
  /** The window to change; null for a new one. */
  window: Maintenance | null;
  /** The day that a new one is for. */
  day?: string | undefined;
  taken: readonly string[];
  onClose: () => void;
}

interface Filter {
  id: number;
  dimension: string;
  value: string | null;
}

const MIDNIGHT = '00:00';

const split = (text: string) =>
  text
    .split(/[,，、\s]+/)
    .map((one) => one.trim())
    .filter((one) => one !== '');

/** A maintenance window: when it is, and what is not announced meanwhile. */
export function WindowDialog({ window, day, taken, onClose }: Props) {
  const t = calendarTexts.use();
  const [began] = useState(window);
  const speech = useSpeech();
  const dayNames = useDays();
  const monitors = useQuery(monitorsQuery).data ?? [];
  const metrics = useQuery(metricsQuery).data;
  const [name, setName] = useState(window?.name ?? '');
  const [isOnce, setOnce] = useState(window?.once ?? day !== undefined);
  const [days, setDays] = useState<readonly string[]>(window?.days ?? []);
  const [from, setFrom] = useState(window?.from.replace(' ', 'T') ?? (day ? `${day}T00:00` : ''));
  const [to, setTo] = useState(
    window?.to.replace(' ', 'T').replace(/^24:00$/, MIDNIGHT) ?? (day ? `${day}T23:59` : ''),
  );
  const [zone, setZone] = useState(window?.zone ?? speech.zone);
  const [severity, setSeverity] = useState(window?.severity ?? '');
  const [ofMonitors, setMonitors] = useState(window?.monitors.join(', ') ?? '');
  const [ofMetrics, setMetrics] = useState(window?.metrics.join(', ') ?? '');
  const [filters, setFilters] = useState<readonly Filter[]>(() =>
    Object.entries(window?.where ?? {}).flatMap(([dimension, values]) =>
      values.map((value, i) => ({ id: i + dimension.length * 1_000, dimension, value })),
    ),
  );
  const nameFault = useNameFault(name, window !== null, taken);
  const isTimed = isOnce
    ? from.length >= 16 && to.length >= 16
    : /^\d\d:\d\d/.test(from) && /^\d\d:\d\d/.test(to);
  const isBackwards = isOnce && isTimed && to <= from;
  // From midnight to midnight is all day; between other times that are the same there is no telling.
  const isWhole = !isOnce && from.slice(0, 5) === MIDNIGHT && to.slice(0, 5) === MIDNIGHT;
  const isSame = !isOnce && isTimed && !isWhole && from.slice(0, 5) === to.slice(0, 5);
  const timeFault = isSame
    ? t('fault.same')
    : !isTimed && (from !== '' || to !== '')
      ? t('fault.time')
      : isBackwards
        ? t('fault.order')
        : null;
  const isReady = name !== '' && nameFault === null && isTimed && timeFault === null && isZone(zone);
  const written = (text: string) => (isOnce ? text.slice(0, 16).replace('T', ' ') : text.slice(0, 5));
  const where: Record<string, (string | null)[]> = {};
  for (const { dimension, value } of filters)
    if (dimension.trim() !== '') where[dimension.trim()] = [...(where[dimension.trim()] ?? []), value];
  const yaml = isReady
    ? windowYaml({
        name,
        from: written(from),
        to: isWhole ? '24:00' : written(to),
        zone,
        days: isOnce ? null : weekDays.filter((one) => days.includes(one)),
        once: isOnce,
        severity: severity === '' ? null : severity,
        monitors: split(ofMonitors),
        metrics: split(ofMetrics),
        where,
      })
    : null;
  const changeWay = (once: boolean) => {
    setOnce(once);
    setFrom('');
    setTo('');
  };
  const changeFilter = (id: number, news: Partial<Filter>) =>
    setFilters(filters.map((one) => (one.id === id ? { ...one, ...news } : one)));
  const dimensions = [...new Set([...(metrics?.values() ?? [])].flatMap((metric) => metric.dimensions))];
  return (
    <ItemDialog
      section="maintenance"
      title={window ? t('form.window.edit', { name: window.name }) : t('form.window.new')}
      name={name}
      began={began}
      yaml={yaml}
      onClose={onClose}
    >
      <NameField name={name} fault={nameFault} isFixed={window !== null} onChange={setName} />
      <fieldset>
        <legend>{t('form.when')}</legend>
        <div className="calendar-choices">
          {[false, true].map((once) => (
            <label key={String(once)}>
              <input type="radio" checked={isOnce === once} onChange={() => changeWay(once)} />
              {t(once ? 'form.once' : 'form.weekly')}
            </label>
          ))}
        </div>
        {!isOnce && (
          <div className="calendar-choices">
            {weekDays.map((one) => (
              <label key={one}>
                <input
                  type="checkbox"
                  checked={days.includes(one)}
                  onChange={({ target }) =>
                    setDays(target.checked ? [...days, one] : days.filter((other) => other !== one))
                  }
                />
                {dayNames.brief(one)}
              </label>
            ))}
            <span className="dim">{t('form.days.hint')}</span>
          </div>
        )}
        <div className="calendar-pair">
          <TextField
            label={t('form.from')}
            type={isOnce ? 'datetime-local' : 'time'}
            value={from}
            onChange={setFrom}
            testId="calendar-from"
          />
          <TextField
            label={t('form.to')}
            type={isOnce ? 'datetime-local' : 'time'}
            value={to}
            onChange={setTo}
            fault={timeFault}
            {...(!isOnce && isTimed && to <= from
              ? { hint: t(isWhole ? 'form.wholeDay' : 'form.overnight') }
              : {})}
            testId="calendar-to"
          />
        </div>
        <ZoneField zone={zone} onChange={setZone} />
      </fieldset>
      <fieldset>
        <legend>{t('form.what')}</legend>
        <label className="calendar-field">
          {t('form.severity')}
          <select value={severity} onChange={({ target }) => setSeverity(target.value)}>
            <option value="">{t('form.severity.any')}</option>
            {(['info', 'warning', 'critical'] as const).map((one) => (
              <option key={one} value={one}>
                {speech.t(`severity.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <TextField
          label={t('form.monitors')}
          value={ofMonitors}
          onChange={setMonitors}
          hint={t('form.list.hint')}
          options={monitors.map((one) => one.name)}
        />
        <TextField
          label={t('form.metrics')}
          value={ofMetrics}
          onChange={setMetrics}
          hint={t('form.list.hint')}
          options={[...(metrics?.keys() ?? [])]}
        />
        <p className="calendar-legend">{t('form.where')}</p>
        {filters.map(({ id, dimension, value }) => (
          <div key={id} className="calendar-row">
            <TextField
              label={t('form.where.dimension')}
              value={dimension}
              options={dimensions}
              onChange={(next) => changeFilter(id, { dimension: next })}
            />
            <TextField
              label={t('form.where.value')}
              value={value ?? ''}
              onChange={(next) => changeFilter(id, { value: next })}
            />
            <button
              type="button"
              className="button"
              aria-label={`${t('form.remove')}: ${dimension} ${value ?? ''}`}
              onClick={() => setFilters(filters.filter((one) => one.id !== id))}
            >
              {t('form.remove')}
            </button>
          </div>
        ))}
        <button
          type="button"
          className="button"
          onClick={() => setFilters([...filters, { id: Date.now(), dimension: '', value: '' }])}
        >
          {t('form.where.add')}
        </button>
      </fieldset>
    </ItemDialog>
  );
}
