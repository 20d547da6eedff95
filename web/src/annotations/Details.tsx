import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { remove } from '../api/client';
import { sliceText } from '../board/slice';
import { dateTime } from '../format/time';
import { useSpeech } from '../i18n/hooks';
import { useMay } from '../shell/useMay';
import { annotationTexts } from './detailTexts';
import type { Mark } from './near';
import { ANNOTATIONS_KEY } from './query';
import { kindTexts } from './texts';

interface Props {
  mark: Mark;
  /** Whether it can be removed where it stands. */
  canRemove?: boolean;
  /** Where it stands above a chart: puts it away. */
  onClose?: (() => void) | undefined;
}

/** All that was written of an annotation. Its texts are data: they become text nodes, and its address a link only as one of the web. */
export function Details({ mark: { annotation, startMs, endMs }, canRemove = false, onClose }: Props) {
  const speech = useSpeech();
  const say = annotationTexts.use();
  const kindName = kindTexts.use();
  const queries = useQueryClient();
  const mayRemove = useMay('operate') && canRemove;
  const [isAsked, setAsked] = useState(false);
  const removal = useMutation({
    mutationFn: () => remove(`/v1/annotations/${annotation.id}`),
    onSettled: () => queries.invalidateQueries({ queryKey: [ANNOTATIONS_KEY] }),
  });
  const time = (atMs: number) => dateTime(atMs, speech.locale, speech.zone);
  const { title, text, by, url, where, kind } = annotation;
  return (
    <>
      <p className="note-title">{title}</p>
      <p className="dim">
        {kindName(`kind.${kind}`)} · {time(startMs)}
        {endMs > startMs && ` ${say('mark.until', { time: time(endMs) })}`}
      </p>
      {text && <p className="note-text">{text}</p>}
      {Object.keys(where).length > 0 && <p className="dim">{sliceText(where, speech)}</p>}
      {by && <p className="dim">{by}</p>}
      {isWebAddress(url) && (
        <p>
          <a href={url} target="_blank" rel="noopener noreferrer">
            {say('mark.more')}
          </a>
        </p>
      )}
      {removal.error && (
        <p role="alert" className="note-refused">
          {removal.error.message}
        </p>
      )}
      {(mayRemove || onClose) && (
        <div className="button-row">
          {mayRemove && (
            <button
              type="button"
              className="button"
              disabled={removal.isPending}
              onClick={() => (isAsked ? removal.mutate() : setAsked(true))}
            >
              {say(isAsked ? 'mark.sure' : 'mark.remove')}
            </button>
          )}
          {onClose && (
            <button type="button" className="button" onClick={onClose}>
              {say('mark.close')}
            </button>
          )}
        </div>
      )}
    </>
  );
}

/** The server takes no other addresses; what is kept is looked at once more before it becomes a link. */
function isWebAddress(url: string | null): url is string {
  return url !== null && /^https?:\/\//.test(url);
}
