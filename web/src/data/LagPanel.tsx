import type { LagHistogram } from './documents';
import { type LagBar, type LagQuantile, lagBars, lagQuantile } from './lag';
import { Panel } from './parts';
import type { Say } from './say';

interface Props {
  title: string;
  hint: string;
  histogram: LagHistogram;
  say: Say;
}

/** How far behind events are: in a sentence, and as a list of bars. */
export function LagPanel({ title, hint, histogram, say }: Props) {
  const { t } = say;
  const bars = lagBars(histogram);
  const most = Math.max(...bars.map(({ share }) => share), 0);
  return (
    <Panel title={title}>
      <p className="dim data-small">{hint}</p>
      {bars.length === 0 ? (
        <p className="data-empty">{t('lag.none')}</p>
      ) : (
        <>
          <p className="data-lag-sum">
            {t('lag.within', {
              half: quantileText(lagQuantile(histogram, 0.5), say),
              most: quantileText(lagQuantile(histogram, 0.95), say),
            })}
          </p>
          <ul className="data-lag">
            {bars.map((bar) => (
              <li key={bar.uptoMs ?? 'more'}>
                <span className="data-lag-name">{boundText(bar, say)}</span>
                <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
                  <rect width={most > 0 ? (bar.share / most) * 100 : 0} height="1" className="data-fill-0" />
                </svg>
                <span className="data-figure">
                  {t('lag.bar', {
                    share: say.share(bar.events, bar.events / (bar.share || 1)),
                    events: say.brief(bar.events),
                  })}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Panel>
  );
}

function boundText({ uptoMs, overMs }: LagBar, { t, span }: Say): string {
  return uptoMs === null ? t('lag.over', { span: span(overMs) }) : t('lag.upto', { span: span(uptoMs) });
}

function quantileText(quantile: LagQuantile, { t, span }: Say): string {
  if (quantile.kind === 'none') return '–';
  return quantile.kind === 'within' ? span(quantile.ms) : t('lag.beyond', { span: span(quantile.ms) });
}
