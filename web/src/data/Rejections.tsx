import { DataTable } from './DataTable';
import type { Say } from './say';

interface Props {
  rejections: readonly { line: number; field?: string | null; reason: string }[];
  say: Say;
}

/** The first lines of something sent that were not taken. */
export function Rejections({ rejections, say }: Props) {
  const { t } = say;
  if (rejections.length === 0) return null;
  return (
    <div className="data-rejections">
      <h3>{t('receipt.first')}</h3>
      <DataTable
        label={t('receipt.first')}
        rows={rejections}
        rowKey={({ line }, index) => `${line} ${index}`}
        columns={[
          {
            id: 'line',
            head: t('receipt.line'),
            isNarrow: true,
            isNumber: true,
            cell: ({ line }) => say.count(line),
          },
          {
            id: 'field',
            head: t('receipt.field'),
            isNarrow: true,
            cell: ({ field }) => (field ? <code>{field}</code> : '–'),
          },
          {
            id: 'reason',
            head: t('receipt.reason'),
            cell: ({ reason }) => <span className="data-why">{reason}</span>,
          },
        ]}
        testId="rejections"
      />
    </div>
  );
}
