import { expect, it } from 'vitest';
import { changeSince, isWanted, nextStanding, overdue } from '../../src/core/change.ts';
import { finding, report, type Status } from '../../src/core/report.ts';
import type { RuleId } from '../../src/core/rules.ts';

const now = new Date('2026-11-21T03:15:00Z');
const judged = (status: Status, rule: RuleId = 'backup-age') => report('Freshness', [finding(rule, status, '')]);
const before = (well: boolean) => ({
  format: 1 as const,
  well,
  groups: well ? [] : ['age'],
  since: '2026-11-20T03:15:00.000Z',
  owed: ['a'],
});

it.each([
  [undefined, 'pass', 'still-well'],
  [undefined, 'fail', 'broke'],
  [true, 'warn', 'still-well'],
  [true, 'unknown', 'broke'],
  [false, 'fail', 'still-broken'],
  [false, 'warn', 'recovered'],
] as const)('after a run that was well: %s, %s is %s', (well, verdict, change) => {
  expect(changeSince(well === undefined ? undefined : before(well), judged(verdict))).toBe(change);
});

it('takes a failure of another kind on top of one for news, and not the end of one of two', () => {
  expect(changeSince(before(false), judged('unknown', 'run-failed'))).toBe('broke');
  expect(changeSince(before(false), judged('fail', 'backup-missing'))).toBe('still-broken');
  const two = { ...before(false), groups: ['age', 'run'] };
  expect(changeSince(two, judged('fail'))).toBe('still-broken');
});

it('keeps since when a row of equal verdicts began, and forgets debts that were paid', () => {
  expect(nextStanding(before(false), judged('unknown'), { now, owed: [] })).toEqual({ ...before(false), owed: [] });
  expect(nextStanding(before(true), judged('fail'), { now, owed: ['b'] })).toEqual({
    format: 1,
    well: false,
    groups: ['age'],
    since: '2026-11-21T03:15:00.000Z',
    owed: ['b'],
  });
  expect(nextStanding(undefined, judged('pass'), { now, owed: [] })).toMatchObject({
    well: true,
    since: now.toISOString(),
  });
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
