import { z } from 'zod';
import { type DrillOutcome, type DrillPlan, drillCopy } from '../core/drill.ts';
import { type ChosenCopies, chooseCopies } from '../core/drill-copies.ts';
import { checkScratchSettings, parseAssertions } from '../core/drill-inputs.ts';
import { judgeProof, judgeRpo, judgeRto } from '../core/drill-proof.ts';
import { readOtherCopies, writeDrillRecord } from '../core/drill-record.ts';
import { describeDrill } from '../core/drill-report.ts';
import { Failure } from '../core/failure.ts';
import { makeId } from '../core/keys.ts';
import { readKnownServers } from '../core/known-servers.ts';
import { withStores } from '../core/open-stores.ts';
import type { Store, World } from '../core/ports.ts';
import type { Proof } from '../core/records.ts';
import type { Finding, Report } from '../core/report.ts';
import { examiners, selfTest, skippedSelfTest } from '../core/self-test.ts';
import { common } from '../github/inputs/every-action.ts';
import { ofBackups } from '../github/inputs/of-backups.ts';
import { flag, lines, parseInputs, type RawInputs, shared, text, timespan } from '../github/inputs.ts';

export const description =
  'Rehearses a disaster: restores a backup into a throwaway server, compares all its data with the facts of the snapshot, and writes the proof beside the backup.';

export const inputs = z.strictObject({
  ...common,
  source: shared.source,
  backup: ofBackups.backup.prefault('latest'),
  'age-identity': shared['age-identity'].prefault(''),
  'scratch-url': text(
    'Another server to restore into, as `postgresql://…`; a database of its own is made and dropped there. An own scratch server is started when empty.',
    { secret: true },
  ).optional(),
  'scratch-settings': lines(
    "Lines for postgresql.conf of the own scratch server, e.g. `shared_preload_libraries = 'timescaledb'`.",
  ).prefault(''),
  assertions: lines('What must be true of the restored data, one a line: `name: SQL` that yields one true.').prefault(
    '',
  ),
  'compare-with': text('The live database, as `postgresql://…`: its row counts are shown beside the restored ones.', {
    secret: true,
  }).optional(),
  'max-duration': ofBackups['max-duration'].optional(),
  'max-data-loss': timespan(
    'Recovery point objective: the oldest the newest backup may be, e.g. `26h`; judged with `backup: latest`.',
  ).optional(),
  amcheck: flag('Check tables and B-tree indexes with pg_amcheck.').prefault('false'),
  'self-test': flag(
    'After a drill that proved the backup, prove that the drill can fail: damage what is read of the copy and the restored database, one damage at a time, and fail unless each is found and named. Nothing in a store is changed. Every artifact is read about seven times more, and all rows are counted once more; `docs/SELF-TEST.md` lists the damages.',
  ).prefault('false'),
  jobs: shared.jobs,
  'keep-scratch': flag('Keep the data of a failed drill for 24 hours, readable by this user only.').prefault('false'),
  'bin-dir': shared['bin-dir'].optional(),
  'tools-prefix': shared['tools-prefix'].optional(),
  'tools-host': shared['tools-host'].optional(),
  'scratch-dir': shared['scratch-dir'].optional(),
});

export const outputs = {
  'backup-id': 'Id of the backup that was drilled.',
  proof: '`proven`, `disproven` or `inconclusive`: what the drill says of the backup, whatever its verdict.',
  'restore-seconds': 'Seconds from the first byte fetched until the database could be queried.',
  'data-loss-seconds': 'Seconds of data that would be lost now; only with `backup: latest`.',
  'record-key': 'Key of the record of this drill, the same in every store.',
} as const;

type Given = z.output<typeof inputs>;

