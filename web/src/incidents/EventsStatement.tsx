import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useSpeech } from '../i18n/hooks';
import { incidentTexts } from './texts';

const COPIED_FOR_MS = 2_500;

/** The raw events behind it: a way to the SQL page, and the statement to take along. */
export function EventsStatement({ sql }: { sql: string }) {
  const { t } = useSpeech();
  const say = incidentTexts.use();
  const [copied, setCopied] = useState<'yes' | 'refused' | null>(null);
  useEffect(() => {
    if (copied !== 'yes') return;
    const timer = setTimeout(() => setCopied(null), COPIED_FOR_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => {
    const done = navigator.clipboard?.writeText(sql);
    if (!done) setCopied('refused');
    else
      done.then(
        () => setCopied('yes'),
        () => setCopied('refused'),
      );
  };
  return (
    <section className="panel case-panel" data-testid="events" aria-labelledby="events-title">
      <header className="panel-head">
        <h2 id="events-title">{say('events.title')}</h2>
        <Link to="/sql" search={{ q: sql }} className="button button-main" data-testid="events-link">
          {say('events.open')}
        </Link>
        <button type="button" className="button" onClick={copy}>
          {t(copied === 'yes' ? 'cause.copied' : 'cause.copy')}
        </button>
      </header>
      <p className="case-hint">{say('events.text')}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long statement is scrolled by keyboard */}
      <pre className="case-sql" tabIndex={0}>
        <code>{sql}</code>
      </pre>
      <p className="case-hint" role="status">
        {copied === 'refused' && say('events.copyRefused')}
      </p>
    </section>
  );
}
