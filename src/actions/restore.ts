import { type DrillArtifacts, drillArtifacts } from '../core/drill-artifacts.ts';
import { judgeRto } from '../core/drill-proof.ts';
import type { Facts } from '../core/facts.ts';
import { Failure } from '../core/failure.ts';
import { makeId } from '../core/keys.ts';
import { withStores } from '../core/open-stores.ts';
import type { Store, Target, TargetRequest, TargetState, World } from '../core/ports.ts';
import { type Finding, finding, type Report, report } from '../core/report.ts';
import { carryOut, type RestoreJob } from '../core/restore.ts';
import { asWarning, chooseForRestore, type RestoreChoice, readSourcePlaces } from '../core/restore-choice.ts';
import { explainRestoreError } from '../core/restore-errors.ts';
import { quoteWord } from '../core/restore-names.ts';
import { psqlWords } from '../core/restore-next.ts';
import { planLines, planRestore } from '../core/restore-plan.ts';
import { writeRestoreRecord } from '../core/restore-record.ts';
import { describePlan, describeRestore, planHeadline } from '../core/restore-report.ts';
import type { RestoreAsked, RestoreKnown } from '../core/restore-request.ts';
import { restoreTables, type TablesJob } from '../core/restore-tables.ts';
import { readRestoreTimes } from '../core/restore-trend.ts';
import { askedOf, type GivenRestore, refuseContradictions, restoring } from '../github/inputs/restoring.ts';
import { parseInputs, type RawInputs } from '../github/inputs.ts';
import { backup } from './backup.ts';

export const description =
  'Restores a backup into a PostgreSQL server under guards: shows the plan first, compares what was restored, puts it in its place, and says in the end which database is where.';

export const inputs = restoring;

export const outputs = {
  'backup-id': 'Id of the backup that was restored, or would be.',
  database: 'Name of the database that holds it now; empty when none does.',
  'safety-backup-id': 'Id of the backup that was taken of the target, of the source `<source>-before-restore`.',
  'restore-seconds':
    'Seconds from the first step until what was restored could be used, commands and health check included.',
  'data-loss-seconds': 'Age of the backup in seconds when the restore began: what was written since is not in it.',
} as const;

/** Drills whose times make the estimate. */
const ESTIMATE_DRILLS = 10;

/** Plans a restore, shows the plan, and carries it out unless a guard refuses or it is a dry run. */
export async function restore(raw: RawInputs, world: World): Promise<Report> {
  const given = parseInputs(inputs, raw);
  refuseContradictions(given);
  if (given['age-identity'] !== '') world.encryption.checkIdentity(given['age-identity']);
  return withStores(world, given.store, async ({ stores, findings }) => {
    const now = world.now();
    const random = (below: number) => Number.parseInt(world.randomHex(6), 16) % below;
    const chosen = await chooseForRestore(stores, given.source, given.backup, { now, random, signal: world.signal });
    const asked = askedOf(given, makeId(now, world.randomHex(3)));
    return restoreWhole(given, { asked, chosen, stores, around: findings.map(asWarning) }, world);
  });
}

/** What was chosen, before anything of it was read. */
interface Chosen {
  readonly asked: RestoreAsked;
  readonly chosen: RestoreChoice;
  readonly stores: readonly Store[];
  readonly around: readonly Finding[];
}

interface Prepared extends Chosen {
  readonly artifacts: DrillArtifacts;
  readonly expected: Facts | undefined;
}

async function restoreWhole(given: GivenRestore, chosen: Chosen, world: World): Promise<Report> {
  const { store, chosen: newest } = chosen.chosen.copies;
  const { manifest } = newest;
  const artifacts = drillArtifacts(store, manifest, given['age-identity'], world);
  let expected: Facts | undefined;
  try {
    // The smallest artifact first: a wrong key ends it here, before the target is looked at.
    expected = await artifacts.readFacts();
  } catch (error) {
    world.signal.throwIfAborted();
    const why = await explainRestoreError(error, 'restore', { store, manifest, artifacts }, undefined);
    const title = `Restore of ${given.source} refused: nothing was changed`;
    const findings = [...chosen.around, ...chosen.chosen.findings, ...why];
    return report(title, findings, { outputs: { 'backup-id': manifest.id }, sources: [given.source] });
  }
  const engine = await world.openEngine(manifest.engine);
  await engine.removeLeftovers(given['scratch-dir'] ?? world.scratchDir);
  const prepared = { ...chosen, artifacts, expected };
  return engine.withTarget(targetRequest(given, prepared, world), (target) =>
    useTarget(target, given, prepared, world),
  );
}

async function useTarget(target: Target, given: GivenRestore, prepared: Prepared, world: World): Promise<Report> {
  const { asked, chosen, around, stores, artifacts, expected } = prepared;
  const lock = asked.dryRun ? [] : await lockTarget(target);
  const state = await target.inspect();
  const known = await learn(target, state, prepared, world);
  if (given.tables.length > 0 || given['data-only'])
    return restoreTables(tablesJob(given, prepared, known, world), [...around, ...chosen.findings, ...lock], world);
  const plan = planRestore(asked, known);
  const identity = given['age-identity'];
  const backUp = (source: string, reason: string) => backup(backupInputs(given, known, { source, reason }), world);
  const things = { identity, artifacts, expected, stores, target, backUp };
  const job: RestoreJob = { ...things, asked, known, plan, copies: chosen.copies };
  const beforehand = [...around, ...chosen.findings, ...lock];
  const isRefused = plan.isRefused || lock.some(({ status }) => status === 'fail');
  // The report shows the plan then.
  if (asked.dryRun || isRefused) return describePlan({ job, findings: [...beforehand, ...plan.findings] });
  await logPlan(job, world);
  const outcome = await carryOut(job, world);
  outcome.findings.unshift(...beforehand);
  if (outcome.restoreMs !== null) outcome.findings.push(judgeRto(outcome.restoreMs, given['max-duration']));
  const recorded = await writeRestoreRecord(job, outcome, world);
  const psql = psqlWords(state.server, state.user.name, { prefix: given['tools-prefix'], url: given['target-url'] });
  return describeRestore(job, outcome, [...outcome.findings, ...recorded], {
    psql,
    stores: given.store,
    words: toolWords(given, known),
  });
}

