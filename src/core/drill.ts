import { type ComparisonGiven, compareAndTabulate } from './compare-facts.ts';
import { counted } from './counted.ts';
import { type DrillArtifacts, drillArtifacts } from './drill-artifacts.ts';
import type { ChosenCopies } from './drill-copies.ts';
import { explainDrillError } from './drill-errors.ts';
import { bytesOf, judgeFetch } from './drill-fetch.ts';
import type { Assertion } from './drill-inputs.ts';
import { type DrillProgress, reportDrillProgress } from './drill-progress.ts';
import { judgeProof } from './drill-proof.ts';
import { type DrillStep, type StepClock, stepClock } from './drill-steps.ts';
import { judgeTotals } from './drill-totals.ts';
import type { Facts } from './facts.ts';
import { messageOf } from './failure.ts';
import type { Connection, Scratch, ScratchRequest, World } from './ports.ts';
import { type Finding, finding, type Status, type Table, worst } from './report.ts';
import type { Examiners } from './self-test.ts';
import { tamperScratch } from './self-test-scratch.ts';
import type { Trial } from './self-test-trial.ts';
import { formatBytes } from './size.ts';

/** What a drill is to do with the copy that was chosen. */
export interface DrillPlan {
  readonly id: string;
  readonly copies: ChosenCopies;
  readonly identity: string;
  readonly assertions: readonly Assertion[];
  readonly amcheck: boolean;
  readonly live: Connection | undefined;
  /** What looks at the damages of a self-test; undefined: none is made. */
  readonly selfTest: Examiners | undefined;
  readonly scratch: Pick<
    ScratchRequest,
    'scratchUrl' | 'knownServers' | 'connection' | 'settings' | 'scratchDir' | 'keepOnFailure' | 'jobs' | 'stallMs'
  >;
}

/** What a drill found out about one copy. */
export interface DrillOutcome {
  readonly findings: Finding[];
  /** From the first byte fetched until the database could be queried; null when it never could. */
  restoreMs: number | null;
  /** Undefined when no server could be started. */
  scratch: Pick<Scratch, 'server' | 'version' | 'notIsolated'> | undefined;
  expected: Facts | undefined;
  found: Facts | undefined;
  /** How the two were compared. */
  given: ComparisonGiven | undefined;
  readonly tables: Table[];
  /** Damages that a self-test did to the restored database. */
  tampered: readonly Trial[];
  /** Folder that was kept for a person to look at. */
  kept: string | undefined;
  /** Names of the artifacts that were read to their end and match. */
  verified: readonly string[];
  readonly assertions: (Assertion & { readonly status: Status })[];
  steps: readonly DrillStep[];
}

/**
 * Restores one copy into a scratch server and compares it with its facts. What goes wrong becomes a
 * finding, whether it says something of the backup or only of this runner.
 *
 * @throws when the drill was cancelled, or refused by a guard: then nothing was found out
 */
export async function drillCopy(plan: DrillPlan, world: World): Promise<DrillOutcome> {
  const { store, chosen } = plan.copies;
  const { manifest } = chosen;
  const artifacts = drillArtifacts(store, manifest, plan.identity, world);
  const outcome: DrillOutcome = {
    ...{ findings: [], tables: [], tampered: [], verified: [], assertions: [], steps: [] },
    ...{
      restoreMs: null,
      scratch: undefined,
      expected: undefined,
      found: undefined,
      given: undefined,
      kept: undefined,
    },
  };
  const clock = stepClock(world);
  const progress: DrillProgress = {
    doing: '',
    totalBytes: bytesOf(manifest),
    bytes: () => artifacts.bytes,
  };
  const stop = new AbortController();
  const ticking = reportDrillProgress(progress, world, stop.signal);
  try {
    await restoreAndCompare({ plan, world, artifacts, outcome, progress, clock });
  } catch (error) {
    world.signal.throwIfAborted();
    outcome.findings.push(...(await explainDrillError(error, { store, manifest, artifacts })));
  } finally {
    clock.end();
    Object.assign(outcome, { steps: clock.steps, verified: artifacts.verified });
    stop.abort();
    await ticking;
  }
  return outcome;
}

interface Drill {
  readonly plan: DrillPlan;
  readonly world: World;
  readonly artifacts: DrillArtifacts;
  readonly outcome: DrillOutcome;
  readonly progress: DrillProgress;
  readonly clock: StepClock;
}

function begin({ progress, clock }: Drill, step: string): void {
  progress.doing = step;
  clock.begin(step);
}

async function restoreAndCompare(drill: Drill): Promise<void> {
  const { plan, world, artifacts, outcome } = drill;
  const { manifest } = plan.copies.chosen;
  begin(drill, 'reading facts');
  // The smallest artifact first: a wrong key ends the drill before a server is started.
  outcome.expected = await artifacts.readFacts();
  if (manifest.artifacts.some(({ encryption }) => encryption !== null) && outcome.expected !== undefined) {
    outcome.findings.push(finding('decryption', 'pass', 'The identity given opens the artifacts.'));
  }
  begin(drill, 'starting the scratch server');
  const engine = await world.openEngine(manifest.engine);
  await engine.removeLeftovers(plan.scratch.scratchDir);
  const request = {
    ...plan.scratch,
    manifest,
    facts: outcome.expected,
    artifactBytes: bytesOf(manifest),
    drillId: plan.id,
    signal: world.signal,
  };
  await engine.withScratch(request, (scratch) => useScratch(drill, scratch));
}

