import type { ReactNode } from 'react';
import type { Incident } from '../api/types';
import { toNumber } from '../format/figure';
import { briefTime, dateTime, durationText } from '../format/time';
import { figureText, probabilityText, showFigure } from '../format/units';
import { useSpeech } from '../i18n/hooks';
import { incidentTexts } from './texts';

interface Props {
  incident: Incident;
  unit: string | null;
  metricTitle: (metric: string) => string;
  nowMs: number;
}

/** How far off, how much money, how many, since when, how sure. */
export function KeyFigures({ incident, unit, metricTitle, nowMs }: Props) {
  const { t, locale, zone } = useSpeech();
  const say = incidentTexts.use();
  const { value, expected, bound, affected, passed, numerator, denominator, impact } = incident;
  const startedMs = Date.parse(incident.started_at);
  const openedMs = Date.parse(incident.opened_at);
  const endMs = incident.resolved_at === null ? nowMs : Date.parse(incident.resolved_at);
  const hasBound = bound !== null && bound !== undefined;
  const isCounted =
    numerator !== null && numerator !== undefined && denominator !== null && denominator !== undefined;
  const hasPassed = toNumber(affected) === null && toNumber(passed) !== null;
  const probability = toNumber(incident.probability);
  const size = hasBound
    ? say(incident.direction === 'up' ? 'figure.above' : 'figure.below', {
        bound: figureText(bound, unit, locale),
      })
    : expected !== null
      ? say('figure.instead', { expected: figureText(expected, unit, locale) })
      : '';
  return (
    <section className="case-figures" aria-label={say('figure.label')}>
      <Figure label={say(incident.state === 'resolved' ? 'figure.was' : 'figure.is')} testid="value">
        <BigFigure figure={value} unit={unit} locale={locale} />
        <p className="case-figure-note">{size}</p>
      </Figure>
      <Figure label={say(impact?.of === 'passed' ? 'figure.inAll' : 'figure.atStake')} testid="impact">
        {impact ? (
          <>
            <BigFigure figure={impact.value} unit={impact.unit} locale={locale} />
            <p className="case-figure-note" title={impact.metric}>
              {say('figure.estimate', { metric: metricTitle(impact.metric) })}
            </p>
          </>
        ) : (
          <>
            <p className="case-figure-value case-figure-none">{say('figure.notEstimated')}</p>
            <p className="case-figure-note">{say('figure.notEstimatedWhy')}</p>
          </>
        )}
      </Figure>
      <Figure label={say(hasPassed ? 'figure.passed' : 'figure.affected')} testid="affected">
        <BigFigure figure={(hasPassed ? passed : affected) ?? null} unit="count" locale={locale} />
        <p className="case-figure-note">
          {hasPassed && say('figure.passedWhy')}
          {isCounted &&
            t('incident.ofTotal', {
              numerator: figureText(numerator, 'count', locale),
              denominator: figureText(denominator, 'count', locale),
            })}
        </p>
      </Figure>
      <Figure label={say('figure.since')} testid="since">
        <p className="case-figure-value">
          <time dateTime={incident.started_at} title={dateTime(startedMs, locale, zone)}>
            {briefTime(startedMs, nowMs, locale, zone)}
          </time>
        </p>
        <p className="case-figure-note">
          {t(incident.resolved_at === null ? 'incident.for' : 'incident.lasted', {
            duration: durationText(endMs - startedMs, locale),
          })}
          {openedMs > startedMs && (
            <>
              <span aria-hidden="true"> · </span>
              {say('figure.found', { duration: durationText(openedMs - startedMs, locale) })}
            </>
          )}
        </p>
      </Figure>
      <Figure label={say('figure.sure')} testid="probability">
        {probability !== null ? (
          <>
            <p className="case-figure-value">{probabilityText(probability, locale)}</p>
            <div className="case-meter" aria-hidden="true">
              <span style={{ width: `${Math.min(Math.max(probability, 0), 1) * 100}%` }} />
            </div>
          </>
        ) : (
          <>
            <p className="case-figure-value">{hasBound ? say('figure.certain') : '–'}</p>
            <p className="case-figure-note">{hasBound ? say('figure.certainWhy') : ''}</p>
          </>
        )}
      </Figure>
    </section>
  );
}

function Figure({ label, testid, children }: { label: string; testid: string; children: ReactNode }) {
  return (
    <div className="panel case-figure" data-testid={`figure-${testid}`}>
      <h2>{label}</h2>
      {children}
    </div>
  );
}

interface BigProps {
  figure: Incident['value'];
  unit: string | null;
  locale: string;
}

function BigFigure({ figure, unit, locale }: BigProps) {
  const { prefix, number, suffix } = showFigure(figure, unit, locale);
  return (
    <p className="case-figure-value" data-length={number.length > 10 ? 'long' : undefined}>
      {prefix && <span className="unit">{prefix} </span>}
      {number}
      {suffix && <span className={suffix === '%' ? 'unit unit-tight' : 'unit'}>{suffix}</span>}
    </p>
  );
}
