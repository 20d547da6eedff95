import { Link, useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import type { BoardSummary } from '../../api/types';
import { useSpeech } from '../../i18n/hooks';
import { useMay } from '../../shell/useMay';
import { isRange } from '../../state/range';
import { boardTexts } from '../edit/texts';
import { isFound } from './rows';
import './switcher.css';

interface Props {
  boards: readonly BoardSummary[];
  onDone: () => void;
}

/** All boards by their titles, found by a word of them. */
export function BoardSwitcher({ boards, onDone }: Props) {
  const t = boardTexts.use();
  const { text } = useSpeech();
  const navigate = useNavigate();
  const maySave = useMay('operate');
  const [q, setQ] = useState('');
  const root = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const found = boards.filter((board) => isFound(board, q));
  const go = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && event.target === field.current) {
      const [first] = found;
      if (!first) return;
      event.preventDefault();
      void navigate({ to: '/boards/$name', params: { name: first.name } });
      onDone();
      return;
    }
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    const stops = [...(root.current?.querySelectorAll<HTMLElement>('input, a') ?? [])];
    const at = stops.indexOf(document.activeElement as HTMLElement);
    stops[Math.min(Math.max(at + (event.key === 'ArrowDown' ? 1 : -1), 0), stops.length - 1)]?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: arrow keys lead through the field and the links within
    <div className="switcher" ref={root} onKeyDown={go}>
      <input
        ref={field}
        type="search"
        value={q}
        aria-label={t('list.search')}
        placeholder={t('list.search')}
        data-testid="switcher-search"
        onChange={({ target }) => setQ(target.value)}
      />
      <ul>
        {found.map(({ name, title }) => (
          <li key={name}>
            <Link
              to="/boards/$name"
              params={{ name }}
              search={(old) => (isRange(old.range) ? { range: old.range } : {})}
              activeOptions={{ includeSearch: false, exact: true }}
              className="switcher-link"
              onClick={onDone}
            >
              <span className="ellipsis">{text(title, name)}</span>
              <span className="switcher-name ellipsis">{name}</span>
            </Link>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="dim">{t('list.none')}</p>}
      <div className="switcher-ends">
        <Link to="/boards" className="button" activeOptions={{ exact: true }} onClick={onDone}>
          {t('list.manage')}
        </Link>
        {maySave && (
          <Link to="/new-board" className="button" onClick={onDone}>
            {t('list.new')}
          </Link>
        )}
      </div>
    </div>
  );
}
