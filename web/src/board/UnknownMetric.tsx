import type { PanelWidth } from '../api/types';
import { useSpeech } from '../i18n/hooks';

interface Props {
  name: string;
  width?: PanelWidth | null | undefined;
  isChart?: boolean;
}

/** In the place of a tile or panel whose metric is not defined, or not any more. */
export function UnknownMetric({ name, width, isChart = false }: Props) {
  const { t } = useSpeech();
  const text = t('state.unknownMetric', { metric: name });
  return isChart ? (
    <section
      className="panel chart-panel"
      role="alert"
      data-width={width ?? 'half'}
      data-testid="unknown-metric"
    >
      <p className="panel-empty panel-nothing">{text}</p>
    </section>
  ) : (
    <div className="panel tile panel-error panel-error-compact" role="alert" data-testid="unknown-metric">
      <p className="panel-error-reason">{text}</p>
    </div>
  );
}
