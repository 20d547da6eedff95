import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Denied } from '../shell/Denied';
import { useMay } from '../shell/useMay';
import { replay } from './calls';
import type { ReplayReceipt } from './documents';
import { Refusal } from './Refusal';
import { Rejections } from './Rejections';
import type { Say } from './say';

interface Props {
  stream: string;
  /** How many lines are shown. */
  lines: number;
  limit: number;
  say: Say;
}

/** Tries the lines that are shown again, and says what became of them. */
export function ReplayPanel({ stream, lines, limit, say }: Props) {
  const { t } = say;
  const queries = useQueryClient();
  const mayReplay = useMay('operate');
  const again = useMutation({
    mutationFn: () => replay(stream, limit),
    onSettled: () => queries.invalidateQueries({ queryKey: ['data'] }),
  });
  return (
    <>
      {lines > 0 && (
        <div className="data-replay">
          <p className="data-small">{t('replay.text', { count: say.count(lines) })}</p>
          {mayReplay && (
            <button
              type="button"
              className="button button-main"
              data-testid="replay"
              disabled={again.isPending}
              onClick={() => again.mutate()}
            >
              {again.isPending ? t('replay.running') : t('replay.action', { count: say.count(lines) })}
            </button>
          )}
          <Denied right="operate" />
        </div>
      )}
      {again.error && <Refusal error={again.error} />}
      {again.data && <Receipt receipt={again.data} onDismiss={again.reset} say={say} />}
    </>
  );
}

function Receipt({ receipt, onDismiss, say }: { receipt: ReplayReceipt; onDismiss: () => void; say: Say }) {
  const { t } = say;
  return (
    <div className="data-receipt" role="status" data-testid="replay-receipt">
      <div className="data-receipt-head">
        <p className="data-strong">
          {receipt.replayed === 0
            ? t('replay.none')
            : t('replay.done', { count: say.count(receipt.replayed) })}
        </p>
        <button type="button" className="button" onClick={onDismiss}>
          {t('replay.dismiss')}
        </button>
      </div>
      {receipt.replayed > 0 && (
        <dl className="data-counts">
          <div data-tone={receipt.accepted > 0 ? 'good' : undefined}>
            <dt>{t('receipt.accepted')}</dt>
            <dd>{say.count(receipt.accepted)}</dd>
          </div>
          <div>
            <dt>{t('receipt.duplicates')}</dt>
            <dd>{say.count(receipt.duplicates)}</dd>
          </div>
          <div data-tone={receipt.rejected > 0 ? 'warning' : undefined}>
            <dt>{t('receipt.rejected.again')}</dt>
            <dd>{say.count(receipt.rejected)}</dd>
          </div>
        </dl>
      )}
      <Rejections rejections={receipt.rejections} say={say} />
    </div>
  );
}
