import { describe, expect, it } from 'vitest';
import { isSaved, nameInYaml, renamedYaml } from './calls';

describe('the name in a file', () => {
  it('is that of its board, in either style', () => {
    expect(nameInYaml('boards:\n  payments:\n    title: {en: A}\n')).toBe('payments');
    expect(nameInYaml('# a file\nboards:\r\n\r\n  # the first\r\n  "my_board":\r\n')).toBe('my_board');
    expect(nameInYaml('boards: {payments: {title: {en: A}}}')).toBe('payments');
    expect(nameInYaml('{"boards": {"payments": {}}}')).toBe('payments');
  });

  it('is changed alone, and nothing that is called alike', () => {
    const file = '# payments\nboards:\n  payments:\n    title: {en: payments}\n';
    expect(renamedYaml(file, 'mine')).toBe('# payments\nboards:\n  mine:\n    title: {en: payments}\n');
    expect(renamedYaml('boards: {"a": {}}', 'b')).toBe('boards: {"b": {}}');
    expect(renamedYaml('title: {en: A}', 'b')).toBe('title: {en: A}');
  });

  it('is none in a board alone', () => {
    expect(nameInYaml('title: {en: A}\ntiles: []\n')).toBe('');
    expect(nameInYaml('')).toBe('');
  });
});

describe('where a board is from', () => {
  it('is the folder unless the server says otherwise', () => {
    expect(isSaved({})).toBe(false);
    expect(isSaved({ from: 'folder' })).toBe(false);
    expect(isSaved({ from: 'catalogue' })).toBe(true);
  });
});
