import { describe, expect, it } from 'vitest';
import { ApiError } from '../api/client';
import { faultsIn } from './calls';
import { holdsText } from './holds';

describe('what a file holds', () => {
  const word = (key: string) => (key === 'holds.monitors' ? 'Monitors' : key);

  it('is told by section with the first names', () => {
    expect(holdsText({ monitors: ['a', 'b', 'c', 'd', 'e'], limits: ['x'] }, word)).toBe(
      'Monitors: a, b, c +2 · limits: x',
    );
  });

  it('leaves out sections without a name', () => {
    expect(holdsText({ monitors: [], streams: undefined }, word)).toBe('');
  });
});

describe('the faults of a refusal', () => {
  it('are those of a 422 that has some', () => {
    const fault = { file: 'a.yaml', line: 3, column: 5, reason: 'no', suggestion: null };
    const error = new ApiError(422, { title: 'x', faults: [fault] } as never, 'x');
    expect(faultsIn(error)).toEqual([fault]);
  });

  it('have a place even where the server tells only a part', () => {
    const error = new ApiError(422, { title: 'x', faults: [{ reason: 'no' }] } as never, 'x');
    expect(faultsIn(error)).toEqual([{ file: '', line: 1, column: 1, reason: 'no', suggestion: null }]);
  });

  it('are none of other refusals', () => {
    expect(faultsIn(new ApiError(422, { title: 'x' } as never, 'x'))).toBeNull();
    expect(faultsIn(new ApiError(412, null, 'x'))).toBeNull();
    expect(faultsIn(new Error('x'))).toBeNull();
  });
});
