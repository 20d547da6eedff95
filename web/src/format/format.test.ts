import { describe, expect, it } from 'vitest';
import { changeSince, changeSize } from './change';
import { negated, scaledFigure, sumFigures } from './decimal';
import { briefTime, clockTime, durationText, zoneOffset } from './time';
import { figureText, isComparable, probabilityText, showFigure } from './units';

/** Intl uses several kinds of spaces; their kind is not what these tests are about. */
const plain = (text: string) => text.replace(/\s/g, ' ');

describe('figures', () => {
  it.each([
    [0.8834, 'percent', '88.3%'],
    [1, 'percent', '100.0%'],
    [0.9996, 'percent', '99.96%'],
    [0.0004, 'percent', '0.04%'],
    [0, 'percent', '0.0%'],
    ['18400.00', 'EUR', 'EUR 18,400.00'],
    [1204.5, 'EUR', 'EUR 1,204.50'],
    ['1500', 'JPY', 'JPY 1,500'],
    ['1.234', 'BHD', 'BHD 1.234'],
    [842.4, 'ms', '842 ms'],
    [4.25, 'ms', '4.3 ms'],
    [12_345, 'ms', '12.3 s'],
    [120532, 'count', '120,532'],
    ['9007199254740993', 'count', '9,007,199,254,740,993'],
    [14.5, 'bps', '14.5 bps'],
    [null, 'EUR', '–'],
    ['not a number', 'EUR', '–'],
    [Number.NaN, 'percent', '–'],
  ])('shows %s %s as %s', (figure, unit, text) => {
    expect(plain(figureText(figure, unit, 'en-GB'))).toBe(text);
  });

  it('keeps every digit of money', () => {
    expect(plain(figureText('99999999999999999.99', 'EUR', 'en-GB'))).toBe('EUR 99,999,999,999,999,999.99');
    expect(plain(figureText('-0.10', 'USD', 'en-GB'))).toBe('USD -0.10');
  });

  it('names an unknown currency all the same', () => {
    expect(plain(figureText('10', 'XQZ', 'en-GB'))).toBe('XQZ 10.00');
  });

  it('never calls a probability certain', () => {
    expect([0.99999999, 1, 0.999, 0.9744, 0.0000001].map((p) => probabilityText(p, 'en-GB'))).toEqual([
      '> 99.9%',
      '> 99.9%',
      '99.9%',
      '97.4%',
      '< 0.1%',
    ]);
  });

  it('follows the locale', () => {
    expect(plain(figureText('18400.5', 'EUR', 'de-DE'))).toBe('18.400,50 EUR');
    expect(showFigure(123_456_789, 'count', 'zh-CN', { compact: true }).number).toBe('1.23亿');
    expect(showFigure(12_300, 'count', 'zh-CN', { compact: true }).number).toBe('1.23万');
    expect(showFigure(12_300, 'count', 'en-GB', { compact: true }).number).toMatch(/^12\.3K$/i);
    for (const locale of ['en-GB', 'zh-CN'])
      expect(showFigure(2e39, 'count', locale, { compact: true }).number).toBe('2E39');
  });
});

