import { expect, it } from 'vitest';
import { paragraphs } from './paragraphs';

it('blank lines part paragraphs, other ends of lines stay', () => {
  expect(paragraphs('a\nb\n\n  \n\nc')).toEqual(['a\nb', 'c']);
  expect(paragraphs('a\r\n\r\nb\r\n')).toEqual(['a', 'b']);
  expect(paragraphs('  \n\n ')).toEqual([]);
  expect(paragraphs('<b>x</b>')).toEqual(['<b>x</b>']);
});
