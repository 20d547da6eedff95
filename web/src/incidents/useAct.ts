import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ApiError, postJson } from '../api/client';
import { incidentPath } from '../api/paths';
import type { Incident } from '../api/types';
import { useHub } from '../live/hooks';
import { type Act, bodyOf } from './act';
import { incidentQuery } from './queries';

/** Doing something about an incident: what is under way, what has been done, and why something was not. */
export interface Acting {
  pending: Act | null;
  done: Act | null;
  failed: Act | null;
  error: Error | null;
  run: (act: Act, onDone: () => void) => void;
}

export function useAct(incident: Incident): Acting {
  const hub = useHub();
  const queries = useQueryClient();
  const { queryKey } = incidentQuery(incident.id);
  const mutation = useMutation({
    mutationFn: (act: Act) => postJson<Incident>(incidentPath(incident.id, act.action), bodyOf(act)),
    onSuccess: (answer) => {
      if (answer?.id !== incident.id) return queries.invalidateQueries({ queryKey });
      hub.takeIncidents([answer]);
      queries.setQueryData(queryKey, answer);
      return undefined;
    },
    onError: (error) => {
      // Somebody else was faster, or the answer got lost on its way: what holds now is asked for.
      if (!(error instanceof ApiError) || error.status === 409 || error.status === 0)
        void queries.invalidateQueries({ queryKey });
    },
  });
  const { variables = null, status, error } = mutation;
  return {
    pending: status === 'pending' ? variables : null,
    done: status === 'success' ? variables : null,
    failed: status === 'error' ? variables : null,
    error,
    run: (act, onDone) => mutation.mutate(act, { onSuccess: onDone }),
  };
}
