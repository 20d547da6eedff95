import { type ReactNode, useState } from 'react';
import { panelTexts } from './texts';

interface Props {
  heads: readonly string[];
  /** Rows of cells; the first cell is the row's head. Made only when somebody looks. */
  rows: () => readonly (readonly ReactNode[])[];
  /** What the table is of. */
  caption: string;
}

/** The same figures as a table, for who cannot or does not want to read the drawing. */
export function AsTable({ heads, rows, caption }: Props) {
  const t = panelTexts.use();
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="as-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('asTable')}</summary>
      {isOpen && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        <section className="as-table-scroll" aria-label={caption} tabIndex={0}>
          <table>
            <caption className="visually-hidden">{caption}</caption>
            <thead>
              <tr>
                {heads.map((head, i) => (
                  <th key={head} scope="col" className={i === 0 ? '' : 'number'}>
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows().map((cells, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: rows have an order and no names
                <tr key={i}>
                  {cells.map((cell, column) =>
                    column === 0 ? (
                      <th key={heads[column]} scope="row">
                        {cell}
                      </th>
                    ) : (
                      <td key={heads[column]} className="number">
                        {cell}
                      </td>
                    ),
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </details>
  );
}
