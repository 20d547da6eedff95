import { useState } from 'react';
import { fileOf } from './definitionFile';
import type { Draft } from './draft';
import { saveFile } from './saveFile';
import { useTexts } from './texts';

interface Props {
  draft: Draft;
  /** What it is called, where the draft does not say it yet. */
  name: string;
  isExisting: boolean;
  /** It is saved from here: how a file is made of it by hand need not be told. */
  isSaved: boolean;
}

/** The definition to copy or to save as a file, and where that goes where the server does not write it. */
export function YamlOutput({ draft, name, isExisting, isSaved }: Props) {
  const t = useTexts();
  const [copy, setCopy] = useState<{ text: string; isDone: boolean } | null>(null);
  const text = fileOf(draft, name);
  const file = `${name}.yaml`;
  const label = copy?.text !== text ? 'yaml.copy' : copy.isDone ? 'yaml.copied' : 'yaml.copyFailed';
  const onCopy = () => {
    const done = (isDone: boolean) => setCopy({ text, isDone });
    // Without permission, or without a clipboard outside of https, the text is there to be marked.
    const copying = navigator.clipboard?.writeText(text);
    if (copying)
      void copying.then(
        () => done(true),
        () => done(false),
      );
    else done(false);
  };
  return (
    <section className="panel yaml" aria-labelledby="yaml-title">
      <div className="yaml-head">
        <h2 id="yaml-title">{t('yaml.title')}</h2>
        <button type="button" className="button" onClick={onCopy}>
          <span aria-live="polite">{t(label)}</span>
        </button>
        <button type="button" className="button" onClick={() => saveFile(file, text)}>
          {t('yaml.download')}
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
      <pre className="yaml-text" tabIndex={0} data-testid="yaml">
        <code>{text}</code>
      </pre>
      {!isSaved && (
        <>
          <p>{t('yaml.where', { file })}</p>
          {isExisting && <p>{t('yaml.replace')}</p>}
          <p className="dim">{t('yaml.check')}</p>
          <pre className="yaml-text yaml-command">
            <code>{`tillwatch backtest ${name} --proposed ${file}\ntillwatch check --config DIR`}</code>
          </pre>
        </>
      )}
    </section>
  );
}
