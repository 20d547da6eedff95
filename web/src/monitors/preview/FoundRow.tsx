import { Link } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { incidentSentence } from '../../board/incidentSentence';
import { incidentSize } from '../../board/incidentSize';
import { sliceText } from '../../board/slice';
import { clockTime, dayName, durationText } from '../../format/time';
import { figureText, probabilityText } from '../../format/units';
import { useSpeech } from '../../i18n/hooks';
import type { Row } from '../compare';
import { useTexts } from '../texts';
import type { Verdict } from '../types';

interface Props {
  row: Row;
  unit: string | null;
  /** Whether two versions are compared, so that the group says something. */
  isCompared: boolean;
  isSelected: boolean;
  verdict: Verdict | null;
  onSelect: () => void;
  onVerdict: (verdict: Verdict) => void;
}

/** An incident that would have opened: what, where, how much, how soon, and what it was. */
export function FoundRow({ row, unit, isCompared, isSelected, verdict, onSelect, onVerdict }: Props) {
  const t = useTexts();
  const speech = useSpeech();
  const { t: say, locale, zone } = speech;
  const { shown, laterS, startMs, endMs } = row;
  const { incident } = shown;
  const element = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isSelected) element.current?.scrollIntoView({ block: 'nearest' });
  }, [isSelected]);
  const later = () => {
    if (laterS === null) return null;
    const duration = durationText(Math.abs(laterS) * 1_000, locale);
    return laterS === 0 ? t('found.same') : t(laterS < 0 ? 'found.earlier' : 'found.later', { duration });
  };
  return (
    <li
      ref={element}
      className="found"
      data-testid="found"
      data-group={row.group}
      data-verdict={verdict ?? 'none'}
      data-selected={isSelected || undefined}
      data-slice={JSON.stringify(incident.slice)}
    >
      <div className="found-head">
        <button type="button" className="found-slice" aria-pressed={isSelected} onClick={onSelect}>
          {sliceText(incident.slice, speech)}
        </button>
        {isCompared && <span className="found-group">{t(`group.${row.group}`)}</span>}
        <time className="dim" dateTime={incident.started_at}>
          {dayName(startMs, locale, zone)} {clockTime(startMs, locale, zone, false)}
        </time>
      </div>
      <p className="found-figures">
        <strong>{incidentSize(incident, unit ?? incident.unit, speech)}</strong>
        {incident.affected !== null && incident.affected !== undefined && (
          <span>{say('incident.affected', { count: figureText(incident.affected, 'count', locale) })}</span>
        )}
        {incident.probability !== null && incident.probability !== undefined && (
          <span>
            {say('incident.probability')} {probabilityText(incident.probability, locale)}
          </span>
        )}
      </p>
      <p className="found-times dim">
        <span>{t('found.delay', { duration: durationText(shown.delay_s * 1_000, locale) })}</span>
        <span>
          {incident.resolved_at === null
            ? t('found.goesOn')
            : t('found.lasted', { duration: durationText(endMs - startMs, locale) })}
        </span>
        {laterS !== null && <span>{later()}</span>}
        {shown.live !== null && (
          <Link to="/incidents/$id" params={{ id: shown.live }}>
            {t('found.live')}
          </Link>
        )}
      </p>
      <p className="found-summary">
        {incidentSentence(incident, unit, speech.metric(incident.metric), speech).text}
      </p>
      <fieldset className="incident-feedback">
        <legend>{t('found.question')}</legend>
        {(['real', 'false_alarm'] as const).map((one) => (
          <button
            key={one}
            type="button"
            className="button"
            data-verdict={one}
            aria-pressed={verdict === one}
            onClick={() => onVerdict(one)}
          >
            {t(`found.${one}`)}
          </button>
        ))}
      </fieldset>
    </li>
  );
}
