// @vitest-environment happy-dom
import { expect, it } from 'vitest';
import { startI18n } from '../../i18n/index';

// Texts of a page are added to those that are there already.
await startI18n();
const bundles = [
  (await import('./texts')).panelTexts.texts,
  (await import('../../filter/texts')).filterTexts.texts,
];

it('both languages say everything, with the same blanks', () => {
  const blanks = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name).sort();
  for (const { en, zh } of bundles) {
    const others = new Map(Object.entries(zh));
    for (const [key, text] of Object.entries(en)) {
      expect(others.get(key), key).toBeTruthy();
      expect(blanks(others.get(key) ?? ''), key).toEqual(blanks(text));
    }
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  }
});
