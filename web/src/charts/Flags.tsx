import { Link } from '@tanstack/react-router';
import { sliceText } from '../board/slice';
import { clockTime } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { SeverityIcon } from '../shell/icons';
import type { Marker } from './markers';

interface Props {
  markers: Marker[];
  toPx: (atMs: number) => number;
  /** Where a flag leads: to the incident in the list on this page, or to its own page. */
  leadTo?: 'list' | 'page' | undefined;
}

/** Incidents on a chart: a band from beginning to end and a flag that leads to the incident. */
export function Flags({ markers, toPx, leadTo = 'list' }: Props) {
  const speech = useSpeech();
  const { t, locale, zone } = speech;
  return (
    <>
      {markers.map(({ incident, startMs, endMs }) => {
        const left = toPx(startMs);
        const severity = t(`severity.${incident.severity}`);
        const label = `${severity}: ${sliceText(incident.slice, speech)}, ${clockTime(startMs, locale, zone, false)}`;
        const flag = { className: 'flag', style: { left }, 'aria-label': label, title: label };
        const icon = <SeverityIcon severity={incident.severity} />;
        return (
          <div key={incident.id} data-severity={incident.severity} data-state={incident.state}>
            <div className="flag-band" style={{ left, width: Math.max(1, toPx(endMs) - left) }} />
            {leadTo === 'page' ? (
              <Link to="/incidents/$id" params={{ id: incident.id }} {...flag}>
                {icon}
              </Link>
            ) : (
              <a href={`#${incident.id}`} {...flag}>
                {icon}
              </a>
            )}
          </div>
        );
      })}
    </>
  );
}
