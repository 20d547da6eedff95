import { Link } from '@tanstack/react-router';
import type { ReactNode, Ref } from 'react';
import type { PanelWidth } from '../../api/types';
import { useSpeech } from '../../i18n/hooks';
import { ChartSkeleton } from '../ChartPanel';
import { FilterNote } from '../FilterNote';
import { PanelError } from '../PanelError';
import type { Applied } from '../view';
import './panels.css';

interface Props {
  kind: string;
  title: string;
  /** What the panel's metric counts. */
  hint?: string | null | undefined;
  /** Beside the title: the unit, or the time it is of. */
  note?: ReactNode;
  width: PanelWidth | null | undefined;
  /** The panel's own filters. */
  own?: Readonly<Record<string, string>> | null | undefined;
  applied: Applied;
  /** Where the whole of it can be looked into. */
  drill?: Record<string, string> | undefined;
  frameRef?: Ref<HTMLElement>;
  /** What the tests and the style sheet know of it. */
  data?: Record<`data-${string}`, string | number | undefined>;
  /** What it shows: null while it is not known. */
  children: ReactNode | null;
  error?: Error | null;
  onRetry?: (() => void) | undefined;
  /** Said instead of the children where there is nothing to show. */
  empty?: string | null | false;
}

/** What all kinds of panels look like: head, the filters that do not hold, and each state that a panel can be in. */
export function PanelFrame(props: Props) {
  const { kind, title, hint, note, width, own, applied, drill, frameRef, data, children, error, onRetry } =
    props;
  const speech = useSpeech();
  const { t } = speech;
  const chips = Object.entries(own ?? {}).map(
    ([name, value]) => `${speech.dimension(name)}: ${speech.sliceValue(value)}`,
  );
  const isExcluded = applied.excluded !== null;
  const isEmpty = !isExcluded && Boolean(props.empty);
  const isKnown = !isExcluded && !isEmpty && children !== null;
  const isFailed = !isExcluded && !isEmpty && children === null && Boolean(error);
  const isPending = !isExcluded && !isEmpty && children === null && !error;
  return (
    <section
      ref={frameRef}
      className={`panel chart-panel ${kind}-panel`}
      data-width={width ?? 'half'}
      data-testid="panel"
      data-kind={kind}
      aria-busy={isPending}
      aria-label={title || undefined}
      {...data}
    >
      {title !== '' && (
        <header className="panel-head">
          <h2 title={hint ?? undefined}>
            <span className="panel-title" title={title}>
              {drill ? (
                <Link to="/explore" search={drill} className="panel-link">
                  <span className="visually-hidden">{t('chart.explore', { name: '' })}</span>
                  {title}
                </Link>
              ) : (
                title
              )}
            </span>
            {note && <span className="panel-unit">{note}</span>}
            {chips.length > 0 && <span className="chip ellipsis">{chips.join(', ')}</span>}
          </h2>
        </header>
      )}
      <FilterNote applied={applied} />
      {isFailed && error && <PanelError error={error} onRetry={onRetry} />}
      {isPending && <ChartSkeleton />}
      {isEmpty && <p className="panel-empty panel-nothing">{props.empty}</p>}
      {isKnown && <div className="panel-figure">{children}</div>}
    </section>
  );
}
