import { lazy, Suspense, useState } from 'react';
import { clockTime } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { type Mark, together } from './near';
import { kindTexts } from './texts';
import './annotations.css';

// Few marks are opened; the first page does without what they tell.
const Details = lazy(async () => ({ default: (await import('./Details')).Details }));

interface Props {
  marks: readonly Mark[];
  /** The ends of the plot. */
  plot: { leftPx: number; rightPx: number };
  toPx: (atMs: number) => number;
}

/** What was noted, on a chart: a line from top to bottom, and a mark at its foot that tells more. */
export function Marks({ marks, plot, toPx }: Props) {
  const { locale, zone } = useSpeech();
  const say = kindTexts.use();
  const [openId, setOpenId] = useState<number | null>(null);
  const within = (px: number) => Math.min(Math.max(px, plot.leftPx), plot.rightPx);
  const place = (atMs: number) => within(toPx(atMs));
  const labelOf = ({ annotation, startMs }: Mark) =>
    `${say(`kind.${annotation.kind}`)}: ${annotation.title}, ${clockTime(startMs, locale, zone, false)}`;
  return (
    <>
      {marks.map(({ annotation, startMs, endMs }) => {
        const left = place(startMs);
        const width = Math.max(0, place(endMs) - left);
        return <div key={annotation.id} className="note-band" style={{ left, width }} aria-hidden="true" />;
      })}
      {together(marks, place).map(({ leftPx: left, marks: lot }) => {
        const id = lot[0]?.annotation.id;
        if (id === undefined) return null;
        const isOpen = lot.some(({ annotation }) => annotation.id === openId);
        const label = lot.map(labelOf).join('; ');
        const isRight = left > (plot.leftPx + plot.rightPx) / 2;
        return (
          // biome-ignore lint/a11y/noStaticElementInteractions: what is pressed in it is kept from the chart around it
          <div
            key={id}
            // The chart takes presses and keys for its crosshair.
            onPointerDown={(event) => event.stopPropagation()}
            onPointerUp={(event) => event.stopPropagation()}
            onKeyDown={(event) => {
              event.stopPropagation();
              if (event.key === 'Escape') setOpenId(null);
            }}
          >
            <button
              type="button"
              className="note-mark"
              data-testid="annotation"
              data-kind={lot[0]?.annotation.kind}
              style={{ left }}
              aria-label={label}
              aria-expanded={isOpen}
              title={label}
              onClick={() => setOpenId(isOpen ? null : id)}
            >
              <span aria-hidden="true">{lot.length > 1 && <b>{lot.length}</b>}</span>
            </button>
            {isOpen && (
              <div
                className="note-details"
                data-side={isRight ? 'left' : 'right'}
                style={{ left }}
                role="dialog"
                aria-label={label}
              >
                <Suspense>
                  {lot.map((mark, i) => (
                    <Details
                      key={mark.annotation.id}
                      mark={mark}
                      canRemove
                      onClose={i === lot.length - 1 ? () => setOpenId(null) : undefined}
                    />
                  ))}
                </Suspense>
              </div>
            )}
          </div>
        );
      })}
    </>
  );
}