describe('change against last week', () => {
  it('is in percentage points for rates', () => {
    expect(changeSince(0.41, 0.88, true, 'percent', 'up')).toMatchObject({
      kind: 'points',
      direction: 'down',
      tone: 'bad',
    });
    const change = changeSince(0.91, 0.9, true, 'percent', 'up');
    expect(change.kind === 'points' && changeSize(change.amount, 'en-GB')).toBe('1.0');
  });

  it('is relative for everything else, also for exact decimals', () => {
    expect(changeSince('110.00', '100.00', true, 'EUR', 'up')).toMatchObject({
      kind: 'percent',
      amount: 10,
      tone: 'good',
    });
    expect(changeSince(90, 100, true, 'ms', 'down')).toMatchObject({
      amount: -10,
      direction: 'down',
      tone: 'good',
    });
    expect(changeSince(-5, -10, true, 'EUR', 'up')).toMatchObject({
      amount: 50,
      direction: 'up',
      tone: 'good',
    });
  });

  it('has no colour where it is small, flat, or neither direction is good', () => {
    expect(changeSince(1000, 1003, true, 'count', 'up')).toMatchObject({
      direction: 'down',
      tone: 'neutral',
    });
    expect(changeSince(1000, 1000.1, true, 'count', 'up')).toMatchObject({
      direction: 'flat',
      tone: 'neutral',
    });
    expect(changeSince(10, 20, true, 'count', null)).toMatchObject({ direction: 'down', tone: 'neutral' });
  });

  it('does not divide by zero and does not invent a past', () => {
    expect(changeSince(5, 0, true, 'count', 'up')).toEqual({ kind: 'new' });
    expect(changeSince(0, 0, true, 'count', 'up')).toMatchObject({ direction: 'flat' });
    expect(changeSince(5, null, true, 'count', 'up')).toEqual({ kind: 'unknown' });
    expect(changeSince(353, 100, false, 'count', 'up')).toEqual({ kind: 'partial' });
    expect(changeSince(5, null, false, 'count', 'up')).toEqual({ kind: 'unknown' });
    expect(changeSince(null, 5, true, 'count', 'up')).toEqual({ kind: 'unknown' });
  });
});

describe('sumFigures', () => {
  it('adds decimals without floating point', () => {
    expect(sumFigures(['0.10', '0.20'])).toBe('0.30');
    expect(sumFigures(['99999999999999999.99', '0.01'])).toBe('100000000000000000.00');
    expect(sumFigures(['-0.05', '0.01'])).toBe('-0.04');
    expect(sumFigures(['9007199254740993', 2])).toBe('9007199254740995');
    expect(sumFigures([1, 2, 3])).toBe(6);
  });
});

describe('scaledFigure', () => {
  it('divides decimals at their scale, halves away from zero', () => {
    expect(scaledFigure('25.01', 1, 3)).toBe('8.34');
    expect(scaledFigure('0.05', 1, 2)).toBe('0.03');
    expect(scaledFigure('-0.05', 1, 2)).toBe('-0.03');
    expect(scaledFigure('-0.01', 1, 3)).toBe('0.00');
    expect(scaledFigure('99999999999999999.99', 60, 60)).toBe('99999999999999999.99');
    expect(scaledFigure('7', 1, 2)).toBe('4');
  });

  it('divides numbers as numbers, and nothing by nothing', () => {
    expect(scaledFigure(10, 60, 120)).toBe(5);
    expect(scaledFigure('1.00', 1, 0)).toBeNull();
  });
});

it('amounts in several currencies are not compared', () => {
  expect(isComparable('currency')).toBe(false);
  for (const unit of ['EUR', 'percent', 'count', null]) expect(isComparable(unit)).toBe(true);
});

it('a figure with the other sign keeps its digits', () => {
  expect(negated('-0.10')).toBe('0.10');
  expect(negated('0.10')).toBe('-0.10');
  expect(negated(3)).toBe(-3);
});

describe('times', () => {
  const at = Date.UTC(2026, 6, 1, 22, 30, 5);

  it('are shown in the zone that is named', () => {
    expect(clockTime(at, 'en-GB', 'UTC')).toBe('22:30:05');
    expect(clockTime(at, 'en-GB', 'Europe/Berlin')).toBe('00:30:05');
    expect(zoneOffset('Europe/Berlin', at)).toBe('UTC+02:00');
    expect(zoneOffset('UTC', at)).toBe('UTC');
  });

  it('carry the day where it is not today in that zone', () => {
    expect(briefTime(at, at + 3_600_000, 'en-GB', 'UTC')).toBe('22:30');
    expect(briefTime(at, at + 3 * 3_600_000, 'en-GB', 'UTC')).toContain('1 Jul');
  });

  it('make durations with two units', () => {
    expect(plain(durationText(125_000, 'en'))).toBe('2 min 5 sec');
    expect(plain(durationText(0, 'en'))).toBe('0 sec');
    expect(plain(durationText(3_600_000, 'en'))).toBe('1 hr');
    expect(plain(durationText(90_000_000, 'zh-CN'))).toBe('1天 1小时');
  });
});
