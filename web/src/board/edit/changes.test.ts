import { describe, expect, it } from 'vitest';
import {
  begin,
  done,
  moved,
  UNDO_MAX,
  undone,
  withCopy,
  withItem,
  withMove,
  withoutItem,
  withPatch,
} from './changes';
import { type Draft, emptyDraft, emptyItem, type Item } from './draft';

function board(...names: string[]): Draft {
  const items = names.map((titleEn): Item => ({ ...emptyItem('chart'), id: titleEn, titleEn }));
  return { ...emptyDraft(), charts: items };
}

const order = (draft: Draft) => draft.charts.map(({ id }) => id).join('');

describe('moves', () => {
  it('put an item at its new place and stop at the ends', () => {
    expect(moved(['a', 'b', 'c', 'd'], 0, 2)).toEqual(['b', 'c', 'a', 'd']);
    expect(moved(['a', 'b', 'c', 'd'], 3, 1)).toEqual(['a', 'd', 'b', 'c']);
    expect(moved(['a', 'b'], 0, 9)).toEqual(['b', 'a']);
    expect(moved(['a', 'b'], 1, -3)).toEqual(['b', 'a']);
    expect(moved(['a'], 5, 0)).toEqual(['a']);
  });

  it('leave other sections the same objects', () => {
    const draft = withItem(board('a', 'b'), emptyItem('tile'));
    const next = withMove(draft, 'a', 1);
    expect(order(next)).toBe('ba');
    expect(next.tiles).toBe(draft.tiles);
    expect(withMove(draft, 'nobody', 1).charts).toBe(draft.charts);
  });
});

describe('changes of a board', () => {
  it('add, copy, remove and patch one item', () => {
    const draft = board('a', 'b');
    expect(order(withCopy(draft, 'a', { ...emptyItem('chart'), id: 'x' }))).toBe('axb');
    expect(order(withoutItem(draft, 'a'))).toBe('b');
    const patched = withPatch(draft, 'b', { metric: 'm' });
    expect(patched.charts[1]?.metric).toBe('m');
    expect(patched.charts[0]).toBe(draft.charts[0]);
  });
});

describe('undo', () => {
  it('takes back the last change, and typing as one', () => {
    let history = begin(board('a', 'b'));
    history = done(history, { draft: withMove(history.draft, 'a', 1), deed: 'move' });
    for (const titleEn of ['R', 'Ra', 'Rat', 'Rate'])
      history = done(history, {
        draft: withPatch(history.draft, 'a', { titleEn }),
        deed: 'change',
        tag: 'a.title',
      });
    expect(history.past.map(({ deed }) => deed)).toEqual(['move', 'change']);
    history = undone(history);
    expect(history.draft.charts[1]?.titleEn).toBe('a');
    history = undone(history);
    expect(order(history.draft)).toBe('ab');
    expect(undone(history)).toBe(history);
  });

  it('begins another step where something else came between', () => {
    let history = begin(board('a', 'b'));
    const type = (text: string) => {
      history = done(history, {
        draft: withPatch(history.draft, 'a', { titleEn: text }),
        deed: 'change',
        tag: 'a.title',
      });
    };
    type('x');
    history = done(history, { draft: withoutItem(history.draft, 'b'), deed: 'remove' });
    type('xy');
    expect(history.past.map(({ deed }) => deed)).toEqual(['change', 'remove', 'change']);
    // After an undo the same control begins a step of its own as well.
    history = undone(history);
    type('xz');
    expect(undone(history).draft.charts[0]?.titleEn).toBe('x');
  });

  it('does not count what changes nothing, and forgets the oldest', () => {
    let history = begin(board('a'));
    expect(done(history, { draft: history.draft, deed: 'move' })).toBe(history);
    for (let i = 0; i < UNDO_MAX + 20; i += 1)
      history = done(history, { draft: withPatch(history.draft, 'a', { top: String(i) }), deed: 'change' });
    expect(history.past).toHaveLength(UNDO_MAX);
  });
});