/** Restores one backup into a scratch server, judges it, and writes the proof beside it. */
export async function restoreDrill(raw: RawInputs, world: World): Promise<Report> {
  const given = parseInputs(inputs, raw);
  const checked = checkInputs(given, world);
  return withStores(world, given.store, async ({ stores, findings: around }) => {
    const startedAt = world.now();
    const copies = await chooseCopies(stores, given.source, given.backup, choiceOptions(world));
    const plan = await planDrill(given, checked, { copies, stores, startedAt }, world);
    world.log.info(`Drilling ${copies.chosen.backup.id} of ${given.source} from ${copies.store.location}.`);
    const outcome = await drillCopy(plan, world);
    const { dataLossSeconds, findings: objectives } = judgeObjectives(given, copies, outcome.restoreMs, startedAt);
    const others = await readOtherCopies(plan, world);
    const proof = judgeProof(outcome.findings);
    const tested = await runSelfTest(plan, outcome, proof, world);
    const judged = [...outcome.findings, ...objectives, ...others.findings, ...tested];
    const findings = [...around, ...copies.findings, ...judged];
    const when = { startedAt, finishedAt: world.now() };
    const limits = { maxDurationMs: given['max-duration'], maxDataLossMs: given['max-data-loss'] };
    const { alsoRead } = others;
    const drill = { plan, outcome, ...when, proof, dataLossSeconds, objectives: limits, alsoRead, findings };
    const record = await writeDrillRecord(drill, world);
    return describeDrill(drill, record, findings);
  });
}

function checkInputs(given: Given, world: World) {
  if (given['age-identity'] !== '') world.encryption.checkIdentity(given['age-identity']);
  const folder = given['scratch-dir'];
  if (folder !== undefined && !folder.startsWith('/')) {
    throw new Failure('invalid-input', `\`scratch-dir\` cannot be "${folder}".`, { hint: 'Give an absolute path.' });
  }
  return { assertions: parseAssertions(given.assertions), settings: checkScratchSettings(given['scratch-settings']) };
}

function choiceOptions(world: World) {
  const random = (below: number) => Number.parseInt(world.randomHex(6), 16) % below;
  return { now: world.now(), random, signal: world.signal };
}

async function planDrill(
  given: Given,
  checked: ReturnType<typeof checkInputs>,
  found: { copies: ChosenCopies; stores: readonly Store[]; startedAt: Date },
  world: World,
): Promise<DrillPlan> {
  const { 'scratch-url': scratchUrl, 'compare-with': liveUrl } = given;
  const connection = {
    ...(given['bin-dir'] !== undefined && { binDir: given['bin-dir'] }),
    ...(given['tools-prefix'] !== undefined && { toolsPrefix: given['tools-prefix'] }),
    ...(given['tools-host'] !== undefined && { toolsHost: given['tools-host'] }),
  };
  const elsewhere =
    scratchUrl === undefined ? {} : { scratchUrl, knownServers: await readKnownServers(found.stores, world.signal) };
  return {
    id: makeId(found.startedAt, world.randomHex(3)),
    copies: found.copies,
    identity: given['age-identity'],
    assertions: checked.assertions,
    amcheck: given.amcheck,
    selfTest: given['self-test'] ? examiners : undefined,
    live: liveUrl === undefined ? undefined : { ...connection, url: liveUrl },
    scratch: {
      ...elsewhere,
      connection,
      settings: checked.settings,
      scratchDir: given['scratch-dir'] ?? world.scratchDir,
      keepOnFailure: given['keep-scratch'],
      stallMs: given['stall-timeout'],
      ...(given.jobs !== undefined && { jobs: given.jobs }),
    },
  };
}

/** Its verdict is part of the drill's; what it says of the drill changes nothing of the proof. */
async function runSelfTest(plan: DrillPlan, outcome: DrillOutcome, proof: Proof, world: World): Promise<Finding[]> {
  if (plan.selfTest === undefined) return [];
  if (proof !== 'proven') return [skippedSelfTest()];
  const { findings, tables } = await selfTest({ plan, outcome, examiners: plan.selfTest, world });
  outcome.tables.push(...tables);
  return findings;
}

/** The objectives of the service. What would be lost is a question about the newest backup only. */
function judgeObjectives(given: Given, { chosen }: ChosenCopies, restoreMs: number | null, now: Date) {
  const findings: Finding[] = restoreMs === null ? [] : [judgeRto(restoreMs, given['max-duration'])];
  if (given.backup !== 'latest') return { dataLossSeconds: null, findings };
  const lossMs = now.getTime() - Date.parse(chosen.manifest.takenAt);
  findings.push(judgeRpo(lossMs, given['max-data-loss']));
  return { dataLossSeconds: Math.round(lossMs / 1000), findings };
}
