import { useQuery } from '@tanstack/react-query';
import { ApiError } from '../api/client';
import { useMay } from '../shell/useMay';
import { folderQuery } from './calls';

/** Whether definitions can be written from here. */
export interface Writing {
  state: 'unknown' | 'open' | 'closed';
  /** Why not, in the server's words, where it has some. */
  reason: string | null;
}

/**
 * The one place that decides whether a page offers to write definitions; each shows the YAML to copy where it is not so. What the
 * reader's role may not do is closed without a reason of the folder's: `ClosedNote` says which role it takes.
 */
export function useWriting(): Writing {
  const { data, error } = useQuery(folderQuery);
  const mayDefine = useMay('define');
  if (data) {
    if (!data.writable) return { state: 'closed', reason: data.reason };
    return { state: mayDefine ? 'open' : 'closed', reason: null };
  }
  if (!error) return { state: 'unknown', reason: null };
  const told = error instanceof ApiError && error.status !== 404 ? error.message : null;
  return { state: 'closed', reason: told };
}
