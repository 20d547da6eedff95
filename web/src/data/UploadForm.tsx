import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useId, useState } from 'react';
import { sendPart } from './calls';
import {
  type CsvReading,
  type DelimiterName,
  delimiters,
  HEAD_BYTES,
  type Look,
  lookAt,
  shownRows,
} from './csv/look';
import { CsvUpload, canHash, uploadStore } from './csv/upload';
import type { View } from './DataPage';
import { FileChoice } from './FileChoice';
import type { Say } from './say';
import { writeDataSearch } from './search';

interface Chosen {
  file: File;
  /** Null when the file could not be read. */
  look: Look | null;
}

const delimiterNames = Object.keys(delimiters) as DelimiterName[];

/** Which file goes to which stream, with a look at its first rows. */
export function UploadForm({ snapshot, search, say }: View) {
  const { t } = say;
  const ids = useId();
  const navigate = useNavigate({ from: '/data' });
  const { streams } = snapshot.status;
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [reading, setReading] = useState<CsvReading>({ delimiter: 'auto', header: 'auto' });
  const only = streams.length === 1 ? streams[0]?.name : undefined;
  const stream = streams.find(({ name }) => name === search.stream)?.name ?? only ?? '';
  const look = chosen?.look ?? null;
  const isReady = chosen !== null && look !== null && look.unfit === null && stream !== '';

  const choose = async (file: File | undefined) => {
    if (!file) return;
    try {
      const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
      setChosen({ file, look: lookAt(head, file.size <= HEAD_BYTES) });
    } catch {
      setChosen({ file, look: null });
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isReady) return;
    const upload = new CsvUpload({
      file: chosen.file,
      stream,
      form: look.form,
      reading,
      found: look.found,
      send: sendPart,
    });
    uploadStore.set(upload);
    void upload.run();
  };
  const found = look?.found;
  return (
    <form className="data-upload" onSubmit={submit}>
      <FileChoice file={chosen?.file ?? null} onChoose={choose} say={say} />
      {chosen && !look && (
        <p className="data-fault" role="alert">
          {t('upload.unreadable')}
        </p>
      )}
      {look?.unfit && (
        <p className="data-fault" role="alert" data-testid="unfit">
          {t(`upload.unfit.${look.unfit}`)}
        </p>
      )}
      <div className="data-fields">
        <div className="data-field">
          <label htmlFor={`${ids}stream`}>{t('upload.stream')}</label>
          <select
            id={`${ids}stream`}
            required
            value={stream}
            data-testid="upload-stream"
            onChange={(event) =>
              void navigate({
                search: writeDataSearch({ tab: 'upload', stream: event.target.value }),
                replace: true,
              })
            }
          >
            <option value="" disabled>
              {t('upload.stream.choose')}
            </option>
            {streams.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </div>
        {look?.form !== 'ndjson' && (
          <>
            <div className="data-field">
              <label htmlFor={`${ids}delimiter`}>{t('upload.delimiter')}</label>
              <select
                id={`${ids}delimiter`}
                value={reading.delimiter}
                onChange={(event) =>
                  setReading({ ...reading, delimiter: event.target.value as CsvReading['delimiter'] })
                }
              >
                <option value="auto">
                  {found
                    ? t('upload.delimiter.found', {
                        found: t(`upload.delimiter.${found}`).toLocaleLowerCase(),
                      })
                    : t('upload.delimiter.auto')}
                </option>
                {delimiterNames.map((name) => (
                  <option key={name} value={name}>
                    {t(`upload.delimiter.${name}`)}
                  </option>
                ))}
              </select>
            </div>
            <div className="data-field">
              <label htmlFor={`${ids}header`}>{t('upload.header')}</label>
              <select
                id={`${ids}header`}
                value={reading.header}
                onChange={(event) =>
                  setReading({ ...reading, header: event.target.value as CsvReading['header'] })
                }
              >
                {(['auto', 'present', 'absent'] as const).map((header) => (
                  <option key={header} value={header}>
                    {t(`upload.header.${header}`)}
                  </option>
                ))}
              </select>
            </div>
          </>
        )}
      </div>
      {chosen && look?.form === 'csv' && look.unfit === null && (
        <Preview look={look} reading={reading} isWhole={chosen.file.size <= HEAD_BYTES} say={say} />
      )}
      <div className="data-actions">
        <button type="submit" className="button button-main" disabled={!isReady} data-testid="upload-start">
          {t('upload.start')}
        </button>
        <span className="dim data-small">{t(canHash ? 'upload.again.hashed' : 'upload.again.nonce')}</span>
      </div>
    </form>
  );
}

/** Further columns are only counted: a look is to tell whether the rows are cut well. */
const COLUMNS_SHOWN = 12;

interface PreviewProps {
  look: Look;
  reading: CsvReading;
  isWhole: boolean;
  say: Say;
}

function Preview({ look, reading, isWhole, say }: PreviewProps) {
  const { t } = say;
  const delimiter = reading.delimiter === 'auto' ? (look.found ?? 'comma') : reading.delimiter;
  const rows = shownRows(look, delimiter, isWhole);
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const isNamed = reading.header !== 'absent';
  return (
    <div className="data-preview">
      <h3 id="preview">{t('upload.preview')}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways is scrolled by keyboard too */}
      <section className="data-scroll" aria-labelledby="preview" tabIndex={0}>
        <table data-testid="upload-preview">
          <tbody>
            {rows.map((row, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows of a file have no other name than their place
              <tr key={i} className={isNamed && i === 0 ? 'data-preview-head' : undefined}>
                {row.slice(0, COLUMNS_SHOWN).map((cell, j) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: so it is with cells
                  <td key={j}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {columns > COLUMNS_SHOWN && (
        <p className="dim data-small">{t('upload.preview.cells', { count: columns - COLUMNS_SHOWN })}</p>
      )}
    </div>
  );
}
