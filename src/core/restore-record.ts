import { Readable } from 'node:stream';
import { withoutNames } from './drill-record.ts';
import { messageOf } from './failure.ts';
import { wholeSeconds } from './make-manifest.ts';
import type { Store, World } from './ports.ts';
import { restoreRecordKey } from './record-keys.ts';
import { RestoreRecord } from './records.ts';
import { type Finding, finding, worst } from './report.ts';
import type { RestoreJob, RestoreOutcome } from './restore.ts';

/** Writes the record into every store, also of a restore that failed or was stopped. */
export async function writeRestoreRecord(job: RestoreJob, outcome: RestoreOutcome, world: World): Promise<Finding[]> {
  return putRestoreRecord(makeRecord(job, outcome, world), job.stores);
}

/** Whatever was restored, and however it ended. */
export async function putRestoreRecord(given: RestoreRecord, stores: readonly Store[]): Promise<Finding[]> {
  const record = RestoreRecord.parse(given);
  const bytes = Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`);
  const key = restoreRecordKey(record.source, record.id);
  const findings: Finding[] = [];
  for (const store of stores) {
    const subject = store.location;
    try {
      // Without the signal: of a restore that was stopped it is told, too.
      await store.put(key, Readable.from([bytes]), { expectedBytes: bytes.length });
      findings.push(finding('restore-recorded', 'pass', `${key} was written.`, { subject }));
    } catch (error) {
      const hint =
        'Allow this runner to write below `restores/` of the source; the restore itself is not touched by it.';
      findings.push(
        finding('restore-recorded', 'warn', `The record of the restore could not be written: ${messageOf(error)}`, {
          subject,
          hint,
        }),
      );
    }
  }
  return findings;
}

function makeRecord({ asked, known, plan, copies }: RestoreJob, outcome: RestoreOutcome, world: World): RestoreRecord {
  const { manifest, sha256 } = copies.chosen;
  const { situation, findings, steps, restoreMs, startedAt } = outcome;
  const isEncrypted = manifest.artifacts.some(({ encryption }) => encryption !== null);
  return {
    format: 1,
    id: asked.id,
    source: asked.source,
    backup: manifest.id,
    manifestSha256: sha256,
    takenAt: manifest.takenAt,
    store: copies.store.location,
    startedAt: wholeSeconds(startedAt),
    finishedAt: wholeSeconds(world.now()),
    way: plan.way,
    target: { server: known.state.location, database: plan.target },
    database: databaseOf(outcome, plan.target),
    kept: situation.old ?? null,
    safetyBackup: situation.safety ?? null,
    restoreSeconds: restoreMs === null ? null : restoreMs / 1000,
    dataLossSeconds: Math.round((startedAt.getTime() - Date.parse(manifest.takenAt)) / 1000),
    verdict: worst(findings),
    failedAt: situation.failedAt ?? null,
    findings: findings.map((one) => withoutSecrets(isEncrypted ? withoutNames(one) : one, world)),
    steps: steps.map(({ name, seconds }) => ({ name, seconds })),
    tool: { ...world.tool },
    run: world.run,
  };
}

/** In what programs and servers said; never in words of ours, which a password may be, too. */
export function withoutSecrets(one: Finding, { redact }: Pick<World, 'redact'>): Finding {
  const hint = one.hint === undefined ? {} : { hint: redact(one.hint) };
  return { ...one, message: redact(one.message), ...hint };
}

/** Where the backup is now; null where it is nowhere, or not sound. */
export function databaseOf({ situation: { target, restored } }: RestoreOutcome, name: string): string | null {
  if (target === 'restored') return name;
  return restored?.state === 'sound' ? restored.name : null;
}
