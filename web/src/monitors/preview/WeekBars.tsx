import { dayName } from '../../format/time';
import { useSpeech } from '../../i18n/hooks';
import { weeksOf } from '../compare';
import { useTexts } from '../texts';
import type { BacktestAnswer } from '../types';

/** How many incidents each week would have had. */
export function WeekBars({ answer }: { answer: BacktestAnswer }) {
  const t = useTexts();
  const { locale, zone } = useSpeech();
  const weeks = weeksOf(answer);
  const versions = (['existing', 'proposed'] as const).filter((version) => answer[version] !== null);
  const most = Math.max(1, ...weeks.flatMap((week) => versions.map((version) => week[version])));
  return (
    <section className="weeks" aria-labelledby="weeks-title">
      <h3 id="weeks-title">{t('weeks.title')}</h3>
      <table className="week-bars">
        <thead className="visually-hidden">
          <tr>
            <td />
            {versions.map((version) => (
              <th key={version} scope="col">
                {t(`version.${version}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeks.map((week) => (
            <tr key={week.fromMs}>
              <th scope="row">
                {dayName(week.fromMs, locale, zone)}
                {!week.isWhole && <small> {t('weeks.part')}</small>}
              </th>
              {versions.map((version) => (
                <td key={version}>
                  <span className="week-count">{week[version]}</span>
                  <span
                    className="week-bar"
                    data-version={version}
                    style={{ width: `${(week[version] / most) * 100}%` }}
                    aria-hidden="true"
                  />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
