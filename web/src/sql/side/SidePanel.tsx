import { type KeyboardEvent, useState } from 'react';
import type { Example } from '../examples';
import type { Table } from '../schema';
import { texts } from '../texts';
import { ExampleList } from './ExampleList';
import { HistoryList } from './HistoryList';
import { SavedList } from './SavedList';
import { SchemaBrowser } from './SchemaBrowser';

const tabs = ['tables', 'saved', 'history', 'examples'] as const;
export type SideTab = (typeof tabs)[number];

interface Props {
  tab: SideTab;
  onTab: (tab: SideTab) => void;
  saveAsked: number;
  tables: Table[] | null;
  schemaError: string | null;
  examples: readonly Example[];
  current: () => string | null;
  onInsert: (text: string) => void;
  onLook: (table: Table) => void;
  onRetry: () => void;
  onOpen: (sql: string) => void;
  onExample: (example: Example) => void;
}

/** What helps with writing, beside the editor; above it, and folded, where the window is narrow. */
export function SidePanel(props: Props) {
  const { tab, onTab, saveAsked } = props;
  const t = texts.use();
  const [isOpen, setIsOpen] = useState(false);
  const onKey = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length] ?? tab;
    onTab(next);
    event.currentTarget.querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus();
  };
  return (
    <aside className="panel sql-side" aria-label={t('side.label')} data-open={isOpen || saveAsked > 0}>
      <button
        type="button"
        className="sql-side-toggle"
        aria-expanded={isOpen || saveAsked > 0}
        onClick={() => setIsOpen(!isOpen)}
      >
        {t('side.open')}
      </button>
      <div className="sql-side-body">
        <div className="sql-tabs" role="tablist" onKeyDown={onKey}>
          {tabs.map((one) => (
            <button
              key={one}
              id={`sql-tab-${one}`}
              type="button"
              role="tab"
              data-tab={one}
              aria-selected={one === tab}
              aria-controls="sql-tab-panel"
              tabIndex={one === tab ? 0 : -1}
              onClick={() => onTab(one)}
            >
              {t(`side.${one}`)}
            </button>
          ))}
        </div>
        <div
          id="sql-tab-panel"
          className="sql-tab-panel"
          role="tabpanel"
          aria-labelledby={`sql-tab-${tab}`}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a long list is scrolled by keyboard
          tabIndex={0}
        >
          {tab === 'tables' && (
            <SchemaBrowser
              tables={props.tables}
              error={props.schemaError}
              onInsert={props.onInsert}
              onLook={props.onLook}
              onRetry={props.onRetry}
            />
          )}
          {tab === 'saved' && (
            <SavedList
              current={props.current}
              asked={saveAsked}
              onOpen={(query) => props.onOpen(query.sql)}
            />
          )}
          {tab === 'history' && <HistoryList onOpen={props.onOpen} />}
          {tab === 'examples' && <ExampleList examples={props.examples} onOpen={props.onExample} />}
        </div>
      </div>
    </aside>
  );
}
