import { dateTime, durationText } from '../format/time';
import { figureText } from '../format/units';
import { useSpeech } from '../i18n/hooks';
import type { DrawnSeries, Level } from './option';
import { estimate, type OutlookPoint } from './outlook';
import { Swatch } from './Swatch';

interface Props {
  atMs: number;
  stepMs: number;
  /** Whether the bucket may still change. */
  isUnfinished: boolean;
  series: DrawnSeries[];
  expected: OutlookPoint | undefined;
  levels?: readonly Level[] | undefined;
  /** The courses of an earlier time, and what that time is called. */
  ghosts?: readonly DrawnSeries[] | undefined;
  ghostLabel?: string | undefined;
  unit: string | null;
  stacked: boolean;
  leftPx: number;
  onRight: boolean;
}

/** The crosshair and the values under it. All names in it are data and are written as text nodes. */
export function Readout(props: Props) {
  const { atMs, stepMs, isUnfinished, series, expected, levels = [], unit, stacked, leftPx, onRight } = props;
  const { ghosts = [], ghostLabel = '' } = props;
  const { locale, zone, t } = useSpeech();
  const found = series.map((one) => ({ ...one, value: one.points.find(([at]) => at === atMs)?.[1] ?? null }));
  // Of the time to come there is nothing but what is expected.
  const hasCome = !expected || found.some(({ value }) => value !== null);
  const rows = hasCome ? found : [];
  if (!stacked)
    rows.sort((a, b) => (b.value ?? Number.NEGATIVE_INFINITY) - (a.value ?? Number.NEGATIVE_INFINITY));
  const total = rows.reduce((sum, { value }) => sum + (value ?? 0), 0);
  const then = new Map(
    ghosts.map(({ key, points }) => [key, points.find(([at]) => at === atMs)?.[1] ?? null]),
  );
  // What is past has a column, where the present has come; the whole of a stack has its past beside its sum.
  const hasThen = ghosts.length > 0 && rows.length > 0;
  const whole = ghosts.find(({ key }) => !series.some((one) => one.key === key));
  return (
    <>
      <div className="crosshair" style={{ left: leftPx }} />
      <div
        className={`readout ${onRight ? 'readout-left' : ''} ${hasThen ? 'readout-wide' : ''}`}
        style={{ left: leftPx }}
        role="status"
      >
        <div className="readout-time">
          {dateTime(atMs, locale, zone)} <span className="dim">+{durationText(stepMs, locale)}</span>
          {isUnfinished && hasCome && <div className="dim">{t('chart.unfinished')}</div>}
        </div>
        <table>
          {hasThen && (
            <thead>
              <tr>
                <td colSpan={2} />
                <td className="readout-then">{ghostLabel}</td>
              </tr>
            </thead>
          )}
          <tbody>
            {rows.map(({ key, name, color, value }) => (
              <tr key={key}>
                <th scope="row">
                  <Swatch color={color} />
                  <span className="ellipsis">{name}</span>
                </th>
                <td>{figureText(value, unit, locale)}</td>
                {hasThen && (
                  <td className="readout-then">{then.has(key) && figureText(then.get(key), unit, locale)}</td>
                )}
              </tr>
            ))}
            {stacked && rows.length > 1 && (
              <tr className="readout-total">
                <th scope="row">{t('chart.total')}</th>
                <td>{figureText(total, unit, locale)}</td>
                {hasThen && (
                  <td className="readout-then">{whole && figureText(then.get(whole.key), unit, locale)}</td>
                )}
              </tr>
            )}
            {levels.map(({ key, name, color, value }) => (
              <tr key={key}>
                <th scope="row">
                  <Swatch color={color} />
                  <span className="ellipsis">{name}</span>
                </th>
                <td>{figureText(value, unit, locale)}</td>
              </tr>
            ))}
            {expected && (
              <tr className="readout-total">
                <th scope="row">{t('forecast.expected')}</th>
                <td>
                  {figureText(estimate(expected.value), unit, locale)}
                  <div className="dim">
                    {t('forecast.band', {
                      low: figureText(estimate(expected.low), unit, locale),
                      high: figureText(estimate(expected.high), unit, locale),
                    })}
                  </div>
                </td>
              </tr>
            )}
          </tbody>
        </table>
      </div>
    </>
  );
}
