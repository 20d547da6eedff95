import type { Comparison } from '../explore/state';
import { type Change, changeSize } from '../format/change';
import { useSpeech } from '../i18n/hooks';
import { ArrowIcon } from '../shell/icons';

interface Props {
  change: Change;
  /** The time that it is a change against. */
  since: Comparison;
  pending: boolean;
  /** The figure it is compared with, in words. */
  hint: string | null;
}

/** The change against an earlier time: arrow, size and colour for the eye, a sentence for the ear. */
export function ChangeBadge({ change, since, pending, hint }: Props) {
  const { t, locale } = useSpeech();
  const time = t(`compare.${since}.spoken`);
  if (pending) return <div className="skeleton skeleton-line" aria-hidden="true" />;
  if (change.kind === 'unknown' || change.kind === 'new' || change.kind === 'partial') {
    const key = change.kind === 'new' ? 'tile.new' : 'tile.noComparison';
    const reason = change.kind === 'partial' ? 'tile.partial.hint' : (`${key}.hint` as const);
    return (
      <p className="change" data-tone="neutral" title={t(reason, { time })}>
        {t(key)}
      </p>
    );
  }
  const { kind, amount, direction, tone } = change;
  const size = changeSize(amount, locale);
  const sign = direction === 'flat' ? '' : amount > 0 ? '+' : '\u2212';
  const unit = kind === 'points' ? `\u00a0${t('change.pp')}` : '%';
  const spokenSize = t(kind === 'points' ? 'change.points' : 'change.percent', { size });
  const spoken = t(`change.${direction}`, { size: spokenSize, time });
  const judgement = tone === 'neutral' ? '' : `, ${t(`change.${tone}`)}`;
  return (
    <p className="change" data-tone={tone} data-change={amount} title={hint ?? undefined}>
      <span aria-hidden="true" className="change-amount">
        <ArrowIcon direction={direction} />
        {sign}
        {size}
        {unit}
      </span>
      <span aria-hidden="true" className="dim">
        {t('tile.vs', { time: t(`compare.${since}.short`) })}
      </span>
      <span className="visually-hidden">
        {spoken}
        {judgement}
      </span>
    </p>
  );
}
