import { describe, expect, it } from 'vitest';
import type { Metric } from '../../api/types';
import { type Draft, emptyDraft, emptyItem, type Item } from './draft';
import {
  controlOf,
  faultCount,
  itemFaults,
  ownFaults,
  partsOf,
  serverFaults,
  withoutChanged,
} from './faults';

const metric = (name: string, dimensions = ['psp', 'country']): Metric => ({
  name,
  unit: null,
  of: 'attempts',
  dimensions,
  bucket_ms: 10_000,
  kind: 'count',
});
const metrics = new Map([
  ['attempts', metric('attempts')],
  ['declines', metric('declines')],
]);

function draft(values: Partial<Draft> = {}): Draft {
  return { ...emptyDraft(), name: 'board', titleEn: 'Board', ...values };
}

const tile: Item = { ...emptyItem('tile'), id: 't', metric: 'attempts' };
const table: Item = { ...emptyItem('table'), id: 'p', metric: 'attempts', by: ['psp'] };
const funnel: Item = {
  ...emptyItem('funnel'),
  id: 'f',
  titleEn: 'Steps',
  steps: [
    { id: 's1', metric: 'attempts', titleEn: '', titleZh: '' },
    { id: 's2', metric: 'declines', titleEn: '', titleZh: '' },
  ],
};

describe('the place of a fault', () => {
  it('is read in either form', () => {
    expect(partsOf('panels[2].by[0]', 'board')).toEqual(['panels', '2', 'by', '0']);
    expect(partsOf('boards.board.panels.2.metric', 'board')).toEqual(['panels', '2', 'metric']);
    expect(partsOf('board.title', 'other')).toEqual(['title']);
  });

  it('is the control that the path speaks of', () => {
    const sent = draft({ tiles: [tile], panels: [table, funnel] });
    const cases: [string, string][] = [
      ['title', 'board.title'],
      ['title.en', 'board.title'],
      ['tiles[0].metric', 't.metric'],
      ['panels[0].by[1]', 'p.by'],
      ['panels[0].where.psp', 'p.where'],
      ['panels[1].steps[1].metric', 'f.steps.s2.metric'],
      ['panels[1].steps[0].title', 'f.steps.s1.title'],
      ['panels[1].steps', 'f.steps'],
      ['panels[0].colour', 'p'],
      ['panels[0]', 'p'],
      ['panels[9].metric', 'board.panels'],
      ['charts', 'board.charts'],
      ['nonsense', 'board'],
      ['', 'board'],
    ];
    for (const [path, control] of cases) expect(controlOf(path, sent), path).toBe(control);
  });

  it('stays with its item when that is moved, and goes when its control is changed', () => {
    const sent = draft({ tiles: [tile], panels: [table] });
    const faults = serverFaults(
      {
        faults: [
          { path: 'panels[0].metric', message: 'no such metric', suggestion: "did you mean 'declines'?" },
          { path: 'panels[0].metric', message: 'second' },
          { path: 'tiles[0].where', message: 'third' },
        ],
      },
      sent,
    );
    expect(faults.get('p.metric')).toEqual([
      { message: 'no such metric', suggestion: "did you mean 'declines'?" },
      { message: 'second' },
    ]);
    expect(faultCount(faults, 'p')).toBe(2);
    const left = withoutChanged(faults, ['p.metric']);
    expect([...left.keys()]).toEqual(['t.where']);
    expect(withoutChanged(faults, ['x.metric'])).toBe(faults);
    expect([...withoutChanged(faults, ['p', 't']).keys()]).toEqual([]);
  });

  it('is none where the problem names none', () => {
    expect(serverFaults(null, draft()).size).toBe(0);
    expect(serverFaults({ detail: 'no' }, draft()).size).toBe(0);
  });
});

describe('what the form finds by itself', () => {
  const keys = (item: Item) => itemFaults(item, metrics).map(({ control, key }) => `${control} ${key}`);

  it('is a name, a title and a limit', () => {
    expect(ownFaults(draft(), metrics, new Set())).toEqual([]);
    expect(ownFaults(draft({ name: 'A b' }), metrics, new Set())[0]?.key).toBe('fault.name');
    expect(ownFaults(draft(), metrics, new Set(['board']))[0]?.key).toBe('fault.taken');
    expect(ownFaults(draft({ titleEn: ' ' }), metrics, new Set())[0]?.control).toBe('board.title');
    const many = Array.from({ length: 61 }, () => tile);
    expect(ownFaults(draft({ tiles: many }), metrics, new Set()).map(({ key }) => key)).toContain(
      'fault.many',
    );
  });

  it('is what an item lacks', () => {
    expect(keys(tile)).toEqual([]);
    expect(keys({ ...tile, metric: '' })).toEqual(['t.metric fault.metric']);
    expect(keys({ ...tile, metric: 'gone' })).toEqual(['t.metric fault.unknownMetric']);
    expect(keys({ ...table, by: [] })).toEqual(['p.by fault.by']);
    expect(keys({ ...table, by: ['merchant'] })).toEqual(['p.by fault.dimension']);
    expect(keys({ ...table, where: [{ id: 'w', dimension: 'psp', value: '' }] })).toEqual([
      'p.where fault.value',
    ]);
    expect(keys({ ...emptyItem('text'), id: 'x' })).toEqual(['x.text fault.text']);
  });

  it('is a count out of bounds, by kind', () => {
    for (const top of ['0', '101', '1.5', 'many'])
      expect(keys({ ...table, top }), top).toEqual(['p.top fault.whole']);
    expect(keys({ ...table, top: '100' })).toEqual([]);
    const sankey = { ...emptyItem('sankey'), id: 's', metric: 'attempts', by: ['psp', 'country'] };
    expect(keys({ ...sankey, top: '21' })).toEqual(['s.top fault.whole']);
    expect(keys({ ...sankey, top: '1' })).toEqual(['s.top fault.whole']);
    expect(keys({ ...sankey, top: '20' })).toEqual([]);
  });

  it('is a scale that ends before it begins, and an objective that is none', () => {
    const gauge = { ...emptyItem('gauge'), id: 'g', metric: 'attempts', objective: '0.9' };
    expect(keys(gauge)).toEqual([]);
    expect(keys({ ...gauge, objective: '' })).toEqual(['g.objective fault.objective']);
    expect(keys({ ...gauge, objective: '90 %' })).toEqual(['g.objective fault.number']);
    expect(keys({ ...gauge, from: '1', to: '0.5' })).toEqual(['g.to fault.ends']);
  });

  it('is a funnel without a title, since no metric could name it', () => {
    expect(keys({ ...funnel, titleEn: ' ' })).toEqual(['f.title fault.funnel']);
    expect(keys({ ...funnel, titleEn: '', titleZh: '步骤' })).toEqual([]);
  });

  it('is a funnel with too few steps or a step without a metric', () => {
    expect(keys(funnel)).toEqual([]);
    expect(keys({ ...funnel, steps: funnel.steps.slice(0, 1) })).toEqual(['f.steps fault.steps']);
    const [first] = funnel.steps;
    expect(
      keys({ ...funnel, steps: [...funnel.steps, { ...(first as Item['steps'][0]), id: 's3', metric: '' }] }),
    ).toEqual(['f.steps.s3.metric fault.metric']);
  });
});
