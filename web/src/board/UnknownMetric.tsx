import type { Localized, PanelWidth } from '../api/types';
import { useSpeech } from '../i18n/hooks';

interface Props {
  name: string;
  /** What the board calls it, so that it is known what is missing. */
  title?: Localized | null | undefined;
  width?: PanelWidth | null | undefined;
  isChart?: boolean;
}

/** In the place of a tile or panel whose metric is not defined, or not any more. */
export function UnknownMetric({ name, title, width, isChart = false }: Props) {
  const { t, titled } = useSpeech();
  const heading = titled(title, name);
  const text = t('state.unknownMetric', { metric: name });
  return isChart ? (
    <section
      className="panel chart-panel"
      role="alert"
      data-width={width ?? 'half'}
      data-testid="unknown-metric"
    >
      <header className="panel-head">
        <h2>
          <span className="panel-title" title={heading}>
            {heading}
          </span>
        </h2>
      </header>
      <p className="panel-empty panel-nothing">{text}</p>
    </section>
  ) : (
    <div className="panel tile panel-error panel-error-compact" role="alert" data-testid="unknown-metric">
      <h2 className="tile-title">
        <span className="ellipsis">{heading}</span>
      </h2>
      <p className="panel-error-reason">{text}</p>
    </div>
  );
}
