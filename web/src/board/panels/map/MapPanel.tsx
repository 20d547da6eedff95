import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { getSeries } from '../../../api/series';
import type { Figure, MapDefinition, Metric } from '../../../api/types';
import { isSum } from '../../../charts/shape';
import { sumFigures } from '../../../format/decimal';
import { figureText, isComparable } from '../../../format/units';
import { useSpeech } from '../../../i18n/hooks';
import { usePaced, useSeen } from '../../../live/hooks';
import { drillSearch } from '../../drill';
import { UnknownMetric } from '../../UnknownMetric';
import { appliedTo } from '../../view';
import { AsTable } from '../AsTable';
import { figuresQuery, pulsesOf } from '../asked';
import type { PanelProps } from '../DefinedPanel';
import { PanelFrame } from '../PanelFrame';
import { shareOf } from '../table/rows';
import { panelTexts } from '../texts';
import { MAP_HEIGHT, MAP_WIDTH, shapeCodes, shapes } from './geometry';
import { countryName } from './iso';
import { type Place, type Places, placesOf } from './places';
import './map.css';

const PACE_MS = 5_000;
/** There are 249 countries, and what is none of them. */
const COUNTRIES_MAX = 300;
/** As many as are listed beside the map; the others are in its table. */
const LISTED = 6;
/** Of what has no place on the map as many are named. */
const NAMED_MAX = 8;

/** Where in the world: a metric by country. */
export function MapPanel({ panel, metrics, view }: PanelProps<MapDefinition>) {
  const metric = metrics.get(panel.metric);
  if (!metric) return <UnknownMetric title={panel.title} name={panel.metric} width={panel.width} isChart />;
  return <WorldMap panel={panel} metric={metric} view={view} />;
}

interface Props {
  panel: MapDefinition;
  metric: Metric;
  view: PanelProps['view'];
}

function WorldMap({ panel, metric, view }: Props) {
  const t = panelTexts.use();
  const speech = useSpeech();
  const { locale } = speech;
  const { range, filters } = view;
  const { kind, unit } = metric;
  const by = panel.by ?? 'country';
  const applied = useMemo(() => appliedTo([metric], panel.where, filters), [metric, panel.where, filters]);
  const { where } = applied;
  const { ref, isSeen } = useSeen<HTMLElement>();
  const canCompare = isComparable(unit);
  const query = figuresQuery(metric, range, [by], where, COUNTRIES_MAX);
  const answer = usePaced((signal) => getSeries(query, 'present', signal), {
    pulses: pulsesOf([metric], range),
    key: JSON.stringify(query),
    paceMs: PACE_MS,
    isSeen: isSeen && canCompare && applied.excluded === null,
  });
  const places = useMemo(
    () => answer.data && placesOf(answer.data, by, kind, shapeCodes),
    [answer.data, by, kind],
  );
  const title = speech.titled(
    panel.title,
    metric.name,
    `${speech.metric(metric.name)} ${speech.t('chart.by', { dimension: speech.dimension(by) })}`,
  );
  const rangeText = speech.t(`range.last.${range}`);
  const whole = places && isSum(kind) ? sumFigures(places.all.map(({ figure }) => figure)) : null;
  const nameOf = ({ code, value }: Place) =>
    code === null ? speech.sliceValue(value) : countryName(code, locale);
  const drillTo = (place: Place | null) =>
    drillSearch({ metric, range, where, by: [by], slice: place ? { [by]: place.value } : {} });
  const text = (figure: Figure) => figureText(figure, unit, locale);
  const missing = (list: readonly Place[]) => {
    const named = list.slice(0, NAMED_MAX).map((place) => `${nameOf(place)} (${text(place.figure)})`);
    return list.length > NAMED_MAX ? [...named, '…'].join(', ') : named.join(', ');
  };
  return (
    <PanelFrame
      kind="map"
      title={title}
      hint={metric.description}
      note={rangeText}
      width={panel.width}
      own={panel.where}
      applied={applied}
      drill={drillTo(null)}
      frameRef={ref}
      data={{
        'data-metric': metric.name,
        'data-drawn': places?.drawn.size ?? '',
        'data-updated-at': answer.receivedAtMs ?? '',
      }}
      error={answer.error}
      onRetry={answer.retry}
      empty={
        canCompare
          ? places?.all.length === 0 && speech.t('chart.empty', { range: rangeText })
          : t('currencies')
      }
    >
      {places || !canCompare
        ? places && (
            <>
              <div className="world-body">
                <World places={places} nameOf={nameOf} textOf={text} drillTo={drillTo} unit={unit} />
                <ol className="world-list">
                  {places.all.slice(0, LISTED).map((place) => (
                    <li key={JSON.stringify(place.value)}>
                      <span className="world-mark" data-level={place.level} aria-hidden="true" />
                      <Link to="/explore" search={drillTo(place)} className="ellipsis" title={nameOf(place)}>
                        {nameOf(place)}
                      </Link>
                      <span className="world-figure">{text(place.figure)}</span>
                    </li>
                  ))}
                </ol>
              </div>
              {places.small.length > 0 && (
                <p className="panel-said" data-testid="map-small">
                  {t('map.small', { countries: missing(places.small) })}
                </p>
              )}
              {places.unknown.length > 0 && (
                <p className="panel-said" data-testid="map-unknown">
                  {t('map.unknown', { countries: missing(places.unknown) })}
                </p>
              )}
              <AsTable
                caption={title}
                heads={[
                  speech.dimension(by),
                  speech.metric(metric.name),
                  ...(isSum(kind) ? [t('table.share')] : []),
                ]}
                rows={() =>
                  places.all.map((place) => [
                    <Link key="name" to="/explore" search={drillTo(place)}>
                      {nameOf(place)}
                    </Link>,
                    text(place.figure),
                    ...(isSum(kind) ? [figureText(shareOf(place.figure, whole), 'percent', locale)] : []),
                  ])
                }
              />
            </>
          )
        : null}
    </PanelFrame>
  );
}

