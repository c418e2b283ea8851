import type { DrillArtifacts } from './drill-artifacts.ts';
import { explainDrillError } from './drill-errors.ts';
import { Failure, messageOf } from './failure.ts';
import type { Manifest } from './manifest.ts';
import type { Store } from './ports.ts';
import { type Finding, finding } from './report.ts';
import type { StepName } from './restore-plan.ts';
import type { RuleId } from './rules.ts';

const RULES: Readonly<Record<StepName, RuleId>> = {
  'remove leftovers': 'restore-leftovers',
  'read the backup': 'artifact-fetched',
  'run before': 'restore-commands',
  'back up the target': 'safety-backup',
  'drop the target': 'restore-placed',
  restore: 'restore-completed',
  compare: 'restore-completed',
  reindex: 'restore-maintenance',
  analyze: 'restore-maintenance',
  'count critical tables': 'critical-tables',
  open: 'restore-placed',
  rename: 'restore-placed',
  swap: 'restore-placed',
  'run after': 'restore-commands',
  'check health': 'restore-health',
  'drop the old database': 'restore-placed',
};

/** What a drill's hints say otherwise. */
const HINTS: Partial<Record<RuleId, string>> = {
  'artifact-fetched':
    'Somebody removed it from the store. Restore another backup, or give only the store that still holds a whole copy.',
  'artifact-corrupt': 'Restore another backup, or give only the store that holds a sound copy.',
  'store-readable': 'Check the store and the way to it, then restore again.',
  'restore-completed': 'The message names what could not be built. Mend it on the server, or restore another backup.',
};

/**
 * What an error in the middle of a restore says.
 *
 * @param stopped the reason of a signal, when the run was stopped
 */
export async function explainRestoreError(
  error: unknown,
  step: StepName,
  copy: { store: Store; manifest: Manifest; artifacts: DrillArtifacts },
  stopped: unknown,
): Promise<Finding[]> {
  if (stopped !== undefined) return [runFailed(stopped)];
  if (!(error instanceof Failure)) return [runFailed(error)];
  if (step !== 'restore' && step !== 'compare') return [failedStep(step, error)];
  const findings = await explainDrillError(error, copy).catch(() => [failedStep(step, error)]);
  return findings.map(asOfRestore);
}

function failedStep(step: StepName, { message, hint }: Failure): Finding {
  return finding(RULES[step], 'fail', message, hint === undefined ? {} : { hint });
}

/** In the words of a restore, what a drill says. */
export function asOfRestore(one: Finding): Finding {
  // A drill cannot tell such an error from a fault of its own server; here nothing was restored, whatever the reason.
  const moved: Finding = one.rule === 'scratch-server' ? { ...one, rule: 'restore-completed', status: 'fail' } : one;
  const hint = moved.hint === undefined || /\bdrill\b|Do not rely/i.test(moved.hint) ? HINTS[moved.rule] : moved.hint;
  const { hint: _, ...rest } = moved;
  return hint === undefined ? rest : { ...rest, hint };
}

/** Of a run that was stopped, and of what is a bug: not the backup or the server is to blame. */
function runFailed(reason: unknown): Finding {
  if (reason instanceof Failure) {
    const { message, hint } = reason;
    return finding('run-failed', 'unknown', message, hint === undefined ? {} : { hint });
  }
  const hint = 'Report it with the stack that stands in the log of this step.';
  return finding('run-failed', 'unknown', `This is a bug in Lifeboat: ${messageOf(reason)}`, { hint });
}