async function useScratch(drill: Drill, scratch: Scratch): Promise<void> {
  const { plan, world, artifacts, outcome } = drill;
  const { server, version, notIsolated } = scratch;
  outcome.scratch = { server, version, notIsolated };
  outcome.findings.push(...describeServer(scratch));
  begin(drill, 'restoring');
  const startedAt = world.now().getTime();
  const restored = await scratch.restore(artifacts.open).catch(async (error: unknown) => {
    outcome.kept = await scratch.keep();
    throw error;
  });
  outcome.restoreMs = world.now().getTime() - startedAt;
  const size = formatBytes(bytesOf(plan.copies.chosen.manifest));
  outcome.findings.push(...restored, finding('restore-completed', 'pass', `${size} were restored without an error.`));
  begin(drill, 'comparing facts');
  outcome.findings.push(...(await compare(drill, scratch)));
  begin(drill, 'checking');
  for (const assertion of plan.assertions) await check(drill, scratch, assertion);
  if (plan.amcheck) outcome.findings.push(...(await scratch.amcheck()));
  if (plan.live !== undefined) await compareLive(drill, scratch, plan.live);
  begin(drill, 'reading back');
  outcome.findings.push(...(await judgeFetch(plan, artifacts)));
  if (plan.selfTest !== undefined && judgeProof(outcome.findings) === 'proven') {
    begin(drill, 'damaging the restored database');
    outcome.tampered = await tamperScratch(scratch, outcome, plan.selfTest, world);
  }
  const verdict = worst(outcome.findings);
  if (verdict === 'fail' || verdict === 'unknown') outcome.kept = await scratch.keep();
}

async function check({ outcome }: Drill, scratch: Scratch, assertion: Assertion): Promise<void> {
  const found = await scratch.assert(assertion.name, assertion.sql);
  outcome.findings.push(found);
  outcome.assertions.push({ ...assertion, status: found.status });
}

function describeServer({ server, version, notIsolated }: Scratch): Finding[] {
  const where = server === 'own' ? 'A scratch server of its own' : `The server at ${server}`;
  return [
    finding('scratch-server', 'pass', `${where}, PostgreSQL ${version}, was used.`),
    notIsolated.length === 0
      ? finding('scratch-isolation', 'pass', "No network, no other process, none of the runner's files were in reach.")
      : finding('scratch-isolation', 'warn', notIsolated.join(' '), { hint: isolationHint(server) }),
  ];
}

function isolationHint(server: string): string {
  if (server !== 'own')
    return 'Leave `scratch-url` empty for an own scratch server, or keep that server away from all others.';
  return 'Code of the dump runs in that server. Allow the user of this runner to make namespaces (`unshare`), or drill where no other server is in reach.';
}

async function compare({ plan, outcome }: Drill, scratch: Scratch): Promise<Finding[]> {
  const { expected } = outcome;
  if (expected === undefined) {
    return [
      finding('facts-missing', 'unknown', 'The backup was made without facts: there is nothing to compare with.', {
        hint: 'Back up with `facts: counts` (the default) or `facts: fingerprints`.',
      }),
    ];
  }
  const { manifest } = plan.copies.chosen;
  const found = await scratch.readFacts(expected.level);
  const sameMajor = Number.parseInt(scratch.version, 10) === manifest.server.major;
  const given = { sameMajor, scope: manifest.scope, foreignServer: scratch.server !== 'own' };
  const { findings, tables } = compareAndTabulate(expected, found, given);
  outcome.found = found;
  outcome.given = given;
  outcome.tables.push(...tables);
  const message = `The backup has facts (${expected.level}) of ${counted(expected.tables.length, 'table')}.`;
  const totals = judgeTotals(manifest, expected);
  return [finding('facts-missing', 'pass', message), totals, ...findings];
}

/** For information: a live database that cannot be asked says nothing of the backup. */
async function compareLive({ outcome, world }: Drill, scratch: Scratch, live: Connection): Promise<void> {
  try {
    const rows = await scratch.compareWith(live);
    const cell = (count: number | null) => (count === null ? 'absent' : count.toLocaleString('en-US'));
    outcome.tables.push({
      title: 'Rows live and restored',
      columns: [{ name: 'Table' }, { name: 'Live', numeric: true }, { name: 'Restored', numeric: true }],
      rows: rows.map((row) => [row.table, cell(row.live), cell(row.restored)]),
      folded: true,
    });
    outcome.findings.push(
      finding('live-compare', 'pass', `${counted(rows.length, 'table')}, counted live and restored.`),
    );
  } catch (error) {
    world.signal.throwIfAborted();
    const message = messageOf(error);
    outcome.findings.push(finding('live-compare', 'warn', `The live database could not be asked: ${message}`));
  }
}
