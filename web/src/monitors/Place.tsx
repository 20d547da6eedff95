import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useId, useState } from 'react';
import { Dialog } from '../board/edit/Dialog';
import { deleteItem, forgetOld, type Item, itemQuery, saveItem } from '../definitions/calls';
import { isItemName, itemText } from '../definitions/item';
import { Refused } from '../definitions/Refused';
import { useWriting } from '../definitions/writing';
import { monitorsQuery } from './queries';
import { useTexts } from './texts';

/** Where a monitor is written, and what can be done with it there besides being changed. */
export function Place({ name }: { name: string }) {
  const t = useTexts();
  const writing = useWriting();
  const { data: item } = useQuery(itemQuery('monitors', name));
  const [question, setQuestion] = useState<'rename' | 'delete' | null>(null);
  if (!item) return null;
  const canChange = writing.state === 'open' && item.editable;
  const place = item.file === null ? null : `${item.file}:${item.line ?? 1}`;
  return (
    <div className="monitor-place" data-testid="monitor-place">
      <p className="dim">
        {place !== null ? (
          <Link to="/data" search={{ tab: 'definitions', file: item.file ?? '' }}>
            {t('place.file', { place })}
          </Link>
        ) : (
          item.pack !== null && t('place.pack', { pack: item.pack })
        )}
      </p>
      {writing.state === 'open' && !item.editable && item.reason !== null && (
        <p className="dim" data-testid="monitor-fixed">
          {item.reason}
        </p>
      )}
      {canChange && (
        <p className="monitor-place-actions">
          <button
            type="button"
            className="button"
            data-testid="rename-monitor"
            onClick={() => setQuestion('rename')}
          >
            {t('rename')}
          </button>
          <button
            type="button"
            className="button be-danger"
            data-testid="delete-monitor"
            onClick={() => setQuestion('delete')}
          >
            {t('delete')}
          </button>
        </p>
      )}
      {question === 'rename' && <RenameDialog item={item} onClose={() => setQuestion(null)} />}
      {question === 'delete' && <DeleteDialog item={item} onClose={() => setQuestion(null)} />}
    </div>
  );
}

interface DialogProps {
  item: Item;
  onClose: () => void;
}

function DeleteDialog({ item, onClose }: DialogProps) {
  const t = useTexts();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { name } = item;
  const deleting = useMutation({
    mutationFn: () => deleteItem('monitors', name, item.etag),
    onSuccess: async () => {
      await navigate({ to: '/monitors' });
      await forgetOld(queries);
    },
  });
  return (
    <Dialog title={t('delete.title', { name })} testId="monitor-delete" onClose={onClose}>
      <p>{t('delete.text')}</p>
      {deleting.error && <Refused error={deleting.error} />}
      <div className="be-dialog-ends">
        <button type="button" className="button" onClick={onClose}>
          {t('delete.keep')}
        </button>
        <button
          type="button"
          className="button be-danger"
          disabled={deleting.isPending}
          data-testid="delete-monitor-yes"
          onClick={() => deleting.mutate()}
        >
          {t('delete')}
        </button>
      </div>
    </Dialog>
  );
}

/** Another name is another monitor: one is written and the other removed, and it is told what that means. */
function RenameDialog({ item, onClose }: DialogProps) {
  const t = useTexts();
  const id = useId();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const monitors = useQuery(monitorsQuery).data ?? [];
  const old = item.name;
  const [name, setName] = useState(old);
  const [isHalf, setHalf] = useState(false);
  const isTaken = name !== old && !isHalf && monitors.some((one) => one.name === name);
  const isBad = !isItemName(name);
  const renaming = useMutation({
    mutationFn: async () => {
      // If the second step fails, the first is not done once more.
      if (!isHalf) await saveItem('monitors', name, itemText('monitors', name, item.yaml), { kind: 'new' });
      setHalf(true);
      await deleteItem('monitors', old, item.etag);
    },
    onSuccess: async () => {
      await forgetOld(queries);
      await navigate({ to: '/monitors/$name', params: { name } });
    },
  });
  const fault = isBad ? t('fault.name') : isTaken ? t('fault.taken') : null;
  return (
    <Dialog title={t('rename.title', { name: old })} testId="monitor-rename" onClose={onClose}>
      <p>{t('rename.text')}</p>
      <form
        className="form-field"
        onSubmit={(event) => {
          event.preventDefault();
          if (fault === null && name !== old && !renaming.isPending) renaming.mutate();
        }}
      >
        <label htmlFor={id}>{t('rename.new')}</label>
        <input
          id={id}
          type="text"
          value={name}
          maxLength={63}
          spellCheck={false}
          autoComplete="off"
          readOnly={isHalf}
          aria-invalid={fault !== null || undefined}
          aria-describedby={`${id}-fault`}
          data-testid="rename-name"
          onChange={({ target }) => setName(target.value)}
        />
        <p id={`${id}-fault`} className="rename-fault">
          {fault}
        </p>
        {isHalf && renaming.error && <p role="alert">{t('rename.half', { name, old })}</p>}
        {renaming.error && <Refused error={renaming.error} />}
        <div className="be-dialog-ends">
          <button type="button" className="button" onClick={onClose}>
            {t('delete.keep')}
          </button>
          <button
            type="submit"
            className="button button-main"
            disabled={fault !== null || name === old || renaming.isPending}
            data-testid="rename-do"
          >
            {isHalf ? t('rename.again', { old }) : t('rename.do')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
