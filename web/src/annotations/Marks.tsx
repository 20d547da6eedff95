import { lazy, Suspense, useState } from 'react';
import { clockTime } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import type { Mark } from './near';
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
  return (
    <>
      {marks.map((mark) => {
        const { annotation, startMs, endMs } = mark;
        const left = within(toPx(startMs));
        const isOpen = annotation.id === openId;
        const label = `${say(`kind.${annotation.kind}`)}: ${annotation.title}, ${clockTime(startMs, locale, zone, false)}`;
        const isRight = left > (plot.leftPx + plot.rightPx) / 2;
        return (
          // biome-ignore lint/a11y/noStaticElementInteractions: what is pressed in it is kept from the chart around it
          <div
            key={annotation.id}
            // The chart takes presses and keys for its crosshair.
            onPointerDown={(event) => event.stopPropagation()}
            onPointerUp={(event) => event.stopPropagation()}
            onKeyDown={(event) => {
              event.stopPropagation();
              if (event.key === 'Escape') setOpenId(null);
            }}
          >
            <div
              className="note-band"
              style={{ left, width: Math.max(0, within(toPx(endMs)) - left) }}
              aria-hidden="true"
            />
            <button
              type="button"
              className="note-mark"
              data-testid="annotation"
              data-kind={annotation.kind}
              style={{ left }}
              aria-label={label}
              aria-expanded={isOpen}
              title={label}
              onClick={() => setOpenId(isOpen ? null : annotation.id)}
            >
              <span aria-hidden="true" />
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
                  <Details mark={mark} onClose={() => setOpenId(null)} />
                </Suspense>
              </div>
            )}
          </div>
        );
      })}
    </>
  );
}
