import { expect, it } from 'vitest';
import { forecastPath, seriesPath } from './paths';

const query = { metric: 'rate', from: '-1h', to: 'now', step: '30s', by: ['psp'] };

it('several values of a dimension are asked for one by one, in the order of the dimensions', () => {
  const path = seriesPath({ ...query, where: { psp: ['adyen', ''], method: 'card' } });
  expect(path).toBe(
    '/v1/metrics/rate?from=-1h&to=now&step=30s&by=psp&where=method%3Acard&where=psp%3Aadyen&where=psp%3A',
  );
});

it('a forecast may be one of a slice', () => {
  expect(forecastPath('rate', '1h', 'UTC')).toBe('/v1/metrics/rate/forecast?horizon=day&step=1h&zone=UTC');
  expect(forecastPath('rate', '1h', 'UTC', { psp: 'a:b' })).toContain('&where=psp%3Aa%3Ab');
});
