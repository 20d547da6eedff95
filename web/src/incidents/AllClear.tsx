import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Incident } from '../api/types';
import { clockTime, durationText } from '../format/time';
import { figureText } from '../format/units';
import { useSpeech } from '../i18n/hooks';
import { CheckIcon } from '../shell/icons';
import { watchQuery } from './queries';
import { incidentTexts } from './texts';

interface Props {
  incidents: readonly Incident[];
  nowMs: number;
}

/**
 * Nothing goes on. That is good news only if somebody is watching, so it says how many monitors judge how much, and when
 * they did last; a monitor that cannot judge is told beside it.
 */
export function AllClear({ incidents, nowMs }: Props) {
  const { locale, zone } = useSpeech();
  const say = incidentTexts.use();
  const { data: monitors, isError } = useQuery(watchQuery);
  const failing = (monitors ?? []).filter(({ error }) => error !== null);
  const learning = (monitors ?? []).filter((one) => one.learning && one.error === null);
  const isUnwatched = monitors?.length === 0;
  const isUnknown = monitors === undefined && isError;
  const isDoubtful = isUnwatched || isUnknown || failing.length > 0;
  const slices = (monitors ?? []).reduce((sum, one) => sum + one.slices, 0);
  const judgedMs = Math.max(...(monitors ?? []).map((one) => Date.parse(one.last_judged_at ?? '') || 0), 0);
  const overMs = Math.max(...incidents.map((one) => Date.parse(one.resolved_at ?? '') || 0), 0);
  return (
    <div className="inbox-clear" data-testid="all-clear" data-doubtful={isDoubtful}>
      <span className="inbox-clear-mark" aria-hidden="true">
        {isDoubtful ? '?' : <CheckIcon />}
      </span>
      {isUnwatched && <Told title={say('clear.unwatched')} text={say('clear.unwatchedText')} />}
      {isUnknown && <Told title={say('clear.unknown')} text={say('clear.unknownText')} />}
      {failing.length > 0 && <Told title={say('clear.partly')} text={say('clear.partlyText')} />}
      {!isDoubtful && <Told title={say('clear.title')} text={say('clear.text')} />}
      {monitors && !isUnwatched && (
        <p className="dim">
          {say('clear.watching', {
            monitors: figureText(monitors.length, 'count', locale),
            slices: figureText(slices, 'count', locale),
          })}
          {judgedMs > 0 && ` ${say('clear.judged', { time: clockTime(judgedMs, locale, zone) })}`}
        </p>
      )}
      {failing.length > 0 && (
        <p className="inbox-clear-fault">
          {say('clear.failing', { names: failing.map(({ name }) => name).join(', ') })}
        </p>
      )}
      {learning.length > 0 && (
        <p className="dim">{say('clear.learning', { names: learning.map(({ name }) => name).join(', ') })}</p>
      )}
      {overMs > 0 && (
        <p className="dim">{say('clear.last', { duration: durationText(nowMs - overMs, locale) })}</p>
      )}
      <p className="inbox-clear-ways">
        {isDoubtful && (
          <Link to="/monitors" className="button">
            {say('clear.monitors')}
          </Link>
        )}
        {overMs > 0 && (
          <Link to="/incidents" search={{ state: 'resolved' }} className="button">
            {say('clear.resolved')}
          </Link>
        )}
      </p>
    </div>
  );
}

function Told({ title, text }: { title: string; text: string }) {
  return (
    <>
      <h2>{title}</h2>
      <p>{text}</p>
    </>
  );
}
