import { Component, type ReactNode } from 'react';
import type { PanelWidth } from '../../api/types';
import { useSpeech } from '../../i18n/hooks';

interface Props {
  width: PanelWidth;
  children: ReactNode;
}

/** A panel that cannot be loaded or drawn fails alone: the others go on. */
export class PanelBoundary extends Component<Props, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    return error ? <Failed error={error} width={this.props.width} /> : this.props.children;
  }
}

function Failed({ error, width }: { error: Error; width: PanelWidth }) {
  const { t } = useSpeech();
  return (
    <section className="panel chart-panel" data-width={width} data-testid="panel-failed">
      <div className="panel-error" role="alert">
        <p className="panel-error-title">{t('state.error')}</p>
        <p className="panel-error-reason">{error.message}</p>
        {/* After an update the server has other files, which only a fresh page knows. */}
        <button type="button" className="button" onClick={() => location.reload()}>
          {t('page.reload')}
        </button>
      </div>
    </section>
  );
}
