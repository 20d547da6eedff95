import { sliceText } from '../board/slice';
import { clockTime } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { SeverityIcon } from '../shell/icons';
import type { Marker } from './markers';

interface Props {
  markers: Marker[];
  toPx: (atMs: number) => number;
}

/** Incidents on a chart: a band from beginning to end and a flag that leads to the incident in the list. */
export function Flags({ markers, toPx }: Props) {
  const speech = useSpeech();
  const { t, locale, zone } = speech;
  return (
    <>
      {markers.map(({ incident, startMs, endMs }) => {
        const left = toPx(startMs);
        const severity = t(`severity.${incident.severity}`);
        const label = `${severity}: ${sliceText(incident.slice, speech)}, ${clockTime(startMs, locale, zone, false)}`;
        return (
          <div key={incident.id} data-severity={incident.severity} data-state={incident.state}>
            <div className="flag-band" style={{ left, width: Math.max(1, toPx(endMs) - left) }} />
            <a className="flag" href={`#${incident.id}`} style={{ left }} aria-label={label} title={label}>
              <SeverityIcon severity={incident.severity} />
            </a>
          </div>
        );
      })}
    </>
  );
}
