import { describe, expect, it } from 'vitest';
import { hasComments, isItemName, itemText } from './item';

describe('an item', () => {
  it('stands below its section and its name, with what lies within it as deep as before', () => {
    expect(itemText('monitors', 'a', 'metric: m\ndetect:\n  rate:\n    window: 5m\n')).toBe(
      'monitors:\n  a:\n    metric: m\n    detect:\n      rate:\n        window: 5m\n',
    );
    expect(itemText('calendars', 'b', 'zone: UTC\n\ndays: {}')).toBe(
      'calendars:\n  b:\n    zone: UTC\n\n    days: {}\n',
    );
  });

  it('may have comments of its own', () => {
    expect(hasComments('metric: m   # why\n')).toBe(true);
    expect(hasComments('# why\nmetric: m\n')).toBe(true);
    expect(hasComments('metric: m#1\n')).toBe(false);
  });

  it('has a name as the server takes it', () => {
    expect(isItemName('authorization_drop2')).toBe(true);
    for (const bad of ['', 'A', '2x', 'a-b', '<b>', 'x'.repeat(64)]) expect(isItemName(bad)).toBe(false);
  });
});
