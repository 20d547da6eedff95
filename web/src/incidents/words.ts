import { useCallback } from 'react';
import { sliceText } from '../board/slice';
import { useSpeech } from '../i18n/hooks';
import type { WordsOf } from './filter';

/** All that somebody might look for an incident by: names as they are defined and as they are shown. */
export function useWords(metricTitle: (metric: string) => string): WordsOf {
  const speech = useSpeech();
  return useCallback(
    (incident) =>
      [
        incident.id,
        incident.monitor,
        incident.metric,
        metricTitle(incident.metric),
        incident.owner ?? '',
        incident.summary,
        sliceText(incident.slice, speech),
        ...Object.keys(incident.slice).flatMap((name) => [name, speech.dimension(name)]),
      ].join('\n'),
    [metricTitle, speech],
  );
}
