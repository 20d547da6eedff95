import type { View } from './DataPage';
import type { StatusDocument } from './documents';
import { Panel, ToneIcon } from './parts';
import type { Say } from './say';
import { type Check, checksOf } from './signs';

/** All that the server's health hangs on, in one list. */
export function CheckList({ snapshot, say }: View) {
  const { t } = say;
  const { status } = snapshot;
  return (
    <Panel title={t('checks.title')} testId="checks">
      <ul className="data-checks">
        {checksOf(status).map((check) => (
          <li key={check.name} data-check={check.name} data-tone={check.tone}>
            <ToneIcon tone={check.tone} />
            <span className="visually-hidden">{t(`tone.${check.tone}`)}</span>
            <span className="data-strong">{t(`check.${check.name}`)}</span>
            <span className="data-check-text">
              {checkText(check, status, say)}
              {check.fault !== null && check.tone !== 'good' && (
                <span className="data-fault">{check.fault}</span>
              )}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function checkText(check: Check, status: StatusDocument, say: Say): string {
  const { t } = say;
  const { tone } = check;
  const count = say.count(check.count);
  const isGood = tone === 'good';
  switch (check.name) {
    case 'state':
      return t(isGood ? 'check.state.good' : 'check.state.warning');
    case 'definitions':
      return isGood ? t('check.definitions.good') : t('check.definitions.warning', { count });
    case 'journal':
      return t(`check.journal.${tone}`);
    case 'disk': {
      const { free_bytes, free_bytes_min } = status.journal;
      return t(`check.disk.${tone}`, { free: say.bytes(free_bytes ?? 0), min: say.bytes(free_bytes_min) });
    }
    case 'history':
      return t(tone === 'bad' ? 'check.history.bad' : isGood ? 'check.history.good' : 'check.history.quiet');
    case 'audit': {
      const { figures } = status.audit;
      if (tone === 'bad') return t('check.audit.bad', { count });
      if (tone === 'warning') return t('check.audit.warning');
      return figures === 0 ? t('check.audit.none') : t('check.audit.good', { figures: say.count(figures) });
    }
    case 'memory': {
      const { bytes, bytes_max } = status.memory;
      const values = { bytes: say.bytes(bytes), max: say.bytes(bytes_max) };
      return t(isGood ? 'check.memory.good' : 'check.memory.warning', values);
    }
    case 'streams':
      return t(isGood ? 'check.streams.good' : 'check.streams.bad');
    case 'sources':
    case 'channels': {
      if (!isGood) return t(`check.${check.name}.warning`, { count });
      return t(`check.${check.name}.${status[check.name].length === 0 ? 'none' : 'good'}`);
    }
  }
}
