import { useQuery } from '@tanstack/react-query';
import type { Right } from '../api/access';
import { accessQuery } from '../api/queries';

/**
 * Whether to offer what takes this right. Nothing is offered until the server has said who one is; where it cannot say,
 * everything is, as it refuses by itself what may not be.
 */
export function useMay(right: Right): boolean {
  const { data, error } = useQuery(accessQuery);
  return data ? data.may.includes(right) : error !== null;
}
