import { compareRows } from './compare-loaded.ts';
import type { DrillArtifacts } from './drill-artifacts.ts';
import type { ChosenCopies } from './drill-copies.ts';
import { bytesOf } from './drill-fetch.ts';
import { reportDrillProgress } from './drill-progress.ts';
import { type DrillStep, stepClock } from './drill-steps.ts';
import type { Facts } from './facts.ts';
import type { Loaded, LoadRequest, Store, World } from './ports.ts';
import { type Finding, finding, type Report } from './report.ts';
import { explainRestoreError } from './restore-errors.ts';
import { putRestoreRecord } from './restore-record.ts';
import type { RestoreKnown } from './restore-request.ts';
import { planTables, type TablesAsked, type TablesPlan } from './restore-tables-plan.ts';
import { describeTables, describeTablesPlan, makeTablesRecord, sqlLines } from './restore-tables-report.ts';

/** What a restore of tables works with. */
export interface TablesJob {
  readonly asked: TablesAsked;
  readonly known: RestoreKnown;
  readonly copies: ChosenCopies;
  readonly artifacts: DrillArtifacts;
  /** Facts of the snapshot; undefined when it was made without. */
  readonly expected: Facts | undefined;
  /** Every store that could be opened. */
  readonly stores: readonly Store[];
  readonly target: LoadRequest['target'];
  readonly scratch: Pick<LoadRequest['scratch'], 'scratchDir' | 'jobs' | 'stallMs'>;
}

export interface TablesOutcome {
  readonly startedAt: Date;
  readonly findings: Finding[];
  /** Undefined when nothing was written. */
  loaded: Loaded | undefined;
  steps: readonly DrillStep[];
  restoreMs: number | null;
}

/** A job, and what was decided. */
export interface PlannedTables extends TablesJob {
  readonly plan: TablesPlan;
}

/**
 * Plans a restore of tables, shows the plan, and carries it out unless a guard refuses or it is a dry run.
 *
 * @param beforehand what was found before
 */
export async function restoreTables(job: TablesJob, beforehand: readonly Finding[], world: World): Promise<Report> {
  const { asked, known, expected, stores } = job;
  const plan = planTables(asked, known, expected);
  const planned = { ...job, plan };
  const isRefused = plan.isRefused || beforehand.some(({ status }) => status === 'fail');
  // The report shows the plan then.
  if (asked.dryRun || isRefused) return describeTablesPlan(planned, [...beforehand, ...plan.findings]);
  await world.log.group(`The plan of restore ${asked.id}`, async () => {
    for (const [at, step] of plan.steps.entries()) world.log.info(`${at + 1}. ${step}`);
  });
  const outcome = await carryOutTables(planned, world);
  outcome.findings.unshift(...beforehand);
  const recorded = await putRestoreRecord(makeTablesRecord(planned, outcome, world), stores);
  if (outcome.loaded !== undefined) await logSql(outcome.loaded, world);
  return describeTables(planned, outcome, [...outcome.findings, ...recorded]);
}

/** In the log too: from there it is copied in one piece. */
async function logSql({ sql }: Loaded, { log }: World): Promise<void> {
  if (sql.length === 0) return;
  for (const [title, which] of [
    ['SQL that shows the differences', 'differences'],
    ['SQL that merges', 'merge'],
  ] as const) {
    await log.group(title, async () => {
      for (const line of sqlLines(sql, which)) log.info(line);
    });
  }
}

/** What goes wrong becomes a finding: then nothing was written. */
async function carryOutTables(job: PlannedTables, world: World): Promise<TablesOutcome> {
  const { plan, copies, artifacts, known } = job;
  const engine = await world.openEngine(known.manifest.engine);
  const outcome: TablesOutcome = {
    ...{ startedAt: world.now(), findings: [...plan.findings] },
    ...{ loaded: undefined, steps: [], restoreMs: null },
  };
  const clock = stepClock(world);
  const progress = { doing: '', totalBytes: bytesOf(known.manifest), bytes: () => artifacts.bytes };
  const stop = new AbortController();
  const ticking = reportDrillProgress(progress, world, stop.signal);
  const onStep = (step: string) => {
    clock.begin(step);
    progress.doing = step === 'restoring into scratch' ? 'restoring' : step;
    world.log.info(`${step[0]?.toUpperCase()}${step.slice(1)}.`);
  };
  try {
    const loaded = await engine.loadTables(requestOf(job, onStep, world));
    outcome.loaded = loaded;
    outcome.restoreMs = world.now().getTime() - outcome.startedAt.getTime();
    outcome.findings.push(...judgeLoaded(job, loaded));
  } catch (error) {
    const stopped: unknown = world.signal.aborted ? world.signal.reason : undefined;
    const copy = { store: copies.store, manifest: known.manifest, artifacts };
    outcome.findings.push(...(await explainRestoreError(error, 'restore', copy, stopped)));
  } finally {
    clock.end();
    outcome.steps = clock.steps;
    stop.abort();
    await ticking;
  }
  return outcome;
}

function requestOf(job: TablesJob, onStep: LoadRequest['onStep'], world: World): LoadRequest {
  const { asked, known, expected, artifacts, target, scratch } = job;
  const { binDir } = target;
  return {
    target,
    manifest: known.manifest,
    facts: expected,
    tables: asked.tables,
    intoSchema: asked.intoSchema,
    ...(asked.role !== undefined && { role: asked.role }),
    restoreId: asked.id,
    scratch: {
      ...scratch,
      connection: binDir === undefined ? {} : { binDir },
      settings: [],
      artifactBytes: bytesOf(known.manifest),
      keepOnFailure: false,
    },
    open: artifacts.open,
    onStep,
    signal: world.signal,
  };
}

function judgeLoaded({ expected }: TablesJob, loaded: Loaded): Finding[] {
  const { leftOut, warnings, scratch } = loaded;
  return [
    ...(scratch.notIsolated.length === 0
      ? [
          finding(
            'scratch-isolation',
            'pass',
            'The code of the backup ran in a scratch server without network, out of sight of other files.',
          ),
        ]
      : [finding('scratch-isolation', 'warn', scratch.notIsolated.join(' '))]),
    ...(expected === undefined
      ? [
          finding(
            'facts-missing',
            'warn',
            'The backup was made without facts: what arrived was compared with what the scratch server held.',
          ),
        ]
      : []),
    ...compareRows(loaded.tables),
    ...(leftOut.length === 0 ? [] : [finding('left-out', 'pass', `Left out: ${leftOut.join('; ')}.`)]),
    ...warnings.map((warning) => finding('left-out', 'warn', warning)),
  ];
}