async function logPlan(job: RestoreJob, { log }: World): Promise<void> {
  await log.group(`The plan of restore ${job.asked.id}`, async () => {
    for (const line of [...planHeadline(job), ...planLines(job.plan)]) log.info(line);
  });
}

async function lockTarget(target: Target): Promise<Finding[]> {
  try {
    await target.lock();
    return [finding('restore-lock', 'pass', 'No other restore works on this target.')];
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'guard-refused') throw error;
    return [finding('restore-lock', 'fail', error.message, error.hint === undefined ? {} : { hint: error.hint })];
  }
}

async function learn(target: Target, state: TargetState, prepared: Prepared, world: World): Promise<RestoreKnown> {
  const { copies, proof } = prepared.chosen;
  const { backup: of, manifest } = copies.chosen;
  const now = world.now();
  const times = await readRestoreTimes(copies.store, copies.catalog, ESTIMATE_DRILLS);
  return {
    target: target.name,
    state,
    backup: of,
    manifest,
    tables: prepared.expected?.tables.map(({ name }) => name),
    proof: proof && { proof: proof.proof, at: proof.drill.startedAt },
    drillSeconds: times.map(({ seconds }) => seconds),
    sources: state.database === undefined ? [] : await readSourcePlaces(prepared.stores, now, world.signal),
    now,
  };
}

function targetRequest(given: GivenRestore, { chosen, asked, expected }: Prepared, world: World): TargetRequest {
  const { owner, role, createRoles, id, part } = asked;
  const { 'bin-dir': binDir, 'tools-prefix': toolsPrefix, 'tools-host': toolsHost } = given;
  return {
    connection: {
      url: given['target-url'],
      ...(binDir !== undefined && { binDir }),
      ...(toolsPrefix !== undefined && { toolsPrefix }),
      ...(toolsHost !== undefined && { toolsHost }),
    },
    manifest: chosen.copies.chosen.manifest,
    facts: expected,
    restoreId: id,
    scratchDir: given['scratch-dir'] ?? world.scratchDir,
    ...(given.jobs !== undefined && { jobs: given.jobs }),
    stallMs: given['stall-timeout'],
    part,
    ownership: { owner, createRoles, ...(role !== undefined && { role }) },
    signal: world.signal,
  };
}

function tablesJob(given: GivenRestore, prepared: Prepared, known: RestoreKnown, world: World): TablesJob {
  const { connection, scratchDir, jobs, stallMs } = targetRequest(given, prepared, world);
  const { artifacts, expected, stores, chosen } = prepared;
  const asked = { ...prepared.asked, tables: given.tables, intoSchema: given['into-schema'] };
  return {
    ...{ asked, known, artifacts, expected, stores, copies: chosen.copies, target: connection },
    scratch: { scratchDir, stallMs, ...(jobs !== undefined && { jobs }) },
  };
}

/** What the next restore into this target needs on a command line as this one did; of secrets only where they go. */
function toolWords(given: GivenRestore, { manifest }: RestoreKnown): string[] {
  const { 'bin-dir': binDir, 'tools-prefix': prefix = [], 'tools-host': toolsHost } = given;
  const isEncrypted = given['age-recipients'].length > 0 || manifest.artifacts.some((one) => one.encryption !== null);
  return [
    ...(binDir === undefined ? [] : ['--bin-dir', binDir]),
    ...(prefix.length === 0 ? [] : ['--tools-prefix', prefix.map(quoteWord).join(' ')]),
    ...(toolsHost === undefined ? [] : ['--tools-host', toolsHost]),
    ...(isEncrypted ? ['--age-identity-file', 'FILE'] : []),
  ];
}

/** Of the backup that is taken of the target: what the backup action would be given for it. */
function backupInputs(
  given: GivenRestore,
  { manifest }: RestoreKnown,
  { source, reason }: { source: string; reason: string },
): RawInputs {
  // What is encrypted must not lie beside it in the clear; its own public keys are in its manifest.
  const own = new Set(manifest.artifacts.flatMap(({ encryption }) => encryption?.recipients ?? []));
  const recipients = given['age-recipients'].length > 0 ? given['age-recipients'] : [...own];
  const { 'bin-dir': binDir = '', 'tools-prefix': prefix = [], 'tools-host': toolsHost = '' } = given;
  return {
    source,
    store: given.store.join('\n'),
    'database-url': given['target-url'],
    'age-recipients': recipients.join('\n'),
    pin: reason,
    'stall-timeout': `${Math.ceil(given['stall-timeout'] / 1000)}s`,
    'bin-dir': binDir,
    'tools-prefix': prefix.map(quoteWord).join(' '),
    'tools-host': toolsHost,
    ...(given.jobs !== undefined && { jobs: String(given.jobs) }),
  };
}
