import { useEffect, useState } from 'react';
import { copyText } from '../download';
import { texts } from '../texts';

const SAID_MS = 2_000;

interface Props {
  text: () => string;
  label: string;
  disabled?: boolean;
}

/** Copies, and says whether it could. */
export function CopyButton({ text, label, disabled = false }: Props) {
  const t = texts.use();
  const [said, setSaid] = useState<'copied' | 'refused' | null>(null);
  useEffect(() => {
    if (!said) return;
    const timer = setTimeout(() => setSaid(null), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async () => setSaid((await copyText(text())) ? 'copied' : 'refused');
  return (
    <button type="button" className="button" disabled={disabled} onClick={() => void copy()}>
      <span aria-live="polite">{said ? t(`copy.${said}`) : label}</span>
    </button>
  );
}
