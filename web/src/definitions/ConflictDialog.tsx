import { Dialog } from '../board/edit/Dialog';
import { definitionTexts } from './texts';

interface Props {
  file: string;
  mine: string;
  /** Null when somebody has deleted it. */
  theirs: string | null;
  /** Whether mine is to be gone, and not another text. */
  isRemoval?: boolean;
  onMine: () => void;
  onTheirs: () => void;
  onClose: () => void;
}

/** Somebody else has written meanwhile: both texts, and the choice between them. */
export function ConflictDialog({ file, mine, theirs, isRemoval = false, onMine, onTheirs, onClose }: Props) {
  const t = definitionTexts.use();
  return (
    <Dialog
      title={t(theirs === null ? 'conflict.gone' : 'conflict.title', { file })}
      testId="file-conflict"
      onClose={onClose}
    >
      <p>{t(isRemoval ? 'conflict.removal' : 'conflict.text')}</p>
      <div className="def-both">
        {theirs !== null && <Text title={t('conflict.theirs')} text={theirs} other={mine} />}
        {!isRemoval && <Text title={t('conflict.mine')} text={mine} other={theirs ?? ''} />}
      </div>
      <div className="be-dialog-ends">
        <button type="button" className="button" onClick={onClose}>
          {t('conflict.later')}
        </button>
        <button type="button" className="button" data-testid="conflict-theirs" onClick={onTheirs}>
          {t(isRemoval ? 'conflict.leave' : 'conflict.takeTheirs')}
        </button>
        <button type="button" className="button button-main" data-testid="conflict-mine" onClick={onMine}>
          {t(isRemoval ? 'conflict.remove' : 'conflict.keepMine')}
        </button>
      </div>
    </Dialog>
  );
}

/** A text in which the lines that the other has not are marked. */
function Text({ title, text, other }: { title: string; text: string; other: string }) {
  const known = new Set(other.split('\n'));
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
      <pre className="def-text" tabIndex={0}>
        {text.split('\n').map((line, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name than their place
          <span key={i} className={known.has(line) ? undefined : 'def-other'}>
            {line}
            {'\n'}
          </span>
        ))}
      </pre>
    </section>
  );
}
