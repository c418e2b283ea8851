import type { DrillArtifacts } from './drill-artifacts.ts';
import { Failure, type FailureCode } from './failure.ts';
import type { Damage } from './integrity.ts';
import type { Manifest } from './manifest.ts';
import type { Store } from './ports.ts';
import { type Finding, finding } from './report.ts';
import type { RuleId } from './rules.ts';

/** Nothing was found out: the run itself ends. */
const FATAL: ReadonlySet<FailureCode> = new Set(['guard-refused', 'invalid-input', 'cancelled', 'timed-out']);
/** What may be the echo of damaged bytes. */
const SUSPECT: ReadonlySet<FailureCode> = new Set([
  'restore-failed',
  'artifact-corrupt',
  'tool-failed',
  'backup-invalid',
]);

const RULES: Partial<Record<FailureCode, [RuleId, Finding['status']]>> = {
  'restore-failed': ['restore-completed', 'fail'],
  'artifact-corrupt': ['artifact-corrupt', 'fail'],
  'not-found': ['artifact-fetched', 'fail'],
  archived: ['bytes-archived', 'unknown'],
  'decryption-failed': ['decryption', 'unknown'],
  'backup-invalid': ['facts-missing', 'unknown'],
  'store-denied': ['store-readable', 'unknown'],
  'store-missing': ['store-readable', 'unknown'],
  'store-unavailable': ['store-readable', 'unknown'],
  stalled: ['store-readable', 'unknown'],
};

type Read = Pick<DrillArtifacts, 'readRest' | 'readOpened' | 'changedOnTheWay'>;

/** Where the failure itself says nothing of what to do. */
const HINTS: Partial<Record<RuleId, string>> = {
  'artifact-fetched':
    'Find out who removed it from the store. Copy it back from another store or an older version, or drill another backup.',
  'restore-completed':
    'Do not rely on this backup: take a new one and drill it, and drill the one before. The message names what could not be built.',
  'store-readable': 'Check the store and the way to it, then drill again.',
  'scratch-server': 'Read in the log what the program said, mend it on this runner, then drill again.',
};

/**
 * What an error in the middle of a drill says. Damage is told from a dump that does not fit together
 * by reading the stored bytes once more: only they, and never a tool's message, are proof of it.
 *
 * @throws the error itself when it ends the run, or is none that we can explain
 */
export async function explainDrillError(
  error: unknown,
  copy: { store: Store; manifest: Manifest; artifacts: Read },
): Promise<Finding[]> {
  if (!(error instanceof Failure) || FATAL.has(error.code)) throw error;
  const damages = await damagesBehind(error, copy.artifacts).catch(() => []); // the first error is the one to tell
  if (damages.length > 0) return damages.map((damage) => describeDamage(damage, copy));
  const [changed] = copy.artifacts.changedOnTheWay;
  if (changed !== undefined) return [describeChange(changed, copy)];
  const [rule, status] = RULES[error.code] ?? ['scratch-server', 'unknown'];
  const subject = rule === 'store-readable' || status === 'fail' ? { subject: copy.store.location } : {};
  const hint = error.code === 'decryption-failed' ? whichKey(copy.manifest) : (error.hint ?? HINTS[rule]);
  return [finding(rule, status, error.message, { ...subject, ...(hint !== undefined && { hint }) })];
}

function whichKey({ artifacts }: Manifest): string {
  const recipients = new Set(artifacts.flatMap(({ encryption }) => encryption?.recipients ?? []));
  return `Give in \`age-identity\` the secret key of ${[...recipients].join(' or ')}.`;
}

/** A damaged header looks like a wrong key: then what was opened is looked at, and no more. */
async function damagesBehind({ code }: Failure, artifacts: Read): Promise<Damage[]> {
  if (SUSPECT.has(code)) return artifacts.readRest();
  return code === 'decryption-failed' ? artifacts.readOpened() : [];
}

function describeDamage(
  { artifact, what }: Damage,
  { store, manifest }: { store: Store; manifest: Manifest },
): Finding {
  return finding('artifact-corrupt', 'fail', `${artifact} of ${manifest.id} ${what}. The restore broke off.`, {
    subject: store.location,
    hint: 'Restore from another backup, or from the copy in another store. Look for the cause in the store.',
  });
}

/** Right in the store, and wrong when it was restored: that says nothing of the backup. */
function describeChange(artifact: string, { store, manifest }: { store: Store; manifest: Manifest }): Finding {
  const what = `${artifact} of ${manifest.id} came with other bytes than the store gave when it was read again`;
  return finding('artifact-corrupt', 'unknown', `${what}, and those are right. The restore broke off.`, {
    subject: store.location,
    hint: "Something between the store and this process changes bytes: use https for the store, and check this machine's memory. Then drill again.",
  });
}
