import { useState } from 'react';
import { useSpeech } from '../../i18n/hooks';
import { dimensionsOf, type Table } from '../schema';
import { identifier } from '../statement';
import { texts } from '../texts';
import { SideSkeleton } from './SideSkeleton';

/** So many are shown with all that is in them. */
const FEW_TABLES = 3;

interface Props {
  tables: Table[] | null;
  error: string | null;
  onInsert: (text: string) => void;
  onLook: (table: Table) => void;
  onRetry: () => void;
}

/** What there is to ask about. A click writes the name at the cursor. */
export function SchemaBrowser({ tables, error, onInsert, onLook, onRetry }: Props) {
  const t = texts.use();
  const [sought, setSought] = useState('');
  if (!tables && error !== null) {
    return (
      <div className="sql-side-message" role="alert">
        <p>{t('schema.failed')}</p>
        <p className="dim">{error}</p>
        <button type="button" className="button" onClick={onRetry}>
          {t('fault.retry')}
        </button>
      </div>
    );
  }
  if (!tables) return <SideSkeleton />;
  if (tables.length === 0) return <p className="sql-side-message dim">{t('schema.none')}</p>;
  const words = sought.trim().toLowerCase();
  const found = words === '' ? tables : tables.filter((table) => isSought(table, words));
  return (
    <>
      <input
        type="search"
        className="sql-search"
        aria-label={t('schema.search')}
        placeholder={t('schema.search')}
        value={sought}
        onChange={(event) => setSought(event.target.value)}
      />
      {(['cube', 'stream'] as const).map((kind) => {
        const group = found.filter((table) => table.kind === kind);
        if (group.length === 0) return null;
        return (
          <section key={kind} aria-label={t(`schema.${kind}s`)}>
            <h3 className="sql-side-title" title={t(`schema.${kind}Hint`)}>
              {t(`schema.${kind}s`)}
            </h3>
            {group.map((table) => (
              <TableEntry
                // Whether it begins open follows the search; after that it is the reader's.
                key={`${table.name} ${words !== ''}`}
                table={table}
                isOpen={words === '' ? tables.length <= FEW_TABLES : !table.name.includes(words)}
                words={words}
                onInsert={onInsert}
                onLook={onLook}
              />
            ))}
          </section>
        );
      })}
      {found.length === 0 && <p className="sql-side-message dim">{t('schema.notFound')}</p>}
    </>
  );
}

function isSought({ name, columns, measures, metrics }: Table, words: string): boolean {
  const names = [name, ...columns.map((one) => one.name), ...measures, ...metrics.map((one) => one.name)];
  return names.some((one) => one.toLowerCase().includes(words));
}

interface EntryProps {
  table: Table;
  isOpen: boolean;
  words: string;
  onInsert: (text: string) => void;
  onLook: (table: Table) => void;
}

function TableEntry({ table, isOpen, words, onInsert, onLook }: EntryProps) {
  const t = texts.use();
  const { name, kind, columns, metrics, measures } = table;
  const dimensions = new Set(kind === 'cube' ? dimensionsOf(table) : []);
  const own = measures.filter((measure) => !metrics.some((metric) => metric.name === measure));
  const isMeant = (text: string) =>
    words === '' || name.includes(words) || text.toLowerCase().includes(words);
  return (
    <details className="sql-table" open={isOpen} data-testid="sql-table-entry" data-table={name}>
      <summary>
        <span className="ellipsis">{name}</span>
      </summary>
      <div className="sql-table-actions">
        <button type="button" className="button" onClick={() => onInsert(identifier(name))}>
          {t('schema.insert')}
        </button>
        <button type="button" className="button" onClick={() => onLook(table)}>
          {t('schema.look')}
        </button>
      </div>
      <ul aria-label={t('schema.columns')}>
        {columns
          .filter((column) => isMeant(column.name))
          .map((column) => (
            <Name
              key={column.name}
              name={column.name}
              detail={column.type}
              hint={dimensions.has(column.name) ? t('schema.dimension') : undefined}
              onClick={() => onInsert(identifier(column.name))}
            />
          ))}
      </ul>
      {kind === 'cube' && metrics.some((metric) => isMeant(metric.name)) && (
        <>
          <h4 className="sql-side-title">{t('schema.metrics')}</h4>
          <ul>
            {metrics
              .filter((metric) => isMeant(metric.name))
              .map((metric) => (
                <Name
                  key={metric.name}
                  name={metric.name}
                  detail={metric.unit ?? ''}
                  hint={[metric.description, metric.formula].filter(Boolean).join('\n') || undefined}
                  onClick={() => onInsert(`measure(${identifier(metric.name)})`)}
                />
              ))}
          </ul>
        </>
      )}
      {own.some(isMeant) && (
        <>
          <h4 className="sql-side-title">{t('schema.measures')}</h4>
          <ul>
            {own.filter(isMeant).map((measure) => (
              <Name
                key={measure}
                name={measure}
                detail=""
                onClick={() => onInsert(`measure(${identifier(measure)})`)}
              />
            ))}
          </ul>
        </>
      )}
    </details>
  );
}

interface NameProps {
  name: string;
  detail: string;
  hint?: string | undefined;
  onClick: () => void;
}

function Name({ name, detail, hint, onClick }: NameProps) {
  const { dimension } = useSpeech();
  return (
    <li>
      <button
        type="button"
        className="sql-name"
        title={[dimension(name), hint].filter(Boolean).join('\n')}
        onClick={onClick}
      >
        <span className="ellipsis">{name}</span>
        <span className="dim">{detail}</span>
      </button>
    </li>
  );
}
