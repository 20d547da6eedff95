import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { PanelError } from '../board/PanelError';
import { useSpeech } from '../i18n/hooks';
import { serverNow } from '../live/clock';
import { useTick } from '../live/hooks';
import { useMay } from '../shell/useMay';
import { CalendarDialog } from './CalendarDialog';
import { MonthView } from './MonthView';
import { calendarsQuery } from './query';
import { calendarTexts } from './texts';
import type { Calendar, Maintenance } from './types';
import { WindowDialog } from './WindowDialog';
import { WindowRow } from './WindowRow';
import './calendars.css';

type Shown =
  | { kind: 'window'; window: Maintenance | null; day?: string | undefined }
  | { kind: 'calendar'; calendar: Calendar | null };

/** When nobody is told of incidents, and which days are unlike the others. */
export function CalendarPage() {
  const t = calendarTexts.use();
  const speech = useSpeech();
  const { data, error, refetch } = useQuery(calendarsQuery);
  const nowMs = serverNow(useTick(15_000));
  const mayDefine = useMay('define');
  const [shown, setShown] = useState<Shown | null>(null);
  useEffect(() => {
    document.title = `${t('title')} · Tillwatch`;
  }, [t]);
  if (!data && error) return <PanelError error={error} onRetry={() => void refetch()} />;
  const close = () => setShown(null);
  const openWindow = (window: Maintenance | null, day?: string) => setShown({ kind: 'window', window, day });
  return (
    <div className="calendars" data-testid="calendars" aria-busy={!data}>
      <nav className="dim" aria-label={t('back')}>
        <Link to="/monitors">{t('back')}</Link>
      </nav>
      <h1>{t('title')}</h1>
      <p className="dim">{t('intro')}</p>
      {!data && (
        <div className="panel">
          <p className="visually-hidden" role="status">
            {speech.t('state.loading')}
          </p>
          <div className="skeleton skeleton-title" />
          <div className="skeleton skeleton-chart" />
        </div>
      )}
      {data && (
        <>
          <section className="panel" aria-labelledby="windows-title">
            <header className="panel-head">
              <h2 id="windows-title">{t('windows.title')}</h2>
              {mayDefine && (
                <button
                  type="button"
                  className="button button-main"
                  data-testid="new-window"
                  onClick={() => openWindow(null)}
                >
                  {t('windows.new')}
                </button>
              )}
            </header>
            {data.maintenance.length === 0 && <p className="dim">{t('windows.none')}</p>}
            <ul className="calendar-list">
              {data.maintenance.toSorted(bySoonest).map((window) => (
                <WindowRow
                  key={window.name}
                  window={window}
                  nowMs={nowMs}
                  onEdit={() => openWindow(window)}
                />
              ))}
            </ul>
          </section>
          <MonthView
            windows={data.maintenance}
            calendars={data.calendars}
            nowMs={nowMs}
            onWindow={openWindow}
            onDay={mayDefine ? (day) => openWindow(null, day) : undefined}
          />
          <section className="panel" aria-labelledby="calendars-title">
            <header className="panel-head">
              <h2 id="calendars-title">{t('calendars.title')}</h2>
              {mayDefine && (
                <button
                  type="button"
                  className="button"
                  data-testid="new-calendar"
                  onClick={() => setShown({ kind: 'calendar', calendar: null })}
                >
                  {t('calendars.new')}
                </button>
              )}
            </header>
            {data.calendars.length === 0 && <p className="dim">{t('calendars.none')}</p>}
            <ul className="calendar-list">
              {data.calendars.map((calendar) => (
                <li key={calendar.name} data-testid="calendar" data-name={calendar.name}>
                  <div>
                    <strong>{calendar.name}</strong> <span className="dim">{calendar.zone}</span>
                    <p className="dim">
                      {t('calendar.days', { count: calendar.days.length })} ·{' '}
                      {calendar.used_by.length > 0
                        ? t('calendar.usedBy', { names: calendar.used_by.join(', ') })
                        : t('calendar.unused')}
                    </p>
                  </div>
                  <button
                    type="button"
                    className="button"
                    aria-label={t('edit.of', { name: calendar.name })}
                    data-testid="edit-calendar"
                    onClick={() => setShown({ kind: 'calendar', calendar })}
                  >
                    {t('edit')}
                  </button>
                </li>
              ))}
            </ul>
          </section>
        </>
      )}
      {shown?.kind === 'window' && data && (
        <WindowDialog
          window={shown.window}
          day={shown.day}
          taken={data.maintenance.map(({ name }) => name)}
          onClose={close}
        />
      )}
      {shown?.kind === 'calendar' && data && (
        <CalendarDialog
          calendar={shown.calendar}
          taken={data.calendars.map(({ name }) => name)}
          onClose={close}
        />
      )}
    </div>
  );
}

/** What lasts first, then what begins soonest; what is over for good last. */
function bySoonest(a: Maintenance, b: Maintenance): number {
  if (a.active !== b.active) return a.active ? -1 : 1;
  const begin = ({ next_from }: Maintenance) =>
    next_from === null ? Number.MAX_SAFE_INTEGER : Date.parse(next_from);
  return begin(a) - begin(b);
}
