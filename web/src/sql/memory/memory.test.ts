// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';
import { fromFile, toFile } from './file';
import { forgetHistory, historyStore, remember } from './history';
import { addQueries, deleteQuery, merged, renameQuery, savedStore, saveQuery } from './saved';
import { StoredList } from './stored';

beforeEach(() => {
  localStorage.clear();
  forgetHistory();
  for (const { name } of savedStore.get()) deleteQuery(name);
});

describe('saved statements', () => {
  it('have one statement a name, and keep their order', () => {
    saveQuery('b', 'select 2');
    saveQuery('a', 'select 1');
    saveQuery('b', 'select 3');
    expect(savedStore.get()).toEqual([
      { name: 'a', sql: 'select 1' },
      { name: 'b', sql: 'select 3' },
    ]);
    renameQuery('a', 'c');
    deleteQuery('b');
    expect(savedStore.get()).toEqual([{ name: 'c', sql: 'select 1' }]);
  });

  it('survive a file', () => {
    const queries = [
      { name: 'Ticket per PSP', sql: "select ';' from t -- the end" },
      { name: '成功率', sql: '-- what it is\nselect 1\n\nfrom t' },
    ];
    expect(fromFile(toFile(queries), 'x')).toEqual(queries);
    expect(fromFile(toFile(queries).replaceAll('\n', '\r\n'), 'x')).toEqual(queries);
  });

  it('are named by a file that names none', () => {
    expect(fromFile('select 1;\nselect 2;', 'weekly')).toEqual([
      { name: 'weekly 1', sql: 'select 1' },
      { name: 'weekly 2', sql: 'select 2' },
    ]);
    expect(fromFile('-- nothing', 'weekly')).toEqual([]);
  });

  it('are not doubled by reading them twice, and not lost by a name that is taken', () => {
    const there = [{ name: 'a', sql: 'select 1' }];
    expect(merged(there, there)).toEqual(there);
    const other = merged(there, [{ name: 'a', sql: 'select 2' }]);
    expect(other.map(({ name }) => name)).toEqual(['a', 'a (2)']);
    expect(merged(other, [{ name: 'a', sql: 'select 2' }])).toEqual(other);
    expect(addQueries(there)).toBe(1);
  });
});

describe('the history', () => {
  const run = { at: 1, tookMs: 5, ending: 'done' as const, rows: 3 };

  it('has each statement once, the newest first, and not more than a hundred', () => {
    for (let i = 0; i < 105; i += 1) remember({ ...run, sql: `select ${i}` });
    remember({ ...run, sql: 'select 50' });
    expect(historyStore.get().length).toBe(100);
    expect(historyStore.get()[0]?.sql).toBe('select 50');
    expect(historyStore.get().filter(({ sql }) => sql === 'select 50').length).toBe(1);
  });

  it('does not remember what would fill the storage', () => {
    remember({ ...run, sql: 'x'.repeat(20_000) });
    expect(historyStore.get()).toEqual([]);
  });
});

it('drops from storage what it does not understand', () => {
  localStorage.setItem('k', JSON.stringify([1, 'two', null, { three: 3 }]));
  const list = new StoredList<string>('k', 9, (value) => (typeof value === 'string' ? value : null));
  expect(list.store.get()).toEqual(['two']);
  localStorage.setItem('k', '{not json');
  expect(new StoredList('k', 9, () => 1).store.get()).toEqual([]);
});
