import { describe, expect, it } from 'vitest';
import { finding, report } from '../../src/core/report.ts';
import { isOver, troublesOf } from '../../src/github/issue-groups.ts';
import type { IssueMarker } from '../../src/github/issue-marker.ts';

const JOB = 'Nightly/backup';
const since = '2026-11-21T03:15:00.000Z';
const marker = (rest: Partial<IssueMarker> = {}): IssueMarker => ({
  source: 'orders',
  action: 'backup',
  group: 'size',
  since,
  runs: 1,
  returns: 0,
  toldAt: since,
  title: 'x',
  about: [JOB],
  ...rest,
});
const size = (status: 'pass' | 'fail') => finding('min-size', status, '…');
const judged = (findings: Parameters<typeof report>[1], sources = ['orders'], action = 'backup') => ({
  report: report('x', findings, { sources }),
  action,
  job: JOB,
});

describe('an issue is over', () => {
  it.each([
    ['when its group is well', marker(), judged([size('pass')]), true],
    ['when nothing is wrong, though its group was not judged', marker(), judged([finding('rpo', 'pass', '…')]), true],
    ['not when its group is wrong', marker(), judged([size('fail')]), false],
    [
      'not when something else is wrong and its group was not judged',
      marker(),
      judged([finding('rpo', 'fail', '…')]),
      false,
    ],
    ['not by what is said of another source', marker(), judged([size('pass')], ['billing']), false],
    ['not by another action', marker(), judged([size('pass')], ['orders'], 'restore-drill'), false],
    ['not by a run that broke off', marker(), judged([size('pass'), finding('run-failed', 'unknown', '…')]), false],
    ['for a run that broke off, by one that did not', marker({ group: 'run' }), judged([size('fail')]), true],
  ])('%s', (_what, of, by, expected) => {
    expect(isOver(of, by)).toBe(expected);
  });
});

it('puts what is wrong into its group, the worst first, and tells stores and sources apart', () => {
  const action = 'verify-freshness';
  const old = finding('backup-age', 'unknown', 'a', { source: 'orders', subject: 's3://a' });
  const older = finding('backup-age', 'fail', 'b', { source: 'orders', subject: 's3://b' });
  const away = finding('store-readable', 'unknown', 'c', { source: 'orders', subject: 's3://c' });
  const fine = finding('backup-count', 'warn', 'd', { source: 'orders' });
  expect(troublesOf(judged([old, older, away, fine], ['orders', 'billing'], action))).toEqual([
    { key: { source: 'orders', action, group: 'age' }, findings: [older, old], about: ['s3://b', 's3://a'] },
    { key: { source: '*', action, group: 'stores' }, findings: [away], about: ['s3://c'] },
  ]);
});
