import { Link } from '@tanstack/react-router';
import { useSpeech } from '../i18n/hooks';
import { MonitorBadge, SeverityTag } from './MonitorBadge';
import { MonitorAdvice, MonitorFacts } from './MonitorFacts';
import { detectorOf, type MonitorState } from './state';
import { useTexts } from './texts';
import type { Monitor } from './types';

interface Props {
  monitor: Monitor;
  state: MonitorState;
  /** How many of its incidents are not resolved; null while that is not known. */
  open: number | null;
  nowMs: number;
}

/** A monitor in the list. */
export function MonitorRow({ monitor, state, open, nowMs }: Props) {
  const t = useTexts();
  return (
    <li
      className="monitor-row panel"
      data-testid="monitor"
      data-monitor={monitor.name}
      data-state={state}
      data-firing={monitor.firing}
    >
      <div className="monitor-who">
        <h2 className="monitor-name">
          <Link to="/monitors/$name" params={{ name: monitor.name }}>
            {monitor.name}
          </Link>
        </h2>
        <p className="monitor-what">
          <code>{monitor.metric}</code> <Split by={monitor.by} />
        </p>
        <p className="monitor-how">
          <SeverityTag severity={monitor.severity} />
          <span className="chip">{t(`detect.${detectorOf(monitor)}.title`)}</span>
        </p>
      </div>
      <MonitorBadge state={state} />
      <MonitorFacts monitor={monitor} open={open} nowMs={nowMs} />
      <MonitorAdvice monitor={monitor} state={state} />
    </li>
  );
}

/** By which dimensions a monitor splits. */
export function Split({ by }: { by: readonly string[] }) {
  const t = useTexts();
  const { dimension } = useSpeech();
  if (by.length === 0) return <span className="dim">{t('by.none')}</span>;
  return <span>{t('by.some', { dimensions: by.map(dimension).join(', ') })}</span>;
}
