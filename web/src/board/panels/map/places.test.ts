import { describe, expect, it } from 'vitest';
import type { Figure, SeriesDocument } from '../../../api/types';
import { shapeCodes, shapes } from './geometry';
import { codeOfShape, countryCode, countryName } from './iso';
import { LEVELS, placesOf } from './places';

function byCountry(slices: [string | null, Figure | null][]): SeriesDocument {
  return {
    metric: 'm',
    unit: 'EUR',
    from: 0,
    to: 10,
    step_ms: 10,
    by: ['country'],
    watermark: 10,
    truncated: false,
    series: slices.map(([country, figure]) => ({ by: { country }, points: [[0, figure]] })),
  };
}

describe('codes of countries', () => {
  it('lead from the digits of the geometry to alpha-2', () => {
    expect(codeOfShape('276', 'Germany')).toBe('DE');
    expect(codeOfShape('004', 'Afghanistan')).toBe('AF');
    expect(codeOfShape(4, 'Afghanistan')).toBe('AF');
    expect(codeOfShape(undefined, 'Kosovo')).toBe('XK');
    expect(codeOfShape(undefined, 'constructor')).toBeNull();
    expect(codeOfShape('000', 'Nowhere')).toBeNull();
  });

  it('are known in any case, and nothing else is', () => {
    expect(countryCode('de')).toBe('DE');
    expect(countryCode(' FR ')).toBe('FR');
    for (const value of ['UK', 'EUR', '', null, '__other__', 'DEU', '<img src=x>', '\u202eED'])
      expect(countryCode(value), String(value)).toBeNull();
  });

  it('have names in the language of the reader', () => {
    expect(countryName('DE', 'en')).toBe('Germany');
    expect(countryName('DE', 'zh-CN')).toBe('德国');
  });
});

describe('the geometry', () => {
  it('has a shape for each large country, once', () => {
    for (const code of ['US', 'CN', 'IN', 'BR', 'DE', 'FR', 'GB', 'NG', 'ID', 'AU', 'RU', 'NO', 'XK', 'TW'])
      expect(shapeCodes.has(code), code).toBe(true);
    const codes = shapes.flatMap(({ code }) => code ?? []);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.length).toBeGreaterThan(170);
  });

  it('draws each without a gap or a nonsense number', () => {
    for (const { path, key } of shapes) expect(path, key).toMatch(/^M[-\d.,MLZ]+Z$/);
  });
});

describe('places', () => {
  const drawn = new Set(['DE', 'FR', 'NL']);

  it('are on the map, too small for it, or no country', () => {
    const places = placesOf(
      byCountry([
        ['DE', '100.00'],
        ['SG', '4.00'],
        ['FR', '0.00'],
        ['Atlantis', '7.00'],
        [null, '1.00'],
        ['de', '2.00'],
      ]),
      'country',
      'amount',
      drawn,
    );
    expect([...places.drawn.keys()]).toEqual(['DE']);
    expect(places.small.map(({ code }) => code)).toEqual(['SG']);
    expect(places.unknown.map(({ value }) => value)).toEqual(['Atlantis', 'de', null]);
    expect(places.all.map(({ value }) => value)).toEqual(['DE', 'Atlantis', 'SG', 'de', null]);
  });

  it('are shaded by the root of a sum, and evenly between rates', () => {
    const sums = placesOf(
      byCountry([
        ['DE', 100],
        ['FR', 40],
        ['NL', 1],
      ]),
      'country',
      'count',
      drawn,
    );
    expect(sums.bounds.map((bound) => Math.round(bound))).toEqual([0, 4, 16, 36, 64]);
    expect([...sums.drawn.values()].map(({ level }) => level)).toEqual([LEVELS, 4, 1]);
    const rates = placesOf(
      byCountry([
        ['DE', 0.9],
        ['FR', 0.8],
        ['NL', 0.85],
      ]),
      'country',
      'rate',
      drawn,
    );
    expect(rates.drawn.get('FR')?.level).toBe(1);
    expect(rates.drawn.get('DE')?.level).toBe(LEVELS);
  });

  it('of one figure have one shade', () => {
    const one = placesOf(byCountry([['DE', 0.9]]), 'country', 'rate', drawn);
    expect(one.bounds).toEqual([0.9]);
    expect(one.drawn.get('DE')?.level).toBe(1);
    expect(placesOf(byCountry([]), 'country', 'count', drawn).bounds).toEqual([]);
  });
});
