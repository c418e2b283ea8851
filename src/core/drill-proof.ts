import { formatDuration } from './duration.ts';
import type { Proof } from './records.ts';
import { type Finding, finding } from './report.ts';
import type { RuleId } from './rules.ts';

/** What says something of the backup itself. A missed RTO, a failed assertion, a full disk say nothing of it. */
const EVIDENCE: ReadonlySet<RuleId> = new Set([
  'artifact-fetched',
  'artifact-corrupt',
  'decryption',
  'scratch-server',
  'store-readable',
  'roles-restored',
  'restore-completed',
  'facts-missing',
  'facts-tables',
  'facts-fingerprints',
  'facts-materialized-views',
  'facts-sequences',
  'facts-schema',
  'facts-extensions',
  'facts-roles',
  'facts-large-objects',
  'facts-settings',
  'facts-migration',
]);
/** Without these a drill has shown nothing, however little went wrong. */
const NEEDED: readonly RuleId[] = ['artifact-fetched', 'restore-completed', 'facts-missing', 'facts-schema'];

/**
 * What a drill says of the copy that was restored: disproven by damage or a difference, proven by a
 * complete restore whose facts all match, else nothing.
 *
 * @param findings of this copy; those of other stores' copies are not among them
 */
export function judgeProof(findings: readonly Finding[]): Proof {
  const evidence = findings.filter(({ rule }) => EVIDENCE.has(rule));
  if (evidence.some(({ status }) => status === 'fail')) return 'disproven';
  const isOpen = evidence.some(({ status }) => status === 'unknown');
  const isComplete = NEEDED.every((rule) => evidence.some((one) => one.rule === rule && one.status === 'pass'));
  return isComplete && !isOpen ? 'proven' : 'inconclusive';
}

/** @param limitMs `max-duration`; without it the time is only told */
export function judgeRto(restoreMs: number, limitMs: number | undefined): Finding {
  const took = `The restore took ${formatDuration(restoreMs)}`;
  const restoreSeconds = restoreMs / 1000;
  if (limitMs === undefined)
    return finding('rto', 'pass', `${took}; no limit was given.`, { numbers: { restoreSeconds } });
  const numbers = { restoreSeconds, limitSeconds: limitMs / 1000 };
  if (restoreMs <= limitMs) return finding('rto', 'pass', `${took}, within ${formatDuration(limitMs)}.`, { numbers });
  return finding('rto', 'fail', `${took}, longer than the ${formatDuration(limitMs)} allowed.`, {
    numbers,
    hint: 'Restore on a faster machine or disk, or raise `max-duration` to what the service can bear.',
  });
}

/** What would be lost if the source were gone now. Counted from the snapshot, not from the end of the upload. */
export function judgeRpo(lossMs: number, limitMs: number | undefined): Finding {
  const lost = `The newest backup is ${formatDuration(Math.max(0, lossMs))} old`;
  const dataLossSeconds = Math.round(lossMs / 1000);
  if (limitMs === undefined)
    return finding('rpo', 'pass', `${lost}; no limit was given.`, { numbers: { dataLossSeconds } });
  const numbers = { dataLossSeconds, limitSeconds: limitMs / 1000 };
  if (lossMs <= limitMs) return finding('rpo', 'pass', `${lost}, within ${formatDuration(limitMs)}.`, { numbers });
  return finding('rpo', 'fail', `${lost}, older than the ${formatDuration(limitMs)} allowed.`, {
    numbers,
    hint: 'Back up more often, or look why the last backups did not come.',
  });
}
