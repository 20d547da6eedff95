import { type ComponentType, lazy, Suspense } from 'react';
import type { Metric, PanelDefinition } from '../../api/types';
import { useSpeech } from '../../i18n/hooks';
import { firstFigures } from '../../live/first';
import { ChartSkeleton } from '../ChartPanel';
import type { BoardView } from '../view';
import { PanelBoundary } from './PanelBoundary';

/** What every kind of panel is given. */
export interface PanelProps<D = PanelDefinition> {
  panel: D;
  metrics: ReadonlyMap<string, Metric>;
  view: BoardView;
}

type Kind = PanelDefinition['kind'];
type KindOf<K extends Kind> = ComponentType<PanelProps<Extract<PanelDefinition, { kind: K }>>>;

const later = <K extends Kind>(load: () => Promise<{ default: KindOf<K> }>) =>
  lazy(() => firstFigures.then(load));

/** Each kind is loaded when the first board that has one is shown, and the figures above it are. */
const kinds: { [K in Kind]: KindOf<K> } = {
  table: later(async () => ({ default: (await import('./table/TablePanel')).TablePanel })),
  heatmap: later(async () => ({ default: (await import('./heatmap/HeatmapPanel')).HeatmapPanel })),
  funnel: later(async () => ({ default: (await import('./funnel/FunnelPanel')).FunnelPanel })),
  sankey: later(async () => ({ default: (await import('./sankey/SankeyPanel')).SankeyPanel })),
  gauge: later(async () => ({ default: (await import('./gauge/GaugePanel')).GaugePanel })),
  map: later(async () => ({ default: (await import('./map/MapPanel')).MapPanel })),
  text: later(async () => ({ default: (await import('./text/TextPanel')).TextPanel })),
};

/** A panel of any kind, at the width that it is to have. */
export function DefinedPanel({ panel, metrics, view }: PanelProps) {
  const { t } = useSpeech();
  const Known = Object.hasOwn(kinds, panel.kind) ? (kinds[panel.kind] as ComponentType<PanelProps>) : null;
  const width = panel.width ?? 'half';
  if (!Known) {
    return (
      <section className="panel chart-panel" data-width={width} data-testid="unknown-panel">
        <p className="panel-empty panel-nothing">{t('panel.unknown', { kind: String(panel.kind) })}</p>
      </section>
    );
  }
  return (
    <PanelBoundary width={width}>
      <Suspense
        fallback={
          <section className="panel chart-panel" data-width={width} aria-busy="true">
            <ChartSkeleton />
          </section>
        }
      >
        <Known panel={panel} metrics={metrics} view={view} />
      </Suspense>
    </PanelBoundary>
  );
}
