import { expect, it } from 'vitest';
import type { Metric } from '../../api/types';
import { emptyDraft, emptyItem } from './draft';
import { previewBoard } from './previewBoard';

const metrics = new Map<string, Metric>([
  ['a_count', { name: 'a_count', unit: null, of: 'c', dimensions: ['psp'], bucket_ms: 1, kind: 'count' }],
]);

it('draws what is whole and names what is not', () => {
  const draft = {
    ...emptyDraft(),
    tiles: [{ ...emptyItem('tile'), metric: 'a_count' }, emptyItem('tile')],
    charts: [{ ...emptyItem('chart'), metric: 'a_count', by: ['psp'] }],
    panels: [
      { ...emptyItem('table'), metric: 'a_count' },
      { ...emptyItem('text'), textEn: 'Hi' },
    ],
  };
  const { board, unfinished } = previewBoard(draft, metrics);
  expect(board.tiles).toEqual([{ metric: 'a_count', title: { en: 'A count' } }]);
  expect(board.charts[0]?.by).toBe('psp');
  expect(board.panels).toEqual([{ kind: 'text', text: { en: 'Hi' } }]);
  expect(unfinished.map(({ kind }) => kind)).toEqual(['tile', 'table']);
});
