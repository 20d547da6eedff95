import { showOverlay } from '../shell/shortcuts';
import { incidentTexts } from './texts';

/** Tells that there are keys, and opens the list of them. */
export function ShortcutButton() {
  const say = incidentTexts.use();
  return (
    <button
      type="button"
      className="inbox-keys"
      aria-haspopup="dialog"
      onClick={() => showOverlay('help')}
      data-testid="shortcuts"
    >
      {say('keys.title')} <kbd>?</kbd>
    </button>
  );
}
