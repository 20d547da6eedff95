import { useSpeech } from '../i18n/hooks';
import type { Applied } from './view';

/** Which of the board's filters a panel cannot obey, or that they leave nothing of it. */
export function FilterNote({ applied }: { applied: Applied }) {
  const { t, dimension } = useSpeech();
  if (applied.excluded !== null) {
    return (
      <p className="filter-said" data-testid="filter-excluded">
        {t('panel.excluded', { dimension: dimension(applied.excluded) })}
      </p>
    );
  }
  if (applied.ignored.length === 0) return null;
  return (
    <p className="filter-said" data-testid="filter-ignored" data-dimensions={applied.ignored.join()}>
      {t('panel.ignored', { dimensions: applied.ignored.map(dimension).join(', ') })}
    </p>
  );
}
