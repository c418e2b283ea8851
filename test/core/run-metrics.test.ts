import { expect, it } from 'vitest';
import { mergeSamples } from '../../src/core/merge-metrics.ts';
import type { Sample } from '../../src/core/metrics.ts';
import { finding, report } from '../../src/core/report.ts';
import { runSamples } from '../../src/core/run-metrics.ts';
import { at } from '../fixtures.ts';

const now = at('2026-11-21T12:00:00Z');
const later = at('2026-11-22T12:00:00Z');

/** What is said, as `verdict{source} word` and `success{source} time`. */
function said(samples: readonly Sample[]): string[] {
  return samples.flatMap(({ name, labels, value }) => {
    if (name === 'lifeboat_verdict' && value === 1) return [`${labels.source ?? '–'} ${labels.verdict}`];
    return name === 'lifeboat_last_success_timestamp_seconds' && value !== null ? [`${labels.source} success`] : [];
  });
}

it('tells of each source by itself: its own findings, and those that hold for all', () => {
  const findings = [
    finding('backup-age', 'pass', 'Fresh.', { source: 'orders' }),
    finding('backup-age', 'fail', 'Stale.', { source: 'ledger' }),
    finding('free-space', 'warn', 'Little room.'),
  ];
  const judged = report('Freshness of 2 sources', findings, { sources: ['orders', 'ledger'] });
  expect(said(runSamples(judged, 'verify-freshness', now))).toEqual(['orders success', 'orders warn', 'ledger fail']);
});

it('a run that failed does not touch the time of the last success', () => {
  const good = report('Prune', [finding('prune-planned', 'pass', 'Planned.')], { sources: ['orders'] });
  const bad = report('Prune', [finding('run-failed', 'unknown', 'No.')], { sources: ['orders'] });
  const merged = mergeSamples(runSamples(good, 'prune', now), runSamples(bad, 'prune', later), later);
  const time = (name: string) => merged.find((one) => one.name === name)?.value;
  expect(time('lifeboat_last_success_timestamp_seconds')).toBe(now.getTime() / 1000);
  expect(time('lifeboat_last_run_timestamp_seconds')).toBe(later.getTime() / 1000);
  expect(said(merged)).toEqual(['orders success', 'orders unknown']);
});

it('a run that does not know its sources tells all the same, and the next one that does takes its place', () => {
  const lost = runSamples(report('No', [finding('run-failed', 'unknown', 'No.')]), 'verify-freshness', now);
  expect(said(lost)).toEqual(['– unknown']);
  const good = report('Freshness', [finding('backup-age', 'pass', 'Fresh.')], { sources: ['orders'] });
  expect(said(mergeSamples(lost, runSamples(good, 'verify-freshness', later), later))).toEqual([
    'orders success',
    'orders pass',
  ]);
});
