import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../../api/client';
import { boardQuery, boardsQuery } from '../../api/queries';
import { importBoard, type KeptBoard, nameInYaml, shownBoard } from './calls';
import { Dialog } from './Dialog';
import { FaultList } from './Field';
import type { FaultyBoard, ShownFault } from './faults';
import { Refusal } from './Refusal';
import { boardTexts } from './texts';

interface Props {
  onImported: (board: KeptBoard) => void;
  onClose: () => void;
}

/** A board from a file of definitions, pasted or chosen. The server reads it, so that there is one reader alone. */
export function ImportDialog({ onImported, onClose }: Props) {
  const t = boardTexts.use();
  const queries = useQueryClient();
  const [yaml, setYaml] = useState('');
  const [name, setName] = useState('');
  /** Until somebody writes a name, it is the file's own. */
  const [isNamed, setNamed] = useState(false);
  const read = (text: string) => {
    setYaml(text);
    importing.reset();
    if (!isNamed) setName(nameInYaml(text));
  };
  const importing = useMutation({
    mutationFn: () => importBoard(name.trim(), yaml),
    onSuccess: async (board) => {
      queries.setQueryData(boardQuery(name.trim()).queryKey, shownBoard(board));
      await queries.invalidateQueries({ queryKey: boardsQuery.queryKey });
      onImported({ ...board, name: name.trim() });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    importing.mutate();
  };
  const faults = importing.error ? importFaults(importing.error) : [];
  const isTaken = importing.error instanceof ApiError && importing.error.status === 412;
  return (
    <Dialog title={t('import.title')} testId="board-import" onClose={onClose}>
      <form className="be-import" onSubmit={submit}>
        <p className="be-hint">{t('import.text')}</p>
        <label className="be-field">
          <span>{t('import.file')}</span>
          <input
            type="file"
            accept=".yaml,.yml,application/yaml,text/yaml"
            data-testid="import-file"
            onChange={({ target }) => {
              const [file] = target.files ?? [];
              if (file) void file.text().then(read);
            }}
          />
        </label>
        <label className="be-field">
          <span>{t('import.paste')}</span>
          <textarea
            className="be-code"
            rows={10}
            value={yaml}
            spellCheck={false}
            data-testid="import-yaml"
            placeholder={'boards:\n  my_board:\n    title: {en: My board}\n    tiles:\n      - metric: …'}
            onChange={({ target }) => read(target.value)}
          />
        </label>
        <label className="be-field">
          <span>{t('field.name')}</span>
          <input
            type="text"
            value={name}
            required
            maxLength={63}
            pattern="[a-z_][a-z0-9_]*"
            title={t('hint.name')}
            spellCheck={false}
            autoComplete="off"
            data-testid="import-name"
            onChange={({ target }) => {
              setName(target.value);
              setNamed(true);
              importing.reset();
            }}
          />
        </label>
        {importing.isError && (
          <div className="be-refused" role="alert" data-testid="import-failed">
            {isTaken ? (
              t('fault.taken', { name: name.trim() })
            ) : faults.length > 0 ? (
              <FaultList faults={faults} />
            ) : (
              <Refusal error={importing.error} />
            )}
          </div>
        )}
        <div className="be-dialog-ends">
          <button type="button" className="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <button
            type="submit"
            className="button button-main"
            disabled={importing.isPending || yaml.trim() === ''}
            data-testid="import-do"
          >
            {t('import.do')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** In a file that was not written here the place of a fault is its path. */
function importFaults(error: Error): ShownFault[] {
  const problem = error instanceof ApiError ? (error.problem as FaultyBoard | null) : null;
  return (problem?.faults ?? problem?.errors ?? []).map(({ path, place, message, reason, suggestion }) => ({
    message: [path ?? place ?? '', message ?? reason ?? ''].filter(Boolean).join(': '),
    ...(suggestion ? { suggestion } : {}),
  }));
}
