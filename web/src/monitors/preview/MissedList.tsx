import { retold } from '../../board/retold';
import { sliceText } from '../../board/slice';
import { clockTime, dayName } from '../../format/time';
import { useSpeech } from '../../i18n/hooks';
import { useTexts } from '../texts';
import type { BacktestMissed } from '../types';

interface Props {
  version: 'existing' | 'proposed';
  missed: readonly BacktestMissed[];
}

/** What was real, by a label or a person, and would not have opened an incident. */
export function MissedList({ version, missed }: Props) {
  const t = useTexts();
  const speech = useSpeech();
  if (missed.length === 0) return null;
  return (
    <section className="missed" data-testid="missed" data-version={version}>
      <h3>{t('missed.title')}</h3>
      <p className="dim">{t('missed.text', { version: t(`missed.${version}`) })}</p>
      <ul>
        {missed.map((one) => {
          const atMs = Date.parse(one.started_at);
          return (
            <li key={`${one.started_at} ${JSON.stringify(one.slice)}`}>
              <b>{sliceText(one.slice, speech)}</b>{' '}
              <time className="dim" dateTime={one.started_at}>
                {dayName(atMs, speech.locale, speech.zone)}{' '}
                {clockTime(atMs, speech.locale, speech.zone, false)}
              </time>
              {one.summary && <p>{retold(one.summary, speech.metric, speech)}</p>}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
