import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { saveFile } from '../../monitors/saveFile';
import { PanelError } from '../PanelError';
import { type From, yamlQuery } from './calls';
import { Dialog } from './Dialog';
import { boardTexts } from './texts';

interface Props {
  name: string;
  title: string;
  /** Which one is meant, where the folder and the catalogue both have the name. */
  from?: From | null;
  onClose: () => void;
}

/** A board as a file: to copy, to keep, to check into a repository. */
export function ExportDialog({ name, title, from = null, onClose }: Props) {
  const t = boardTexts.use();
  const { data, error, refetch } = useQuery(yamlQuery(name, from));
  const [copied, setCopied] = useState<'no' | 'yes' | 'failed'>('no');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(data ?? '');
      setCopied('yes');
    } catch {
      // Without permission, or without a clipboard outside of https, the text is there to be marked.
      setCopied('failed');
    }
  };
  return (
    <Dialog title={t('export.title', { title })} testId="board-export" onClose={onClose}>
      <p className="be-hint">{t('export.where', { file: `${name}.yaml` })}</p>
      {error && <PanelError error={error} compact onRetry={() => void refetch()} />}
      {data === undefined && !error && <div className="skeleton be-yaml-skeleton" aria-hidden="true" />}
      {data !== undefined && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys
        <pre className="be-yaml" tabIndex={0} data-testid="board-yaml">
          <code>{data}</code>
        </pre>
      )}
      <div className="be-dialog-ends">
        <button type="button" className="button" disabled={data === undefined} onClick={() => void copy()}>
          <span aria-live="polite">
            {t(
              copied === 'yes' ? 'export.copied' : copied === 'failed' ? 'export.copyFailed' : 'export.copy',
            )}
          </span>
        </button>
        <button
          type="button"
          className="button button-main"
          disabled={data === undefined}
          onClick={() => saveFile(`${name}.yaml`, data ?? '')}
        >
          {t('export.download')}
        </button>
        <button type="button" className="button" onClick={onClose}>
          {t('close')}
        </button>
      </div>
    </Dialog>
  );
}
