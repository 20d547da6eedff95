import { useRef, useState } from 'react';
import type { Incident } from '../api/types';
import { durationText } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { Denied } from '../shell/Denied';
import { useMay } from '../shell/useMay';
import { type Act, SILENCES, type SilenceLength, silenceMs } from './act';
import { storeAuthor, storedAuthor } from './author';
import { Refusal } from './Refusal';
import { incidentTexts } from './texts';
import type { Acting } from './useAct';

interface Props {
  /** As the server has told it, without what is under way. */
  incident: Incident;
  act: Acting;
}

/** As much as the server takes. */
const NOTE_MAX = 1_000;
const NAME_MAX = 100;
const VERDICTS = ['real', 'false_alarm'] as const;

/**
 * What can be done about it. One note goes with whichever action is chosen; it is kept until the server has taken it, so
 * that nobody writes it twice.
 */
export function Actions({ incident, act }: Props) {
  const { t, locale } = useSpeech();
  const say = incidentTexts.use();
  const [note, setNote] = useState('');
  const [by, setBy] = useState(storedAuthor);
  const [silence, setSilence] = useState<SilenceLength>('1h');
  const noteField = useRef<HTMLTextAreaElement>(null);
  const [isNoteMissing, setNoteMissing] = useState(false);
  const isBusy = act.pending !== null;
  const isOver = incident.state === 'resolved';
  const mayAct = useMay('operate');
  const run = (what: Pick<Act, 'action' | 'verdict' | 'silence'>) => {
    if (isBusy) return;
    setNoteMissing(false);
    storeAuthor(by);
    const sent = note;
    act.run({ ...what, by, note }, () => setNote((now) => (now === sent ? '' : now)));
  };
  const addNote = () => {
    if (note.trim()) {
      run({ action: 'note' });
      return;
    }
    setNoteMissing(true);
    noteField.current?.focus();
  };
  if (!mayAct) {
    return (
      <section
        className="panel case-panel case-actions"
        aria-labelledby="actions-title"
        data-testid="actions"
      >
        <header className="panel-head">
          <h2 id="actions-title">{say('act.title')}</h2>
        </header>
        <Denied right="operate" />
      </section>
    );
  }
  return (
    <section className="panel case-panel case-actions" aria-labelledby="actions-title" data-testid="actions">
      <header className="panel-head">
        <h2 id="actions-title">{say('act.title')}</h2>
      </header>
      <label className="case-field">
        <span>{say('act.note')}</span>
        <textarea
          ref={noteField}
          rows={2}
          maxLength={NOTE_MAX}
          value={note}
          placeholder={say('act.noteHint')}
          aria-invalid={isNoteMissing}
          aria-describedby="act-said"
          onChange={(event) => {
            setNote(event.target.value);
            setNoteMissing(false);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Escape') event.currentTarget.blur();
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) addNote();
          }}
        />
      </label>
      <label className="case-field case-field-row">
        <span>{say('act.by')}</span>
        <input
          value={by}
          maxLength={NAME_MAX}
          autoComplete="name"
          placeholder={say('act.byHint')}
          onChange={(event) => setBy(event.target.value)}
          onBlur={() => storeAuthor(by)}
        />
      </label>
      <div className="case-buttons">
        {incident.state === 'open' && (
          <Deed
            text={t('incident.acknowledge')}
            deed="acknowledge"
            isMain
            isBusy={isBusy}
            run={() => run({ action: 'acknowledge' })}
          />
        )}
        {!isOver && (
          <Deed
            text={t('incident.resolve')}
            isMain={incident.state === 'acknowledged'}
            isBusy={isBusy}
            run={() => run({ action: 'resolve' })}
          />
        )}
        <Deed text={say('act.addNote')} isBusy={isBusy} run={addNote} />
      </div>
      {!isOver && (
        <div className="case-silence">
          <Deed text={say('act.silence')} isBusy={isBusy} run={() => run({ action: 'silence', silence })} />
          <label>
            <span className="visually-hidden">{say('act.silenceFor')}</span>
            <select
              value={silence}
              onChange={(event) => {
                const chosen = SILENCES.find((one) => one === event.target.value);
                if (chosen) setSilence(chosen);
              }}
            >
              {SILENCES.map((length) => (
                <option key={length} value={length}>
                  {say('silence.for', { duration: durationText(silenceMs(length), locale) })}
                </option>
              ))}
            </select>
          </label>
          <p className="case-hint">{say('act.silenceHint')}</p>
        </div>
      )}
      <fieldset className="case-verdict">
        <legend>{t('feedback.question')}</legend>
        {VERDICTS.map((verdict) => (
          <button
            key={verdict}
            type="button"
            className="button"
            aria-pressed={incident.verdict === verdict}
            aria-disabled={isBusy}
            onClick={() => run({ action: 'feedback', verdict })}
          >
            {say(`act.${verdict}`)}
          </button>
        ))}
        <p className="case-hint">{say('act.verdictHint')}</p>
      </fieldset>
      <p id="act-said" className="case-said" role="status" data-testid="act-said">
        {isNoteMissing && say('act.noteMissing')}
        {act.pending && say('act.saving')}
        {act.done && !isNoteMissing && say(`done.${act.done.action}`)}
      </p>
      {act.failed && (
        <p className="case-failed" role="alert" data-testid="act-failed">
          {say(`failed.${act.failed.action}`)} <Refusal error={act.error} />
        </p>
      )}
    </section>
  );
}

interface DeedProps {
  text: string;
  /** For the keyboard. */
  deed?: string;
  isBusy: boolean;
  isMain?: boolean;
  run: () => void;
}

/** Busy buttons stay focusable: a disabled one would drop the focus of who has just pressed it. */
function Deed({ text, deed, isBusy, isMain = false, run }: DeedProps) {
  return (
    <button
      type="button"
      className={isMain ? 'button button-main' : 'button'}
      data-deed={deed}
      aria-disabled={isBusy}
      onClick={run}
    >
      {text}
    </button>
  );
}
