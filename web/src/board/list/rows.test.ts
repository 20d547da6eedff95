import { describe, expect, it } from 'vitest';
import { isFound, listed, readList, writeList } from './rows';

const boards = [
  { name: 'payments', title: { en: 'Payments', zh: '支付' }, from: 'folder' as const },
  { name: 'psp_health', title: { en: 'PSP health' }, from: 'catalogue' as const },
  { name: 'old', title: { en: 'Old server' } },
];

describe('the list of boards', () => {
  it('finds by words of the name and of the title, in either language', () => {
    expect(listed(boards, { q: '支', from: 'all' }).map(({ name }) => name)).toEqual(['payments']);
    expect(listed(boards, { q: 'health PSP', from: 'all' }).map(({ name }) => name)).toEqual(['psp_health']);
    expect(isFound(boards[0] as (typeof boards)[0], 'nothing')).toBe(false);
  });

  it('takes what does not say where it is from for one of the folder', () => {
    expect(listed(boards, { q: '', from: 'folder' }).map(({ name }) => name)).toEqual(['payments', 'old']);
    expect(listed(boards, { q: '', from: 'catalogue' }).map(({ name }) => name)).toEqual(['psp_health']);
  });

  it('drops what an address says and nobody understands', () => {
    expect(readList({ from: 'moon', q: 'x'.repeat(500) })).toEqual({ q: 'x'.repeat(200), from: 'all' });
    expect(writeList({ q: '', from: 'all' })).toEqual({});
    expect(readList(writeList({ q: 'a b', from: 'catalogue' }))).toEqual({ q: 'a b', from: 'catalogue' });
  });
});
