import { Denied } from '../shell/Denied';
import { useMay } from '../shell/useMay';
import { definitionTexts } from './texts';
import type { Writing } from './writing';

/** That nothing can be written here, why, and what to do instead. */
export function ClosedNote({ writing }: { writing: Writing }) {
  const t = definitionTexts.use();
  const mayDefine = useMay('define');
  if (writing.state !== 'closed') return null;
  if (!mayDefine) return <Denied right="define" />;
  const reason = writing.reason?.replace(/[.。]$/, '') ?? null;
  return (
    <p className="def-note" data-tone="warning" data-testid="def-closed">
      {reason === null ? t('writing.closed.plain') : t('writing.closed', { reason })} {t('writing.closed.do')}
    </p>
  );
}
