import { expect, it } from 'vitest';
import { silencePath } from './silencePath';

it('who ends a silence is told where there is a name, whatever it is', () => {
  expect(silencePath(3, ' ')).toBe('/v1/silences/3');
  expect(silencePath(3, 'ada & <b>')).toBe('/v1/silences/3?by=ada%20%26%20%3Cb%3E');
});
