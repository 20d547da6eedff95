import { describe, expect, it } from 'vitest';
import type { MessageKey } from '../i18n/en';
import { zh } from '../i18n/zh';
import { retold } from './retold';

const t = (key: string, values: Record<string, string | number> = {}) =>
  zh[key as MessageKey].replaceAll(/\{\{(\w+)\}\}/g, (_, name) => String(values[name]));
const chinese = {
  t,
  language: 'zh',
  dimension: (name: string) => ({ psp: 'PSP', issuer: '发卡行' })[name] ?? name,
  sliceValue: (value: string | null) => value ?? '（无）',
};
const said = (text: string) => retold(text, () => '授权成功率', chinese);

describe('a sentence of the server', () => {
  it('stays as it is in English', () => {
    const text = 'rate on all fell to 3 %';
    expect(retold(text, () => 'Rate', { ...chinese, language: 'en' })).toBe(text);
  });

  it('is told in Chinese with all of its parts', () => {
    expect(
      said(
        'authorization_rate on issuer=bank_17, psp=adyen fell to 41.2 %, expected 88 %; 312 of 900 affected; about 18400 EUR at stake; explained by psp=adyen (93 %) and issuer=bank_17 (7 %)',
      ),
    ).toBe(
      '授权成功率（发卡行 bank_17、PSP adyen）降至 41.2 %，正常应为 88 %；900 笔中有 312 笔受影响；涉及约 18400 EUR；归因于 PSP adyen 93 %、发卡行 bank_17 7 %。',
    );
    expect(said('error_rate on all rose to 19 %, above the bound of 15 %; 645 of 1000 beyond it')).toBe(
      '授权成功率（全部流量）升至 19 %，高于上限 15 %；1000 笔中有 645 笔越界。',
    );
    expect(said('rate on psp=a is at 3 %, but was below the bound of 5 %; 12 missing')).toBe(
      '授权成功率（PSP a）为 3 %，低于下限 5 %；缺少 12 笔。',
    );
    expect(said('count on psp=a rose to 300, above the bound of 100; 412 beyond it')).toBe(
      '授权成功率（PSP a）升至 300，高于上限 100；412 笔越界。',
    );
    expect(
      said(
        'mean on psp=a rose to 900 ms, expected 200 ms; 310 events meanwhile, affected or not; about 7750 EUR in all of these',
      ),
    ).toBe(
      '授权成功率（PSP a）升至 900 ms，正常应为 200 ms；期间共 310 笔，不一定都受影响；合计约 7750 EUR。',
    );
  });

  it('is told when it is over, and when it is of another monitor', () => {
    expect(said('rate on psp=a is back at 90 % after 2 h 5 min; it was at 41 %, expected 88 %')).toBe(
      '授权成功率（PSP a）在 2 小时 5 分钟后恢复到 90 %；当时为 41 %，正常应为 88 %。',
    );
    expect(said('rate on psp=a fell to 41 %; closed after 12 s')).toBe(
      '授权成功率（PSP a）降至 41 %；12 秒后关闭。',
    );
    expect(said('of the same cause, by `psp_errors`: rate on all rose to 3 %')).toBe(
      '同一原因，来自 psp_errors：授权成功率（全部流量）升至 3 %。',
    );
  });

  it('stays whole where a part is not understood: people’s words, and words that the page does not know', () => {
    for (const text of [
      'on_call',
      'by m.keller: PSP informed',
      'rate on psp=a fell to 41 %; whatever this means',
      'rate on psp=a fell to 41 %, strange 3 %',
      'maintenance window `night`: nobody is told before 2026-11-30T10:00:00Z',
      '',
    ])
      expect(said(text), text).toBe(text);
  });
});
