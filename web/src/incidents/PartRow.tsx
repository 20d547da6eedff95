import type { Figure } from '../api/types';
import { shareText } from '../board/cause';
import { toNumber } from '../format/figure';
import { figureText } from '../format/units';
import { useSpeech } from '../i18n/hooks';
import { SliceChips } from './SliceChips';
import { place, type RowScale } from './scale';
import { incidentTexts } from './texts';
import './explanation.css';

interface Props {
  name: string;
  slice?: Record<string, string | null>;
  value: Figure | null;
  expected: Figure | null;
  share: Figure | null;
  affected?: Figure | null;
  denominator?: Figure | null;
  /** Figures of the slices beside it, drawn as thin lines. */
  others?: readonly Figure[];
  unit: string | null;
  scale: RowScale;
  isRest?: boolean;
}

/** One slice: from what was expected to what came, among the others, and how much of the change is its own. */
export function PartRow(props: Props) {
  const { name, slice, value, expected, share, affected, denominator, unit, isRest = false } = props;
  const { t, locale } = useSpeech();
  const say = incidentTexts.use();
  const hasFigures = toNumber(value) !== null || toNumber(expected) !== null;
  return (
    <li className="part" data-testid={isRest ? 'rest' : 'part'} data-rest={isRest}>
      <p className="part-name">{slice ? <SliceChips slice={slice} /> : name}</p>
      {hasFigures ? (
        <>
          <Dumbbell {...props} />
          <p className="part-figures">
            <span className="visually-hidden">{say('cause.came')} </span>
            <strong>{figureText(value, unit, locale)}</strong>{' '}
            <span className="dim">
              {say('figure.instead', { expected: figureText(expected, unit, locale) })}
            </span>
          </p>
        </>
      ) : (
        <p className="part-line part-none dim">{say('cause.restWhole')}</p>
      )}
      {share !== null && (
        <p className="part-share">
          <span className="part-bar" aria-hidden="true">
            <span style={{ width: `${Math.min(Math.max(toNumber(share) ?? 0, 0), 1) * 100}%` }} />
          </span>
          <span>{say('cause.share', { share: shareText(share, locale) })}</span>
        </p>
      )}
      {affected !== null && affected !== undefined && (
        <p className="part-affected dim">
          {t('incident.affected', { count: figureText(wholeFigure(affected), affectedUnit(props), locale) })}
          {denominator !== null &&
            denominator !== undefined &&
            ` ${say('cause.of', { count: figureText(denominator, 'count', locale) })}`}
        </p>
      )}
    </li>
  );
}

/** Of a share it is a number of events; of a sum it is in the unit of the sum. */
function affectedUnit({ unit }: Props): string | null {
  return unit === 'percent' ? 'count' : unit;
}

/** The analysis counts in fractions of events. */
function wholeFigure(figure: Figure): Figure {
  const number = toNumber(figure);
  return number !== null && Math.abs(number) >= 10 ? Math.round(number) : figure;
}

function Dumbbell({ value, expected, others = [], scale }: Props) {
  const [now, usual] = [place(value, scale), place(expected, scale)];
  return (
    <div className="part-line" aria-hidden="true">
      {others.map((figure, i) => {
        const at = place(figure, scale);
        // biome-ignore lint/suspicious/noArrayIndexKey: lines without a name, and of one look
        return at === null ? null : <span key={i} className="part-tick" style={{ left: `${at}%` }} />;
      })}
      {now !== null && usual !== null && (
        <span
          className="part-bridge"
          style={{ left: `${Math.min(now, usual)}%`, width: `${Math.abs(now - usual)}%` }}
        />
      )}
      {usual !== null && <span className="part-dot part-dot-expected" style={{ left: `${usual}%` }} />}
      {now !== null && <span className="part-dot" style={{ left: `${now}%` }} />}
    </div>
  );
}
