// @vitest-environment happy-dom
import { expect, it } from 'vitest';
import { en } from './en';
import { localized } from './index';
import { zh } from './zh';

const placeholders = (text: string) => (text.match(/\{\{\w+\}\}/g) ?? []).sort();

it('has every message in both languages, with the same placeholders', () => {
  expect(Object.keys(zh)).toEqual(Object.keys(en));
  for (const [key, text] of Object.entries(en)) {
    expect(placeholders(zh[key as keyof typeof zh]), key).toEqual(placeholders(text));
  }
});

it('falls back from Chinese to English to the name', () => {
  expect(localized({ en: 'Payments', zh: '支付' }, 'zh')).toBe('支付');
  expect(localized({ en: 'Payments' }, 'zh')).toBe('Payments');
  expect(localized(undefined, 'en', 'payments')).toBe('payments');
});
