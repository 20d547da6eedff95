// @vitest-environment happy-dom
import { expect, it } from 'vitest';
import { startI18n } from '../i18n/index';

// Texts of a page are added to those that are there already.
await startI18n();
const { en, zh } = (await import('./texts')).exploreTexts.texts;

it('both languages say everything, with the same blanks', () => {
  const blanks = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name).sort();
  for (const [key, text] of Object.entries(en)) {
    const other = zh[key as keyof typeof zh];
    expect(other, key).toBeTruthy();
    expect(blanks(other), key).toEqual(blanks(text));
  }
  expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
});
