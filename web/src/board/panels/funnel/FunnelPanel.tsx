import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { FunnelDefinition, Metric } from '../../../api/types';
import { totalOf } from '../../../charts/total';
import { toNumber } from '../../../format/figure';
import { figureText } from '../../../format/units';
import { useSpeech } from '../../../i18n/hooks';
import { useLiveTotals } from '../../../live/hooks';
import { drillSearch } from '../../drill';
import { UnknownMetric } from '../../UnknownMetric';
import { appliedTo } from '../../view';
import { figuresQuery } from '../asked';
import type { PanelProps } from '../DefinedPanel';
import { PanelFrame } from '../PanelFrame';
import { panelTexts } from '../texts';
import { funnelOf } from './steps';
import './funnel.css';

/** Steps that follow each other, with what part of each comes to the next. */
export function FunnelPanel({ panel, metrics, view }: PanelProps<FunnelDefinition>) {
  const unknown = panel.steps.find(({ metric }) => !metrics.has(metric));
  if (unknown) return <UnknownMetric title={panel.title} name={unknown.metric} width={panel.width} isChart />;
  const known = panel.steps.flatMap(({ metric }) => metrics.get(metric) ?? []);
  return <Steps panel={panel} known={known} view={view} />;
}

interface Props {
  panel: FunnelDefinition;
  /** The metric of each step. */
  known: Metric[];
  view: PanelProps['view'];
}

function Steps({ panel, known, view }: Props) {
  const t = panelTexts.use();
  const speech = useSpeech();
  const { locale } = speech;
  const { range, filters } = view;
  const applied = useMemo(() => appliedTo(known, panel.where, filters), [known, panel.where, filters]);
  const { where } = applied;
  const live = useLiveTotals(
    known.map((metric) => ({ cube: metric.of, query: figuresQuery(metric, range, [], where) })),
  );
  const isKnown = live.length > 0 && live.every(({ document }) => document !== null);
  const error = live.find(({ document, error }) => document === null && error)?.error ?? null;
  const funnel = funnelOf(
    live.map(({ document }, i) => totalOf(document?.series[0], undefined, known[i]?.kind ?? 'count')),
  );
  const rangeText = speech.t(`range.last.${range}`);
  const percent = (part: number | null) => figureText(part, 'percent', locale);
  const nameOf = (i: number) => speech.titled(panel.steps[i]?.title, panel.steps[i]?.metric ?? '');
  const isEmpty = funnel.steps.every(({ value }) => (toNumber(value) ?? 0) === 0);
  return (
    <PanelFrame
      kind="funnel"
      title={speech.text(panel.title ?? undefined, t('funnel.title'))}
      note={rangeText}
      width={panel.width}
      own={panel.where}
      applied={applied}
      data={{ 'data-overall': funnel.overall ?? '' }}
      error={error}
      empty={isKnown && isEmpty && speech.t('chart.empty', { range: rangeText })}
    >
      {isKnown ? (
        <>
          <ol className="funnel">
            {funnel.steps.map(({ value, ofPrevious, ofFirst, lost, bar }, i) => {
              const metric = known[i];
              const name = nameOf(i);
              const isMore = ofPrevious !== null && ofPrevious > 1;
              return (
                // biome-ignore lint/suspicious/noArrayIndexKey: steps have an order, and a metric may be two of them
                <li key={`${metric?.name}-${i}`} data-testid="funnel-step" data-value={value ?? ''}>
                  {i > 0 && (
                    <p className="funnel-between" data-worst={funnel.worst === i || undefined}>
                      <span aria-hidden="true">↓</span>{' '}
                      {ofPrevious === null
                        ? t('funnel.unknown')
                        : t(isMore ? 'funnel.more' : 'funnel.between', {
                            part: percent(ofPrevious),
                            lost: figureText(lost, metric?.unit ?? null, locale),
                          })}
                      {funnel.worst === i && funnel.steps.length > 2 && (
                        <span className="funnel-mark">{t('funnel.worst')}</span>
                      )}
                    </p>
                  )}
                  <div className="funnel-step">
                    <span className="funnel-name">
                      {metric ? (
                        <Link to="/explore" search={drillSearch({ metric, range, where })} title={name}>
                          {name}
                        </Link>
                      ) : (
                        name
                      )}
                    </span>
                    <span className="funnel-value">{figureText(value, metric?.unit ?? null, locale)}</span>
                    <span className="funnel-part dim">
                      {i === 0 ? '' : t('funnel.ofFirst', { part: percent(ofFirst) })}
                    </span>
                    <span className="funnel-bar" aria-hidden="true">
                      <span style={{ width: `${(bar * 100).toFixed(2)}%` }} />
                    </span>
                  </div>
                </li>
              );
            })}
          </ol>
          <p className="panel-said">{t('funnel.overall', { part: percent(funnel.overall) })}</p>
        </>
      ) : null}
    </PanelFrame>
  );
}
