import { useState } from 'react';
import { useSpeech } from '../i18n/hooks';
import { isZone, NameField, TextField, useNameFault, ZoneField } from './fields';
import { ItemDialog } from './ItemDialog';
import { calendarTexts } from './texts';
import { type Calendar, weekDays } from './types';
import { useDays } from './useDays';
import { calendarYaml } from './yaml';

interface Props {
  /** The calendar to change; null for a new one. */
  calendar: Calendar | null;
  taken: readonly string[];
  onClose: () => void;
}

/** A calendar: its clock, and its days that are unlike the others. */
export function CalendarDialog({ calendar, taken, onClose }: Props) {
  const t = calendarTexts.use();
  const [began] = useState(calendar);
  const speech = useSpeech();
  const dayNames = useDays();
  const [name, setName] = useState(calendar?.name ?? '');
  const [zone, setZone] = useState(calendar?.zone ?? speech.zone);
  const [days, setDays] = useState(() => (calendar?.days ?? []).map((one, id) => ({ ...one, id })));
  const nameFault = useNameFault(name, calendar !== null, taken);
  const named = days.map(({ day }) => day);
  const isDaysBad = named.includes('') || new Set(named).size < named.length;
  const isReady = name !== '' && nameFault === null && isZone(zone) && !isDaysBad;
  const sorted = days.toSorted((a, b) => a.day.localeCompare(b.day));
  const change = (id: number, news: { day?: string; like?: string }) =>
    setDays(days.map((one) => (one.id === id ? { ...one, ...news } : one)));
  return (
    <ItemDialog
      section="calendars"
      title={calendar ? t('form.calendar.edit', { name: calendar.name }) : t('form.calendar.new')}
      name={name}
      began={began}
      yaml={isReady ? calendarYaml({ name, zone, days: sorted }) : null}
      onClose={onClose}
    >
      <NameField name={name} fault={nameFault} isFixed={calendar !== null} onChange={setName} />
      <ZoneField zone={zone} onChange={setZone} />
      <fieldset>
        <legend>{t('form.special')}</legend>
        {days.map(({ id, day, like }) => (
          <div key={id} className="calendar-row">
            <TextField
              label={t('form.special.day')}
              type="date"
              value={day}
              onChange={(next) => change(id, { day: next })}
            />
            <label className="calendar-field">
              {t('form.special.like')}
              <select value={like} onChange={({ target }) => change(id, { like: target.value })}>
                <option value="none">{t('form.special.none')}</option>
                {weekDays.map((one) => (
                  <option key={one} value={one}>
                    {dayNames.long(one)}
                  </option>
                ))}
              </select>
            </label>
            <button
              type="button"
              className="button"
              aria-label={`${t('form.remove')}: ${day}`}
              onClick={() => setDays(days.filter((one) => one.id !== id))}
            >
              {t('form.remove')}
            </button>
          </div>
        ))}
        {isDaysBad && <p className="calendar-fault">{t('fault.day')}</p>}
        <button
          type="button"
          className="button"
          onClick={() => setDays([...days, { id: Date.now(), day: '', like: 'sun' }])}
        >
          {t('form.special.add')}
        </button>
      </fieldset>
    </ItemDialog>
  );
}
