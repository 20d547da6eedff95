import { describe, expect, it } from 'vitest';
import type { Incident, IncidentExplanation } from '../api/types';
import type { MessageKey } from '../i18n/en';
import { zh } from '../i18n/zh';
import { incidentSentence } from './incidentSentence';

const t = (key: string, values: Record<string, string | number> = {}) =>
  zh[key as MessageKey].replaceAll(/\{\{(\w+)\}\}/g, (_, name) => String(values[name]));
const chinese = {
  t,
  language: 'zh',
  locale: 'zh-CN',
  dimension: (name: string) => ({ psp: 'PSP', issuer: '发卡行' })[name] ?? name,
  sliceValue: (value: string | null) => value ?? '（无）',
};

const drop = {
  metric: 'authorization_rate',
  slice: { psp: 'adyen', issuer: 'bank_17' },
  value: 0.4103,
  expected: 0.8812,
  bound: null,
  direction: 'down',
  affected: 147,
  denominator: 312,
  impact: { metric: 'volume', value: 9120.5, unit: 'EUR' },
  explanation: null,
  started_at: '2026-11-30T10:00:00Z',
  resolved_at: null,
  summary: 'authorization_rate on issuer=bank_17, psp=adyen fell to 41 %, expected 88.1 %',
} as unknown as Incident;

const said = (incident: Partial<Incident>) =>
  incidentSentence({ ...drop, ...incident }, 'percent', '授权成功率', chinese).text;

describe('a sentence about an incident', () => {
  it('is the server’s in English', () => {
    const english = { ...chinese, language: 'en' };
    expect(incidentSentence(drop, 'percent', 'Authorization rate', english)).toEqual({
      text: drop.summary,
      language: 'en',
    });
  });

  it('says of what nobody can tell only how much there was meanwhile', () => {
    const text = said({
      affected: null,
      denominator: null,
      passed: 310,
      impact: { metric: 'volume', value: 7750, unit: 'EUR', of: 'passed' },
    });
    expect(text).toContain('期间共 310 笔，不一定都受影响；合计约');
    expect(text).not.toContain('涉及');
  });

  it('says what, where, how much and what it costs in Chinese', () => {
    const text = said({});
    expect(text).toMatch(/^授权成功率（PSP adyen、发卡行 bank_17）降至 41\.0\s?%，正常应为 88\.1\s?%；/);
    expect(text).toContain('312 笔中有 147 笔受影响');
    expect(text).toMatch(/涉及约 .*9,120\.50/);
    expect(text.endsWith('。')).toBe(true);
    expect(text).not.toMatch(/ on | fell | expected /);
  });

  it('tells a bound, its direction, and what is over', () => {
    expect(said({ bound: 0.5, expected: null, direction: 'up', value: 0.6, affected: null })).toContain(
      '升至 60.0',
    );
    expect(said({ bound: 0.5, expected: null, direction: 'up', value: 0.6 })).toContain(
      '312 笔中有 147 笔越界',
    );
    expect(said({ resolved_at: '2026-11-30T10:21:00Z' })).toMatch(/的异常在 21.*后结束，当时为 41\.0/);
    expect(said({ direction: null })).toContain('为 41.0');
  });

  it('tells what is missing where nothing is counted against a whole, and where all of it is gone', () => {
    expect(said({ denominator: null })).toContain('缺少 147 笔');
    expect(said({ denominator: null, direction: 'up' })).toContain('多出 147 笔');
    expect(said({ slice: {}, value: null })).toMatch(/^授权成功率（全部流量）没有数值，参照值为 88\.1/);
  });

  it('names what explains it, where that is more than its own slice', () => {
    const part = { slice: { psp: 'adyen', method: 'card' }, share: 0.93 };
    const explanation = { parts: [part] } as unknown as IncidentExplanation;
    expect(said({ slice: {}, explanation })).toMatch(/归因于 PSP adyen、method card 93\s?%/);
  });

  it('stays the server’s where there are no figures', () => {
    expect(said({ value: null, expected: null, bound: null })).toBe(drop.summary);
  });
});
