import { useMutation, useQueryClient } from '@tanstack/react-query';
import { boardQuery, boardsQuery } from '../../api/queries';
import { deleteBoard } from './calls';
import { Dialog } from './Dialog';
import { forgetDraft } from './kept';
import { Refusal } from './Refusal';
import { boardTexts } from './texts';

interface Props {
  name: string;
  title: string;
  version: number | null;
  onDeleted: () => void;
  onClose: () => void;
}

/** Asks before a board is gone for everybody. */
export function DeleteDialog({ name, title, version, onDeleted, onClose }: Props) {
  const t = boardTexts.use();
  const queries = useQueryClient();
  const deleting = useMutation({
    mutationFn: () => deleteBoard(name, version),
    onSuccess: async () => {
      forgetDraft(name);
      queries.removeQueries({ queryKey: boardQuery(name).queryKey });
      await queries.invalidateQueries({ queryKey: boardsQuery.queryKey });
      onDeleted();
    },
  });
  return (
    <Dialog title={t('delete.title', { title })} testId="board-delete" onClose={onClose}>
      <p>{t('delete.text', { name })}</p>
      {deleting.isError && (
        <p className="be-refused" role="alert">
          {t('delete.failed')} <Refusal error={deleting.error} />
        </p>
      )}
      <div className="be-dialog-ends">
        <button type="button" className="button" onClick={onClose}>
          {t('delete.keep')}
        </button>
        <button
          type="button"
          className="button be-danger"
          disabled={deleting.isPending}
          data-testid="delete-board"
          onClick={() => deleting.mutate()}
        >
          {t('delete.do', { title })}
        </button>
      </div>
    </Dialog>
  );
}
