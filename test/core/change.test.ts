import { expect, it } from 'vitest';
import { changeSince, isWanted, nextStanding, overdue } from '../../src/core/change.ts';

const now = new Date('2026-11-21T03:15:00Z');
const before = (well: boolean) => ({ format: 1 as const, well, since: '2026-11-20T03:15:00.000Z', owed: ['a'] });

it.each([
  [undefined, 'pass', 'still-well'],
  [undefined, 'fail', 'broke'],
  [true, 'warn', 'still-well'],
  [true, 'unknown', 'broke'],
  [false, 'fail', 'still-broken'],
  [false, 'warn', 'recovered'],
] as const)('after a run that was well: %s, %s is %s', (well, verdict, change) => {
  expect(changeSince(well === undefined ? undefined : { well }, verdict)).toBe(change);
});

it('keeps since when a row of equal verdicts began, and forgets debts that were paid', () => {
  expect(nextStanding(before(false), 'unknown', { now, owed: [] })).toEqual({ ...before(false), owed: [] });
  expect(nextStanding(before(true), 'fail', { now, owed: ['b'] })).toEqual({
    format: 1,
    well: false,
    since: '2026-11-21T03:15:00.000Z',
    owed: ['b'],
  });
  expect(nextStanding(undefined, 'pass', { now, owed: [] })).toMatchObject({ well: true, since: now.toISOString() });
});

it('sends what was asked for', () => {
  const changes = ['broke', 'still-broken', 'recovered', 'still-well'] as const;
  const sent = (on: 'failure' | 'change' | 'always') => changes.filter((change) => isWanted(change, on));
  expect(sent('failure')).toEqual(['broke', 'still-broken']);
  expect(sent('change')).toEqual(['broke', 'recovered']);
  expect(sent('always')).toEqual([...changes]);
});

it('tells the last change to those who missed it', () => {
  expect(overdue('still-broken')).toBe('broke');
  expect(overdue('still-well')).toBe('recovered');
  expect(overdue('recovered')).toBe('recovered');
});
