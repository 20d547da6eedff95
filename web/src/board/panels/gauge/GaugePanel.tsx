import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Figure, GaugeDefinition, Metric } from '../../../api/types';
import { totalOf } from '../../../charts/total';
import { exactText } from '../../../explore/exact';
import { toNumber } from '../../../format/figure';
import { figureText, numberFormat } from '../../../format/units';
import { type Speech, useSpeech } from '../../../i18n/hooks';
import type { PageText } from '../../../i18n/page';
import { useLiveSeries } from '../../../live/hooks';
import { drillSearch } from '../../drill';
import { UnknownMetric } from '../../UnknownMetric';
import { appliedTo } from '../../view';
import { figuresQuery } from '../asked';
import type { PanelProps } from '../DefinedPanel';
import { PanelFrame } from '../PanelFrame';
import { type PanelTextKey, panelTexts } from '../texts';
import { arcPath, type GaugeScale, gaugeScale } from './scale';
import './gauge.css';

/** A figure against its objective. */
export function GaugePanel({ panel, metrics, view }: PanelProps<GaugeDefinition>) {
  const metric = metrics.get(panel.metric);
  if (!metric) return <UnknownMetric title={panel.title} name={panel.metric} width={panel.width} isChart />;
  return <Gauge panel={panel} metric={metric} view={view} />;
}

interface Props {
  panel: GaugeDefinition;
  metric: Metric;
  view: PanelProps['view'];
}

function Gauge({ panel, metric, view }: Props) {
  const t = panelTexts.use();
  const speech = useSpeech();
  const { locale } = speech;
  const { range, filters } = view;
  const applied = useMemo(() => appliedTo([metric], panel.where, filters), [metric, panel.where, filters]);
  const { where } = applied;
  const live = useLiveSeries(metric.of, figuresQuery(metric, range, [], where), 'total');
  const value = totalOf(live.document?.series[0], undefined, metric.kind);
  const { unit } = metric;
  const scale = gaugeScale({ ...panel, value, unit });
  const objective = exactText(plain(panel.objective), unit, locale);
  const rangeText = speech.t(`range.last.${range}`);
  const drill = drillSearch({ metric, range, where });
  const verdict = scale.isMet === null ? null : scale.isMet ? 'met' : 'missed';
  return (
    <PanelFrame
      kind="gauge"
      title={speech.titled(panel.title, metric.name)}
      hint={metric.description}
      note={rangeText}
      width={panel.width}
      own={panel.where}
      applied={applied}
      drill={drill}
      data={{
        'data-metric': metric.name,
        'data-value': value ?? '',
        'data-verdict': verdict ?? '',
        'data-updated-at': live.receivedAtMs ?? '',
      }}
      error={live.document ? null : live.error}
    >
      {live.document ? (
        <div className="gauge">
          <Link to="/explore" search={drill} className="gauge-dial" tabIndex={-1} aria-hidden="true">
            <Dial scale={scale} verdict={verdict} />
            <span className="gauge-value">{figureText(value, unit, locale)}</span>
            <span className="gauge-end gauge-from">
              {figureText(scale.from, unit, locale, { compact: true })}
            </span>
            <span className="gauge-end gauge-to">
              {figureText(scale.to, unit, locale, { compact: true })}
            </span>
          </Link>
          <p className="gauge-said" data-testid="gauge-said">
            <span className="visually-hidden">{figureText(value, unit, locale)}: </span>
            {verdict && (
              <strong data-verdict={verdict}>
                <span aria-hidden="true">{verdict === 'met' ? '✓' : '✗'}</span> {t(`gauge.${verdict}`)}
              </strong>
            )}{' '}
            {saidOf(scale, objective, unit, t, speech)}
          </p>
          <p className="panel-said">
            {t(panel.good === 'down' ? 'gauge.down' : 'gauge.up')}
            {scale.isBeyond && ` ${t('gauge.beyond')}`}
          </p>
        </div>
      ) : null}
    </PanelFrame>
  );
}

/** A number of YAML is as exact as its digits. */
function plain(objective: Figure): Figure {
  return typeof objective === 'number' ? String(objective) : objective;
}

/** The difference in words: `1.2 percentage points below the objective of 92 %`. */
function saidOf(
  { difference, direction }: GaugeScale,
  objective: string,
  unit: string | null,
  t: PageText<PanelTextKey>,
  { t: say, locale }: Speech,
): string {
  if (difference === null || direction === null) return t('gauge.none', { objective });
  if (direction === 'at') return t('gauge.at', { objective });
  const size = typeof difference === 'number' ? Math.abs(difference) : difference.replace(/^-/, '');
  const words =
    unit === 'percent'
      ? say('change.points', { size: pointsText(size, locale) })
      : figureText(size, unit, locale);
  return t(`gauge.${direction}`, { difference: words, objective });
}

/** Percentage points with a digit, and with more where one would read as none. */
function pointsText(size: Figure, locale: string): string {
  const points = (toNumber(size) ?? 0) * 100;
  const digits = points < 0.1 ? 3 : 1;
  return numberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: digits }).format(points);
}

const RADIUS = 80;
const CENTRE = { x: 100, y: 92 };

function Dial({ scale, verdict }: { scale: GaugeScale; verdict: 'met' | 'missed' | null }) {
  const { valueAt, objectiveAt } = scale;
  const angle = Math.PI * (1 - objectiveAt);
  const at = (radius: number) => ({
    x: CENTRE.x + radius * Math.cos(angle),
    y: CENTRE.y - radius * Math.sin(angle),
  });
  const [inner, outer] = [at(RADIUS - 13), at(RADIUS + 13)];
  return (
    <svg viewBox="0 0 200 104" className="gauge-svg" aria-hidden="true" focusable="false">
      <path className="gauge-track" d={arcPath(0, 1, RADIUS, CENTRE)} />
      {valueAt !== null && valueAt > 0 && (
        <path className="gauge-fill" data-verdict={verdict} d={arcPath(0, valueAt, RADIUS, CENTRE)} />
      )}
      <line className="gauge-objective" x1={inner.x} y1={inner.y} x2={outer.x} y2={outer.y} />
    </svg>
  );
}
