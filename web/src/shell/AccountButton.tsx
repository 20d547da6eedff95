import { lazy, Suspense, useId, useRef, useState } from 'react';
import type { Identity } from '../api/access';
import { useSpeech } from '../i18n/hooks';
import { PersonIcon } from './icons';

const Account = lazy(async () => ({ default: (await import('./Account')).Account }));

/** Who one is, where the server asks; more about it, and the way out, hang below. */
export function AccountButton({ identity }: { identity: Identity }) {
  const { t } = useSpeech();
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const [place, setPlace] = useState<{ right: number; top: number } | null>(null);
  const name = identity.name ?? identity.role;
  const label = t('account.label', { name, role: identity.role });
  const open = () => {
    const box = button.current?.getBoundingClientRect();
    const width = document.documentElement.clientWidth;
    if (box) setPlace({ right: Math.max(8, Math.min(width - box.right, width - 296)), top: box.bottom + 4 });
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className="setting setting-button account-button"
        popoverTarget={id}
        aria-haspopup="dialog"
        aria-expanded={place !== null}
        aria-label={label}
        title={label}
        data-testid="account-button"
        onClick={open}
      >
        <PersonIcon />
        <span className="account-short">{name}</span>
      </button>
      {/* In the top layer, as the menu of boards: the bar would cut off what hangs from it. */}
      <div
        id={id}
        popover="auto"
        role="dialog"
        aria-label={label}
        className="account-menu"
        style={place ?? undefined}
        onToggle={(event) => {
          if (event.newState === 'closed') setPlace(null);
        }}
      >
        {place && (
          <Suspense fallback={<div className="skeleton account-skeleton" />}>
            <Account identity={identity} />
          </Suspense>
        )}
      </div>
    </>
  );
}
