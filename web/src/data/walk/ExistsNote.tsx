import type { View } from '../DataPage';
import { walkTexts } from './texts';
import { change, send, type Walk } from './walk';

/** Whether a stream of the name is there that this walk has not made. */
export function isTaken({ snapshot, walk }: Pick<View, 'snapshot'> & { walk: Walk }): boolean {
  return walk.saved === null && snapshot.status.streams.some(({ name }) => name === walk.stream);
}

/** That there is such a stream already, with the way to send it more. */
export function ExistsNote(view: View & { walk: Walk }) {
  const t = walkTexts.use();
  const { stream } = view.walk;
  if (!isTaken(view)) return null;
  const upload = () => {
    change({ isExisting: true });
    send();
  };
  return (
    <div className="def-note walk-exists" data-testid="walk-exists">
      <p className="data-strong">{t('exists.title', { stream })}</p>
      <p>{t('exists.text')}</p>
      <button type="button" className="button" data-testid="walk-only-upload" onClick={upload}>
        {t('exists.do', { stream })}
      </button>
    </div>
  );
}
