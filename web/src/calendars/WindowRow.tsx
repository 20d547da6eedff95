import { briefTime } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { calendarTexts } from './texts';
import { type Maintenance, weekDays } from './types';
import { useDays } from './useDays';

interface Props {
  window: Maintenance;
  nowMs: number;
  onEdit: () => void;
}

/** A maintenance window: whether it lasts, when it is next, and what it is about. */
export function WindowRow({ window, nowMs, onEdit }: Props) {
  const t = calendarTexts.use();
  const speech = useSpeech();
  const dayNames = useDays();
  const { name, from, to, zone, days, once, active, next_from, next_to } = window;
  const time = (at: string) => briefTime(Date.parse(at), nowMs, speech.locale, speech.zone);
  const state = active ? 'active' : next_from === null ? 'over' : 'next';
  const said =
    active && next_to !== null
      ? t('window.active', { time: time(next_to) })
      : next_from !== null && next_to !== null
        ? t('window.next', { from: time(next_from), to: time(next_to) })
        : t('window.over');
  const named = weekDays.filter((one) => days?.includes(one)).map(dayNames.brief);
  const when = once
    ? t('window.once', { from, to })
    : named.length === 0
      ? t('window.daily', { from, to })
      : t('window.weekly', { days: named.join(', '), from, to });
  return (
    <li data-testid="window" data-name={name} data-state={state}>
      <div>
        <strong>{name}</strong>{' '}
        <span className="chip" data-state={state}>
          {said}
        </span>
        <p className="dim">
          {when} ({zone}) · {aboutOf(window, t, speech).join(' · ')}
        </p>
      </div>
      <button
        type="button"
        className="button"
        aria-label={t('edit.of', { name })}
        data-testid="edit-window"
        onClick={onEdit}
      >
        {t('edit')}
      </button>
    </li>
  );
}

function aboutOf(
  { severity, monitors, metrics, where }: Maintenance,
  t: ReturnType<typeof calendarTexts.use>,
  speech: ReturnType<typeof useSpeech>,
): string[] {
  const about: string[] = [];
  if (severity === 'critical' || severity === 'warning' || severity === 'info')
    about.push(t('window.severity', { severity: speech.t(`severity.${severity}`) }));
  if (monitors.length > 0) about.push(t('window.monitors', { names: monitors.join(', ') }));
  if (metrics.length > 0)
    about.push(t('window.metrics', { names: metrics.map((one) => speech.metric(one)).join(', ') }));
  for (const [dimension, values] of Object.entries(where))
    about.push(`${speech.dimension(dimension)}: ${values.map(speech.sliceValue).join(', ')}`);
  return about.length > 0 ? about : [t('window.all')];
}
