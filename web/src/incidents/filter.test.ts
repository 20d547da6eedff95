import { describe, expect, it } from 'vitest';
import { exampleIncident } from './example';
import { atStake, choices, groupsOf, type InboxFilter, isNarrowed, readFilter, writeFilter } from './filter';

const everything: InboxFilter = { ...readFilter({}), state: 'all' };
const words = (incident: { id: string; summary: string }) => `${incident.id} ${incident.summary}`;
const ids = (groups: ReturnType<typeof groupsOf>) =>
  groups.map(({ leader, parts }) => [leader.id, ...parts.map(({ id }) => id)].join('>'));

describe('the address', () => {
  it('keeps what it understands and drops the rest', () => {
    const filter = readFilter({ state: 'resolved', severity: 'info,critical,awful', q: 'adyen', evil: 'x' });
    expect(filter).toEqual({
      state: 'resolved',
      severities: ['critical', 'info'],
      monitor: null,
      metric: null,
      text: 'adyen',
    });
    expect(readFilter({ state: 'closed', severity: 'toString', monitor: '' })).toEqual(readFilter({}));
  });

  it('says the same when it is written and read again, and nothing of what is as usual', () => {
    const filter: InboxFilter = {
      state: 'all',
      severities: ['warning'],
      monitor: 'a b&c=d',
      metric: 'm',
      text: 'two words',
    };
    expect(readFilter(writeFilter(filter))).toEqual(filter);
    expect(writeFilter(readFilter({}))).toEqual({});
    expect(isNarrowed(readFilter({ state: 'resolved' }))).toBe(false);
    expect(isNarrowed(readFilter({ q: '  ' }))).toBe(false);
    expect(isNarrowed(readFilter({ metric: 'm' }))).toBe(true);
  });
});

describe('groups', () => {
  const leader = exampleIncident({ id: 'a', severity: 'critical', summary: 'Adyen down' });
  const part = exampleIncident({
    id: 'b',
    severity: 'warning',
    part_of: 'a',
    summary: 'errors',
    monitor: 'e',
  });
  const other = exampleIncident({ id: 'c', severity: 'info', state: 'resolved', summary: 'volume' });
  const all = [leader, part, other];

  it('hold parts under what leads them', () => {
    expect(ids(groupsOf(all, everything, words))).toEqual(['a>b', 'c']);
    expect(ids(groupsOf(all, readFilter({}), words))).toEqual(['a>b']);
    expect(ids(groupsOf(all, readFilter({ state: 'resolved' }), words))).toEqual(['c']);
  });

  it('show a leader above the part that is wanted, and of its parts only those', () => {
    expect(ids(groupsOf(all, { ...everything, monitor: 'e' }, words))).toEqual(['a>b']);
    const second = exampleIncident({ id: 'd', part_of: 'a', severity: 'info' });
    expect(ids(groupsOf([...all, second], { ...everything, severities: ['warning'] }, words))).toEqual([
      'a>b',
    ]);
  });

  it('need every word of the search, in any order and case', () => {
    expect(ids(groupsOf(all, { ...everything, text: 'DOWN adyen' }, words))).toEqual(['a>b']);
    expect(ids(groupsOf(all, { ...everything, text: 'adyen volume' }, words))).toEqual([]);
  });

  it('add up what is at stake by unit, without counting the same money twice', () => {
    const money = (value: string | number, unit: string) => ({ metric: 'm', value, unit });
    const groups = [
      {
        leader: exampleIncident({ impact: money('0.10', 'EUR') }),
        parts: [exampleIncident({ impact: money(9, 'EUR') })],
      },
      { leader: exampleIncident({ impact: money('0.20', 'EUR') }), parts: [] },
      { leader: exampleIncident({ impact: money(5, 'USD') }), parts: [] },
      { leader: exampleIncident({ impact: null }), parts: [] },
      // What passed meanwhile is not at stake, or nobody knows how much of it.
      { leader: exampleIncident({ impact: { ...money(900, 'EUR'), of: 'passed' } }), parts: [] },
    ];
    expect(atStake(groups)).toEqual([
      { unit: 'USD', value: 5 },
      { unit: 'EUR', value: '0.30' },
    ]);
  });

  it('offer the names there are, and the chosen one even if there is none of it', () => {
    expect(choices(all, 'monitor', 'gone')).toEqual(['authorization_drop', 'e', 'gone']);
  });
});
