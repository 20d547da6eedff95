// @vitest-environment happy-dom
import { beforeAll, expect, it } from 'vitest';
import type { Incident } from '../api/types';
import { chooseLanguage, startI18n } from '../i18n/index';
import { incidentSize } from './incidentSize';

const incident = { value: 0.213, expected: null, bound: 0.15, direction: null } as const;

let say: (changes: Partial<Incident>, unit?: string) => string;

beforeAll(async () => {
  await startI18n();
  const { default: i18next } = await import('i18next');
  say = (changes, unit = 'percent') =>
    incidentSize({ ...incident, ...changes }, unit, {
      t: (key, values) => i18next.t(key, values ?? {}),
      locale: 'en-GB',
    }).replace(/\s/g, ' ');
});

it('names the bound that is crossed, and which way', () => {
  expect(say({})).toBe('21.3%, above the bound of 15.0%');
  expect(say({ value: 0.1 })).toBe('10.0%, below the bound of 15.0%');
  expect(say({ value: null, direction: 'down' })).toBe('–, below the bound of 15.0%');
  expect(say({ value: 0, bound: 0, direction: 'down' }, 'count')).toBe('0, below the bound of 0');
});

it('says what was expected where there is no bound, and the figure alone where nothing was', () => {
  expect(say({ bound: null, expected: 0.88 })).toBe('21.3% instead of 88.0%');
  expect(say({ bound: null })).toBe('21.3%');
});

it('says it in Chinese, too', async () => {
  await chooseLanguage('zh', false);
  expect(say({})).toBe('21.3%，高于上限 15.0%');
  expect(say({ value: 0.1 })).toBe('10.0%，低于下限 15.0%');
});
