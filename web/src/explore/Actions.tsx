import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { Popover } from '../filter/Popover';
import { CheckIcon } from '../shell/icons';
import { showOverlay } from '../shell/shortcuts';
import { useMay } from '../shell/useMay';
import { PageIcon } from './icons';
import { exploreTexts } from './texts';

interface Props {
  /** The statement that answers what the chart shows. */
  sql: string;
  canExport: boolean;
  onChartCsv: () => void;
  onTableCsv: () => void;
  onPicture: () => void;
}

/** What can be done with what is shown: ask it in SQL, send it, keep it. */
export function Actions({ sql, canExport, onChartCsv, onTableCsv, onPicture }: Props) {
  const t = exploreTexts.use();
  const mayNote = useMay('operate');
  const entries = [
    ['export.picture', onPicture],
    ['export.chart', onChartCsv],
    ['export.table', onTableCsv],
  ] as const;
  return (
    <div className="button-row actions">
      <Link
        to="/sql"
        search={{ q: sql }}
        className="button tool"
        title={t('sql.hint')}
        data-testid="open-sql"
      >
        <PageIcon name="code" />
        {t('sql.open')}
      </Link>
      {mayNote && (
        <button
          type="button"
          className="button tool"
          title={t('annotate.hint')}
          data-testid="annotate"
          onClick={() => showOverlay('annotate')}
        >
          <PageIcon name="flag" />
          {t('annotate')}
        </button>
      )}
      <CopyLink />
      <Popover
        name={t('export.label')}
        align="end"
        className="button tool"
        testId="export"
        label={
          <>
            <PageIcon name="save" />
            {t('export.label')}
            <PageIcon name="down" />
          </>
        }
      >
        {(close) => (
          <div className="menu">
            {entries.map(([key, act]) => (
              <button
                key={key}
                type="button"
                className="menu-entry"
                disabled={!canExport}
                data-testid={key}
                onClick={() => {
                  act();
                  close();
                }}
              >
                {t(key)}
              </button>
            ))}
          </div>
        )}
      </Popover>
    </div>
  );
}

const COPIED_MS = 2_000;

/** Copies the address, which says all that is chosen. Where the browser forbids it, the address can be copied by hand. */
function CopyLink() {
  const t = exploreTexts.use();
  const [outcome, setOutcome] = useState<'copied' | 'failed' | null>(null);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (outcome === 'failed') field.current?.select();
    if (outcome !== 'copied') return;
    const timer = setTimeout(() => setOutcome(null), COPIED_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      setOutcome('copied');
    } catch {
      setOutcome('failed');
    }
  };
  return (
    <>
      <button type="button" className="button tool" data-testid="copy-link" onClick={() => void copy()}>
        {outcome === 'copied' ? <CheckIcon /> : <PageIcon name="link" />}
        {t(outcome === 'copied' ? 'link.copied' : 'link.copy')}
      </button>
      <span className="visually-hidden" role="status">
        {outcome === 'copied' && t('link.copied')}
      </span>
      {outcome === 'failed' && (
        <input
          ref={field}
          className="link-field"
          readOnly
          value={location.href}
          aria-label={t('link.byHand')}
          title={t('link.byHand')}
          onKeyDown={(event) => event.key === 'Escape' && setOutcome(null)}
          onBlur={() => setOutcome(null)}
        />
      )}
    </>
  );
}
