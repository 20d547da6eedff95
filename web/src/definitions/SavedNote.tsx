import type { Saved } from './calls';
import { definitionTexts } from './texts';

/** Where something was written, and whether it is in force. */
export function SavedNote({ saved }: { saved: Saved }) {
  const t = definitionTexts.use();
  const { file, line, in_force: isInForce = true, reason } = saved;
  const place = file === undefined ? null : line === undefined ? file : `${file}:${line}`;
  return (
    <p
      className="def-note"
      role="status"
      data-tone={isInForce ? 'good' : 'warning'}
      data-testid="def-saved"
      data-place={place ?? ''}
    >
      {place !== null && t('saved.place', { place })}{' '}
      {isInForce ? t('saved.force') : reason ? t('saved.notForce', { reason }) : t('saved.notForce.plain')}
    </p>
  );
}
