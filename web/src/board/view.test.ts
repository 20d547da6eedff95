import { describe, expect, it } from 'vitest';
import type { Board } from '../api/types';
import { readSearch } from '../state/search';
import { drillSearch } from './drill';
import {
  appliedTo,
  chartComparison,
  filterable,
  metricNames,
  NO_SPLIT,
  searchWith,
  tileComparison,
  viewOf,
} from './view';

const board: Board = {
  name: 'b',
  title: { en: 'B' },
  tiles: [{ metric: 'rate', title: { en: 'Rate' } }],
  charts: [{ metric: 'rate', title: { en: 'Rate' }, window: '6h' }],
  incidents: true,
};
const metric = { name: 'rate', dimensions: ['psp', 'method'] };

describe('the address of a board', () => {
  it('says range, comparison, filters, splits and forecast, and reads the same', () => {
    const search = readSearch({
      range: '24h',
      compare: 'previous',
      forecast: 'on',
      by: 'rate.psp',
      'where.psp': 'a\\,b,c',
      'where.': 'x',
      evil: 'y',
    });
    expect(search).toEqual({
      range: '24h',
      compare: 'previous',
      forecast: 'on',
      by: 'rate.psp',
      'where.psp': 'a\\,b,c',
    });
    const view = viewOf(search, board);
    expect(view.filters).toEqual({ psp: ['a,b', 'c'] });
    expect(view.splits).toEqual(new Map([['rate', 'psp']]));
    expect(searchWith(search, {})).toEqual(search);
  });

  it('falls back to the range of the board and to no comparison of charts', () => {
    const view = viewOf(readSearch({ compare: 'yesterday' }), board);
    expect(view.range).toBe('6h');
    expect(tileComparison(view)).toBe('week');
    expect(chartComparison(view)).toBeNull();
    const none = viewOf(readSearch({ compare: 'none' }), board);
    expect(tileComparison(none)).toBeNull();
    expect(chartComparison(none)).toBeNull();
    expect(chartComparison(viewOf(readSearch({ compare: 'week' }), board))).toBe('week');
  });

  it('changes one thing and keeps the others', () => {
    const search = readSearch({ range: '1h', compare: 'week', 'where.psp': 'a' });
    expect(searchWith(search, { range: '7d' })).toEqual({ range: '7d', compare: 'week', 'where.psp': 'a' });
    expect(searchWith(search, { compare: null })).toEqual({ range: '1h', 'where.psp': 'a' });
    expect(searchWith(search, { filters: {} })).toEqual({ range: '1h', compare: 'week' });
    expect(searchWith(search, { withForecast: true }).forecast).toBe('on');
    expect(searchWith(search, { splits: new Map([['rate', NO_SPLIT]]) }).by).toBe('rate.-');
    expect(searchWith({ ...search, forecast: 'on' }, { withForecast: false }).forecast).toBeUndefined();
  });

  it('takes no dimension for what all objects have', () => {
    const { filters } = viewOf(readSearch({ 'where.__proto__': 'x', 'where.constructor': 'y' }), board);
    expect(Object.keys(filters).sort()).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(filters)).toBe(Object.prototype);
    expect(appliedTo([metric], null, filters).ignored.sort()).toEqual(['__proto__', 'constructor']);
  });
});

describe('the filters of a panel', () => {
  it('are its own and those of the board that its metric has', () => {
    expect(appliedTo([metric], { psp: 'adyen' }, { method: ['card', 'ideal'], country: ['DE'] })).toEqual({
      where: { psp: ['adyen'], method: ['card', 'ideal'] },
      ignored: ['country'],
      excluded: null,
    });
  });

  it('leave what satisfies both, or say that nothing does', () => {
    expect(appliedTo([metric], { psp: 'adyen' }, { psp: ['stripe', 'adyen'] }).where).toEqual({
      psp: ['adyen'],
    });
    expect(appliedTo([metric], { psp: 'adyen' }, { psp: ['stripe'] }).excluded).toBe('psp');
  });

  it('hold for several metrics only where all of them have the dimension', () => {
    const applied = appliedTo([metric, { dimensions: ['psp'] }], null, { psp: ['a'], method: ['card'] });
    expect(applied).toEqual({ where: { psp: ['a'] }, ignored: ['method'], excluded: null });
  });

  it('are of any dimension that a metric of the board has', () => {
    expect(filterable([metric, { dimensions: ['country', 'psp'] }])).toEqual(['psp', 'method', 'country']);
  });
});

it('knows the metrics of all panels, each once, and of older boards that have none', () => {
  expect(metricNames(board)).toEqual(['rate']);
  const all = metricNames({
    ...board,
    panels: [
      { kind: 'table', metric: 'declines', by: ['psp'], also: ['rate', 'volume'] },
      { kind: 'funnel', steps: [{ metric: 'carts' }, { metric: 'orders' }] },
      { kind: 'text', text: { en: 'x' } },
      { kind: 'map', metric: 'volume' },
    ],
  });
  expect(all).toEqual(['rate', 'declines', 'volume', 'carts', 'orders']);
});

describe('what leads to Explore', () => {
  it('takes range, filters, comparison and the slice along', () => {
    const search = drillSearch({
      metric,
      range: '24h',
      where: { method: ['card'] },
      compare: 'week',
      by: ['psp', 'method'],
      slice: { psp: null },
    });
    expect(search).toEqual({
      metric: 'rate',
      range: '24h',
      by: 'method',
      'where.method': 'card',
      'where.psp': '',
      compare: 'week',
    });
  });

  it('leaves out what the metric does not have, and splits for which there is no room', () => {
    const wide = { name: 'm', dimensions: ['a', 'b', 'c'] };
    const search = drillSearch({
      metric: wide,
      range: '1h',
      where: {},
      by: ['a', 'b', 'c'],
      slice: { x: '1' },
    });
    expect(search).toEqual({ metric: 'm', by: 'a,b' });
  });
});
