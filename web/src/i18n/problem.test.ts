// @vitest-environment happy-dom
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import i18next from 'i18next';
import { beforeAll, expect, it } from 'vitest';
import { ApiError } from '../api/client';
import { startI18n } from './index';
import { PROBLEMS, problemText } from './problem';
import { zhProblems } from './zhProblems';

const speech = (language: string) => ({ language, t: (key: string) => key });
const failed = (slug: string, detail: string, suggestion?: string) =>
  new ApiError(
    400,
    { type: `/problems/${slug}`, title: 'Title', detail, ...(suggestion && { suggestion }) },
    detail,
  );

beforeAll(async () => {
  await startI18n();
  i18next.addResourceBundle('zh', PROBLEMS, zhProblems);
});

it('has a Chinese name for every kind of problem that the server has', () => {
  const source = readFileSync(join(import.meta.dirname, '../../../crates/serve/src/problem/slug.rs'), 'utf8');
  const kinds = [...source.matchAll(/^ {4}\w+ = "([a-z-]+)"/gm)].map((found) => found[1] ?? '');
  expect(kinds.length).toBeGreaterThan(30);
  expect(kinds.filter((kind) => !Object.hasOwn(zhProblems, kind))).toEqual([]);
});

it('says in English what the server says', () => {
  expect(problemText(failed('unknown-metric', "no metric 'salse'", 'sales'), speech('en'))).toBe(
    "no metric 'salse' sales",
  );
  expect(
    problemText(failed('bad-query', "no 'x'; did you mean 'y'?", "did you mean 'y'?"), speech('en')),
  ).toBe("no 'x'; did you mean 'y'?");
});

it('names the kind in Chinese, with what the server adds where that says more', () => {
  expect(problemText(failed('unknown-metric', "no metric 'x'"), speech('zh'))).toBe(
    "没有这个指标：no metric 'x'",
  );
  expect(problemText(failed('overloaded', '512 requests are running'), speech('zh'))).toBe(
    '服务器当前请求过多，请稍后重试。',
  );
});

it('takes a kind that it does not know, an answer that is none, and a fault of the page', () => {
  expect(problemText(failed('of-tomorrow', 'said so'), speech('zh'))).toBe('said so');
  expect(problemText(failed('constructor', 'said so'), speech('zh'))).toBe('said so');
  expect(problemText(new ApiError(0, null, 'Failed to fetch'), speech('zh'))).toBe('state.unreachable');
  expect(problemText(new TypeError('x is not a function'), speech('zh'))).toBe('x is not a function');
});
