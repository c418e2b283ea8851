import { Readable } from 'node:stream';
import type { DrillOutcome, DrillPlan } from './drill.ts';
import { evidenceOf } from './drill-evidence.ts';
import { bytesOf } from './drill-fetch.ts';
import { messageOf } from './failure.ts';
import type { Damage } from './integrity.ts';
import { readAgainstManifest } from './integrity.ts';
import { wholeSeconds } from './make-manifest.ts';
import type { Manifest } from './manifest.ts';
import { sha256Of } from './manifest-reading.ts';
import { notReadable } from './open-stores.ts';
import type { Store, World } from './ports.ts';
import { drillRecordKey } from './record-keys.ts';
import { DrillRecord, type Proof } from './records.ts';
import { type Finding, finding, type RecordedDrill, worst } from './report.ts';
import type { RuleId } from './rules.ts';
import { formatBytes } from './size.ts';
import { withTicker } from './ticker.ts';

/** Reads back the copies in other stores: only then does what was proven hold for them, too. */
export async function readOtherCopies(
  { copies }: DrillPlan,
  world: Pick<World, 'signal' | 'log' | 'sleep'>,
): Promise<{ alsoRead: string[]; findings: Finding[] }> {
  const alsoRead: string[] = [];
  const findings: Finding[] = [];
  for (const store of copies.others) {
    try {
      const damages = await readCopy(store, copies.chosen.manifest, world);
      if (damages.length === 0) alsoRead.push(store.location);
      findings.push(...judgeCopy(store, damages));
    } catch (error) {
      world.signal.throwIfAborted();
      findings.push(notReadable(store.location, error, 'the copy'));
    }
  }
  return { alsoRead, findings };
}

async function readCopy(
  store: Store,
  manifest: Manifest,
  world: Pick<World, 'signal' | 'log' | 'sleep'>,
): Promise<Damage[]> {
  let read = 0;
  const watch = (_: unknown, chunk: Buffer) => {
    read += chunk.length;
  };
  const total = formatBytes(bytesOf(manifest));
  const reading = () => `reading the copy in ${store.location}: ${formatBytes(read)} of ${total} read`;
  return withTicker(world, reading, () => readAgainstManifest(store, manifest, world.signal, watch));
}

function judgeCopy({ location: subject }: Store, damages: readonly Damage[]): Finding[] {
  if (damages.length === 0)
    return [finding('store-copy', 'pass', 'The copy here matches the same SHA-256.', { subject })];
  return damages.map(({ artifact, what }) => finding('artifact-corrupt', 'fail', `${artifact} ${what}.`, { subject }));
}

/** What is written down of a drill. */
export interface ConcludedDrill {
  readonly plan: DrillPlan;
  readonly outcome: DrillOutcome;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly proof: Proof;
  readonly dataLossSeconds: number | null;
  readonly objectives: { readonly maxDurationMs: number | undefined; readonly maxDataLossMs: number | undefined };
  readonly alsoRead: readonly string[];
  readonly findings: readonly Finding[];
}

export interface WrittenRecord extends RecordedDrill {
  /** For each store, whether it is there. */
  readonly findings: readonly Finding[];
}

/** Writes the record beside the backup, in every store that holds it, also of a drill that failed. */
export async function writeDrillRecord(drill: ConcludedDrill, world: World): Promise<WrittenRecord> {
  const { plan, proof } = drill;
  const { backup, manifest } = plan.copies.chosen;
  const record = DrillRecord.parse(makeRecord(drill, world));
  const key = drillRecordKey(backup.source, backup.id, { id: plan.id, verdict: record.verdict, proof });
  const bytes = Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`);
  const findings: Finding[] = [];
  for (const store of plan.copies.holders) {
    const subject = store.location;
    try {
      await store.put(key, Readable.from([bytes]), { expectedBytes: bytes.length, signal: world.signal });
      findings.push(finding('drill-recorded', 'pass', `${key} was written.`, { subject }));
    } catch (error) {
      world.signal.throwIfAborted();
      const message = messageOf(error);
      findings.push(
        finding(
          'drill-recorded',
          'fail',
          `The record of the drill of ${manifest.id} could not be written: ${message}`,
          {
            subject,
            hint: 'Allow this runner to write below the folder of the backup; without its record the drill proves nothing to others.',
          },
        ),
      );
    }
  }
  return { key, sha256: sha256Of(bytes), record, findings };
}

function makeRecord(drill: ConcludedDrill, world: Pick<World, 'tool' | 'run'>): DrillRecord {
  const { plan, outcome, proof, findings } = drill;
  const { chosen, store } = plan.copies;
  const { restoreMs, scratch } = outcome;
  const isEncrypted = chosen.manifest.artifacts.some(({ encryption }) => encryption !== null);
  return {
    format: 1,
    id: plan.id,
    source: chosen.backup.source,
    backup: chosen.backup.id,
    manifestSha256: chosen.sha256,
    store: store.location,
    alsoRead: [...drill.alsoRead],
    startedAt: wholeSeconds(drill.startedAt),
    finishedAt: wholeSeconds(drill.finishedAt),
    restoreSeconds: restoreMs === null ? null : restoreMs / 1000,
    dataLossSeconds: drill.dataLossSeconds,
    verdict: worst(findings),
    proof,
    findings: findings.map((one) => (isEncrypted ? withoutNames(one) : one)),
    scratch: {
      server: scratch?.server ?? 'none',
      version: scratch?.version ?? '',
      notIsolated: [...(scratch?.notIsolated ?? [])],
    },
    tool: { ...world.tool },
    run: world.run,
    ...evidenceOf(drill, !isEncrypted),
  };
}

/** Rules whose messages may hold names or values out of the database, also when they pass. */
const NAMING: ReadonlySet<RuleId> = new Set([
  'left-out',
  'assertion',
  'amcheck',
  'restore-completed',
  'roles-restored',
  'live-compare',
  'critical-tables',
  'roles-without-password',
  'target-roles',
  'target-replication',
  'target-prepared',
  'target-connections',
]);

/** Names of tables stay in the encrypted facts: anybody who lists the store can read a record. */
export function withoutNames(one: Finding): Finding {
  const isMissed = one.rule === 'self-test' && (one.status === 'fail' || one.status === 'unknown');
  const names = NAMING.has(one.rule) || isMissed || (one.rule.startsWith('facts-') && one.status !== 'pass');
  if (!names) return one;
  const { subject: _, hint: __, ...rest } = one;
  return { ...rest, message: 'Named in the log and report of the run that wrote this.' };
}
