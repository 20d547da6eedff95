import { definitionTexts } from './texts';
import type { Check } from './useCheck';

/** Whether what is written would work, in a line. */
export function CheckLine({ check }: { check: Check }) {
  const t = definitionTexts.use();
  const { faults, isChecking, error } = check;
  const tone = faults === null ? undefined : faults.length > 0 ? 'bad' : 'good';
  const text = isChecking
    ? t('check.running')
    : error
      ? t('check.failed', { reason: error.message })
      : faults === null
        ? ''
        : faults.length > 0
          ? t('check.some', { count: faults.length })
          : t('check.good');
  return (
    <p
      className="def-check"
      role="status"
      data-tone={isChecking ? undefined : tone}
      data-testid="def-check"
      data-state={isChecking ? 'checking' : (tone ?? 'none')}
    >
      {text}
    </p>
  );
}