interface WorldProps {
  places: Places;
  nameOf: (place: Place) => string;
  textOf: (figure: Figure) => string;
  drillTo: (place: Place | null) => Record<string, string>;
  unit: string | null;
}

/** The drawing, for the pointer: the list beside it and the table below say the same to everybody else. */
function World({ places, nameOf, textOf, drillTo, unit }: WorldProps) {
  const t = panelTexts.use();
  const { locale } = useSpeech();
  const navigate = useNavigate();
  const [pointed, setPointed] = useState<string | null>(null);
  const place = pointed === null ? undefined : places.drawn.get(pointed);
  const said =
    pointed === null
      ? t('map.hint')
      : place
        ? `${nameOf(place)}: ${textOf(place.figure)}`
        : t('map.nothing', { country: countryName(pointed, locale) });
  return (
    <div className="world">
      <svg
        viewBox={`0 0 ${MAP_WIDTH} ${MAP_HEIGHT}`}
        aria-hidden="true"
        focusable="false"
        onPointerLeave={() => setPointed(null)}
      >
        {shapes.map(({ key, code, path }) => {
          const found = code === null ? undefined : places.drawn.get(code);
          return (
            // biome-ignore lint/a11y/noStaticElementInteractions: the list and the table have the same links for the keyboard
            <path
              key={key}
              d={path}
              className="country"
              data-code={code ?? ''}
              data-level={found?.level}
              data-here={(code !== null && code === pointed) || undefined}
              onPointerEnter={() => setPointed(code)}
              onClick={found ? () => void navigate({ to: '/explore', search: drillTo(found) }) : undefined}
            />
          );
        })}
      </svg>
      <p className="world-scale dim" aria-hidden="true">
        {places.bounds.map((bound, i) => (
          <span key={bound}>
            <span className="world-mark" data-level={i + 1} />
            {places.bounds.length > 1 ? '≥ ' : ''}
            {figureText(rounded(bound, unit), unit, locale, { compact: true })}
          </span>
        ))}
      </p>
      <p className="panel-readout" role="status">
        {said}
      </p>
    </div>
  );
}

/** The bound of a shade is a place on a scale, not a figure: its first digits say where. */
function rounded(bound: number, unit: string | null): number {
  return unit === 'percent' || bound === 0 ? bound : Number(bound.toPrecision(2));
}
