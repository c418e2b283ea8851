import { expect, it } from 'vitest';
import { judgeSize, median, sizeHistory } from '../../src/core/size-judgement.ts';
import { at, backupAt } from '../fixtures.ts';

const judged = (bytes: number, history: number[], limits = {}) =>
  judgeSize({ name: 'The backup', bytes }, history, { maxDeviation: 0.5, ...limits }).map(
    ({ rule, status }) => `${rule} ${status}`,
  );

it.each([
  { bytes: 500, verdict: 'pass' },
  { bytes: 499, verdict: 'fail' },
  { bytes: 0, verdict: 'fail' },
  { bytes: 1_500, verdict: 'pass' },
  { bytes: 1_501, verdict: 'warn' },
])('$bytes bytes against a median of 1,000 with half of it allowed: $verdict', ({ bytes, verdict }) => {
  expect(judged(bytes, [900, 1_000, 1_100])).toEqual([`size-deviation ${verdict}`]);
});

it('compares with the last ten only', () => {
  expect(judged(100, [...Array(20).fill(1_000), ...Array(10).fill(100)])).toEqual(['size-deviation pass']);
});

it('passes the first backup, and says that there was nothing to compare with', () => {
  const [only] = judgeSize({ name: 'The backup', bytes: 5 }, [], { maxDeviation: 0.5 });
  expect(only).toMatchObject({ status: 'pass', message: 'The backup has 5 B; there are no others to compare with.' });
});

it('judges against a smallest size when one is given', () => {
  expect(judged(999, [], { minBytes: 1_000 })).toEqual(['min-size fail', 'size-deviation pass']);
  expect(judged(1_000, [], { minBytes: 1_000 })).toEqual(['min-size pass', 'size-deviation pass']);
});

it('gives the numbers it judged by', () => {
  const [one] = judgeSize({ name: 'orders', bytes: 400, subject: 'file:///b' }, [1_000], { maxDeviation: 0.5 });
  expect(one).toMatchObject({
    subject: 'file:///b',
    numbers: { bytes: 400, medianBytes: 1_000, limitShare: 0.5, backups: 1 },
    message: 'orders has 400 B, −60 % against 0.98 KiB, the median of the last 1; at most 50 % allowed.',
  });
});

it('says so when there was nothing before and is something now', () => {
  expect(judged(10, [0, 0])).toEqual(['size-deviation warn']);
  expect(judged(0, [0, 0])).toEqual(['size-deviation pass']);
});

it('takes its history from complete backups of the usual scope before the moment', () => {
  const days = ['2026-11-01', '2026-11-02', '2026-11-03'].map((day, rank) => backupAt(day, { bytes: rank }));
  const strange = backupAt('2026-11-04', { bytes: 50, scope: 'tables' });
  const unfinished = backupAt('2026-11-05', { bytes: 60, manifestBytes: undefined });
  expect(sizeHistory([...days, strange, unfinished], at('2026-11-03'))).toEqual([0, 1]);
  expect(sizeHistory([...days, strange, unfinished], at('2026-11-06'))).toEqual([0, 1, 2]);
});

it('takes the middle of an odd and the mean of an even number of values', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, undefined]);
});
