import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { sliceText } from '../board/slice';
import { useSpeech } from '../i18n/hooks';
import { offsetMs } from '../monitors/localTime';
import { silencesQuery } from '../monitors/queries';
import { type DayOfMonth, monthsOn, weeksOf } from './month';
import { calendarTexts } from './texts';
import { type Calendar, type Maintenance, type WeekDay, weekDays } from './types';
import { useDays } from './useDays';

interface Props {
  windows: readonly Maintenance[];
  calendars: readonly Calendar[];
  nowMs: number;
  onWindow: (window: Maintenance) => void;
  /** Makes a window for a day; absent for who may not. */
  onDay: ((day: string) => void) | undefined;
}

/** A month with its windows, special days, and the ends of silences. */
export function MonthView({ windows, calendars, nowMs, onWindow, onDay }: Props) {
  const t = calendarTexts.use();
  const speech = useSpeech();
  const dayNames = useDays();
  const silences = useQuery(silencesQuery).data ?? [];
  const dayIn = (atMs: number) => new Date(atMs + offsetMs(speech.zone, atMs)).toISOString().slice(0, 10);
  const today = dayIn(nowMs);
  const [chosen, setChosen] = useState<string | null>(null);
  const month = chosen ?? today.slice(0, 7);
  const title = new Intl.DateTimeFormat(speech.locale, { year: 'numeric', month: 'long', timeZone: 'UTC' });
  const ends = silences.map((silence) => ({ ...silence, day: dayIn(Date.parse(silence.until)) }));
  return (
    <section className="panel" aria-labelledby="month-title" data-testid="month" data-month={month}>
      <header className="panel-head">
        <h2 id="month-title" aria-live="polite">
          {title.format(Date.parse(`${month}-15T00:00:00Z`))}
        </h2>
        <div className="button-row">
          <button
            type="button"
            className="button"
            aria-label={t('month.before')}
            onClick={() => setChosen(monthsOn(month, -1))}
          >
            ‹
          </button>
          <button type="button" className="button" onClick={() => setChosen(null)}>
            {t('month.today')}
          </button>
          <button
            type="button"
            className="button"
            aria-label={t('month.next')}
            data-testid="month-next"
            onClick={() => setChosen(monthsOn(month, 1))}
          >
            ›
          </button>
        </div>
      </header>
      <table className="month">
        <thead>
          <tr>
            {weekDays.map((day) => (
              <th key={day} scope="col">
                <abbr title={dayNames.long(day)}>{dayNames.brief(day)}</abbr>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeksOf(month, windows, calendars).map((week) => (
            <tr key={week[0]?.day}>
              {week.map((one) => (
                <td
                  key={one.day}
                  data-day={one.day}
                  data-other={one.isOther || undefined}
                  aria-current={one.day === today ? 'date' : undefined}
                >
                  <DayHead day={one} onDay={onDay} label={t('windows.new')} />
                  {one.windows.map((window) => (
                    <button
                      key={window.name}
                      type="button"
                      className="month-window"
                      title={`${window.name}: ${window.from} – ${window.to} (${window.zone})`}
                      onClick={() => onWindow(window)}
                    >
                      {window.name}
                    </button>
                  ))}
                  {one.special.map(({ calendar, like }) => (
                    <span key={calendar} className="month-special" title={calendar}>
                      {like === 'none' ? t('like.none') : t('like.day', { day: nameOf(like, dayNames.long) })}
                    </span>
                  ))}
                  {ends
                    .filter(({ day }) => day === one.day)
                    .map(({ id, monitor, slice }) => (
                      <span key={id} className="month-special" data-kind="silence">
                        {t('month.silence', { what: `${monitor}: ${sliceText(slice, speech)}` })}
                      </span>
                    ))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function nameOf(like: string, long: (day: WeekDay) => string): string {
  const day = weekDays.find((one) => one === like);
  return day ? long(day) : like;
}

function DayHead({
  day,
  onDay,
  label,
}: {
  day: DayOfMonth;
  onDay: ((day: string) => void) | undefined;
  label: string;
}) {
  const number = Number(day.day.slice(8));
  if (!onDay) return <span className="month-day">{number}</span>;
  return (
    <button
      type="button"
      className="month-day"
      aria-label={`${day.day}: ${label}`}
      title={label}
      onClick={() => onDay(day.day)}
    >
      {number}
    </button>
  );
}
