import type { Severity } from '../api/types';
import { useSpeech } from '../i18n/hooks';
import { SeverityIcon } from '../shell/icons';
import type { MonitorState } from './state';
import { useTexts } from './texts';

/** Each state has a shape of its own, for those who do not see the colours. */
const shapes: Record<MonitorState, string> = {
  failing: 'M8 2 15 14H1zM8 6.500v3.500M8 12v.400',
  firing: 'M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM8 4.500V9M8 11.300v.200',
  learning: 'M8 2a6 6 0 1 0 6 6M8 5v3l2 2',
  waiting: 'M3 8h.500M8 8h.500M13 8h.500',
  idle: 'M5.500 3v10M10.500 3v10',
  watching: 'M3 8.500 6.500 12 13 4.500',
};

/** What a monitor is doing, in a word. */
export function MonitorBadge({ state }: { state: MonitorState }) {
  const t = useTexts();
  return (
    <span className="monitor-badge" data-state={state} data-testid="monitor-state">
      <svg viewBox="0 0 16 16" width="1em" height="1em" aria-hidden="true" className="icon icon-line">
        <path d={shapes[state]} />
      </svg>
      {t(`state.${state}`)}
    </span>
  );
}

export function SeverityTag({ severity }: { severity: Severity }) {
  const { t } = useSpeech();
  return (
    <span className="severity monitor-severity" data-severity={severity}>
      <SeverityIcon severity={severity} />
      {t(`severity.${severity}`)}
    </span>
  );
}
