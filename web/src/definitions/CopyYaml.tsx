import { useState } from 'react';
import { saveFile } from '../monitors/saveFile';
import { definitionTexts } from './texts';

interface Props {
  text: string;
  /** What it is called as a file. */
  file: string;
}

/** A definition to take along, where the server does not write it. */
export function CopyYaml({ text, file }: Props) {
  const t = definitionTexts.use();
  const [copy, setCopy] = useState<{ text: string; isDone: boolean } | null>(null);
  const done = (isDone: boolean) => setCopy({ text, isDone });
  const label = copy?.text !== text ? 'copy' : copy.isDone ? 'copy.done' : 'copy.failed';
  const onCopy = () => {
    // Without permission, or without a clipboard outside of https, the text is there to be marked.
    const copying = navigator.clipboard?.writeText(text);
    if (!copying) return done(false);
    void copying.then(
      () => done(true),
      () => done(false),
    );
  };
  return (
    <>
      <button type="button" className="button" onClick={onCopy} data-testid="copy-yaml">
        <span aria-live="polite">{t(label)}</span>
      </button>
      <button type="button" className="button" onClick={() => saveFile(file, text)}>
        {t('download')}
      </button>
    </>
  );
}
