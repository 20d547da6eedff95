import { useState } from 'react';
import { dateTime } from '../../format/time';
import { useSpeech } from '../../i18n/hooks';
import type { KeptBoard } from './calls';
import { Dialog } from './Dialog';
import { boardTexts } from './texts';

interface Props {
  title: string;
  /** The board as somebody else left it; null when they have deleted it. */
  newer: KeptBoard | null;
  /** What the server said of it. */
  told: string;
  /** The folder of definitions has a board of this name now. */
  isOvertaken?: boolean;
  /** A free name for a copy. */
  name: string;
  onLoad: (newer: KeptBoard) => void;
  onSaveAs: (name: string) => void;
  onClose: () => void;
}

/** Somebody else has saved the board meanwhile, or the folder has taken its name. Neither what they did nor what is here is lost without a choice. */
export function ConflictDialog(props: Props) {
  const { title, newer, told, isOvertaken = false, name: suggested, onLoad, onSaveAs, onClose } = props;
  const t = boardTexts.use();
  const { locale, zone } = useSpeech();
  const [name, setName] = useState(suggested);
  const changedMs = Date.parse(newer?.changed_at ?? '');
  const when = Number.isFinite(changedMs) ? dateTime(changedMs, locale, zone) : null;
  const text = isOvertaken
    ? t('conflict.overtaken', { title })
    : newer === null
      ? t('conflict.deleted', { title })
      : when
        ? t('conflict.changedAt', { title, time: when })
        : t('conflict.changed', { title });
  return (
    <Dialog
      title={t(isOvertaken ? 'conflict.overtakenTitle' : 'conflict.title')}
      testId="board-conflict"
      onClose={onClose}
    >
      <p>{text}</p>
      {when === null && told !== '' && <p className="dim">{told}</p>}
      <form
        className="be-conflict-copy"
        onSubmit={(event) => {
          event.preventDefault();
          onSaveAs(name.trim());
        }}
      >
        <label>
          <span>{t('conflict.name')}</span>
          <input
            type="text"
            value={name}
            spellCheck={false}
            autoComplete="off"
            data-testid="conflict-name"
            onChange={({ target }) => setName(target.value)}
          />
        </label>
        <button type="submit" className="button button-main" data-testid="conflict-copy">
          {t('conflict.saveAs')}
        </button>
      </form>
      <div className="be-dialog-ends">
        {newer && (
          <button type="button" className="button" data-testid="conflict-load" onClick={() => onLoad(newer)}>
            {t('conflict.load')}
          </button>
        )}
        <button type="button" className="button" onClick={onClose}>
          {t('conflict.stay')}
        </button>
      </div>
      {newer && <p className="be-hint">{t('conflict.hint')}</p>}
    </Dialog>
  );
}
