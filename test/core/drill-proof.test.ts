import { expect, it } from 'vitest';
import { judgeProof, judgeRpo, judgeRto } from '../../src/core/drill-proof.ts';
import { finding, type Status } from '../../src/core/report.ts';
import type { RuleId } from '../../src/core/rules.ts';

const whole = {
  'artifact-fetched': 'pass',
  'restore-completed': 'pass',
  'facts-missing': 'pass',
  'facts-schema': 'pass',
};

function findings(changes: Partial<Record<RuleId, Status>>) {
  const all = Object.entries({ ...whole, ...changes }) as [RuleId, Status][];
  return all.map(([rule, status]) => finding(rule, status, 'said'));
}

it.each<{ changes: Partial<Record<RuleId, Status>>; proof: string }>([
  { changes: {}, proof: 'proven' },
  {
    changes: { rto: 'fail', rpo: 'fail', assertion: 'fail', amcheck: 'fail', 'live-compare': 'warn' },
    proof: 'proven',
  },
  { changes: { 'scratch-isolation': 'warn', 'facts-roles': 'warn' }, proof: 'proven' },
  { changes: { 'facts-tables': 'fail' }, proof: 'disproven' },
  { changes: { 'artifact-corrupt': 'fail' }, proof: 'disproven' },
  { changes: { 'restore-completed': 'fail', 'scratch-server': 'unknown' }, proof: 'disproven' },
  { changes: { 'facts-missing': 'unknown' }, proof: 'inconclusive' },
  { changes: { 'facts-sequences': 'unknown' }, proof: 'inconclusive' },
  { changes: { decryption: 'unknown' }, proof: 'inconclusive' },
  { changes: { 'scratch-server': 'unknown' }, proof: 'inconclusive' },
])('calls $changes $proof', ({ changes, proof }) => {
  expect(judgeProof(findings(changes))).toBe(proof);
});

it.each(Object.keys(whole))('proves nothing without %s', (rule) => {
  expect(judgeProof(findings({}).filter((one) => one.rule !== rule))).toBe('inconclusive');
});

it('proves nothing when nothing was found out', () => {
  expect(judgeProof([])).toBe('inconclusive');
});

it.each([
  { ms: 60_000, limit: 60_000, status: 'pass' },
  { ms: 60_001, limit: 60_000, status: 'fail' },
  { ms: 60_001, limit: undefined, status: 'pass' },
])('judges a restore of $ms ms against $limit', ({ ms, limit, status }) => {
  expect(judgeRto(ms, limit)).toMatchObject({ rule: 'rto', status, numbers: { restoreSeconds: ms / 1000 } });
});

it.each([
  { ms: 3_600_000, limit: 3_600_000, status: 'pass' },
  { ms: 3_601_000, limit: 3_600_000, status: 'fail' },
])('judges a loss of $ms ms against $limit', ({ ms, limit, status }) => {
  expect(judgeRpo(ms, limit)).toMatchObject({ rule: 'rpo', status, numbers: { dataLossSeconds: ms / 1000 } });
});
