import { type DragEvent, useRef, useState } from 'react';
import type { Say } from './say';

interface ChoiceProps {
  file: File | null;
  onChoose: (file: File | undefined) => Promise<void>;
  say: Say;
}

/** A file by the browser's dialogue or dropped here. */
export function FileChoice({ file, onChoose, say }: ChoiceProps) {
  const { t } = say;
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void onChoose(event.dataTransfer.files[0]);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is for the mouse; the button does the same for everybody
    <div
      className="data-drop"
      data-over={isOver || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <input
        ref={input}
        type="file"
        className="visually-hidden"
        tabIndex={-1}
        aria-label={t('upload.file')}
        accept=".csv,.tsv,.tab,.txt,.ndjson,.jsonl,.json,text/csv,text/tab-separated-values,text/plain,application/x-ndjson"
        data-testid="upload-file"
        onChange={(event) => {
          void onChoose(event.target.files?.[0]);
          // The same file may be chosen again after it was changed.
          event.target.value = '';
        }}
      />
      {file && (
        <p className="data-file">
          <span className="data-strong ellipsis">{file.name}</span>
          <span className="dim data-figure">{say.bytes(file.size)}</span>
        </p>
      )}
      <p>
        <button type="button" className="button" onClick={() => input.current?.click()}>
          {file ? t('upload.another') : t('upload.choose')}
        </button>{' '}
        <span className="dim data-small">{t('upload.drop')}</span>
      </p>
    </div>
  );
}
