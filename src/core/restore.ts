import { inspect } from 'node:util';
import type { DrillArtifacts } from './drill-artifacts.ts';
import type { ChosenCopies } from './drill-copies.ts';
import { bytesOf } from './drill-fetch.ts';
import { reportDrillProgress } from './drill-progress.ts';
import { type DrillStep, stepClock } from './drill-steps.ts';
import type { Facts } from './facts.ts';
import { Failure } from './failure.ts';
import type { Store, Target, World } from './ports.ts';
import type { Finding, Report, Table } from './report.ts';
import { explainRestoreError } from './restore-errors.ts';
import type { RestorePlan, StepName } from './restore-plan.ts';
import type { RestoreAsked, RestoreKnown } from './restore-request.ts';
import type { Situation } from './restore-situation.ts';
import { restoreSteps } from './restore-steps.ts';

/** What one restore works with. */
export interface RestoreJob {
  readonly asked: RestoreAsked;
  readonly known: RestoreKnown;
  readonly plan: RestorePlan;
  readonly copies: ChosenCopies;
  readonly identity: string;
  readonly artifacts: DrillArtifacts;
  /** Facts of the snapshot; undefined when it was made without. */
  readonly expected: Facts | undefined;
  /** Every store that could be opened. */
  readonly stores: readonly Store[];
  readonly target: Target;
  /** Takes a pinned backup of the target under the name of another source. */
  readonly backUp: (source: string, reason: string) => Promise<Report>;
}

export interface RestoreOutcome {
  readonly startedAt: Date;
  readonly findings: Finding[];
  readonly tables: Table[];
  readonly situation: Situation;
  /** Rows of critical tables in the target before anything was changed; null for one that was not there. */
  readonly before: Map<string, number | null>;
  steps: readonly DrillStep[];
  /** Until what was restored could be used, commands and health included; null when it came to no such end. */
  restoreMs: number | null;
}

/** A restore under way. */
export interface Restoring {
  readonly job: RestoreJob;
  readonly world: World;
  readonly outcome: RestoreOutcome;
}

/**
 * Carries a plan out, step by step, and stops at the first that fails. What goes wrong becomes a finding, also a signal:
 * the one thing that must be told in the end is which databases exist under which names.
 */
export async function carryOut(job: RestoreJob, world: World): Promise<RestoreOutcome> {
  const outcome = beginning(job, world);
  const clock = stepClock(world);
  const progress = { doing: '', totalBytes: bytesOf(job.known.manifest), bytes: () => job.artifacts.bytes };
  const stop = new AbortController();
  const ticking = reportDrillProgress(progress, world, stop.signal);
  const { steps } = job.plan;
  for (const [at, { name }] of steps.entries()) {
    clock.begin(name);
    progress.doing = name === 'restore' ? 'restoring' : name;
    world.log.info(`Step ${at + 1} of ${steps.length}: ${name}.`);
    if (await carried(name, { job, world, outcome })) continue;
    outcome.situation.failedAt = name;
    break;
  }
  clock.end();
  stop.abort();
  await ticking;
  outcome.steps = clock.steps;
  return outcome;
}

function beginning({ known, plan }: RestoreJob, world: World): RestoreOutcome {
  const target = known.state.database === undefined ? 'absent' : 'as it was';
  return {
    startedAt: world.now(),
    findings: [...plan.findings],
    tables: [],
    situation: {
      target,
      restored: undefined,
      old: undefined,
      application: 'untouched',
      safety: undefined,
      failedAt: undefined,
    },
    before: new Map(),
    steps: [],
    restoreMs: null,
  };
}

/** @returns whether the next step may follow */
async function carried(name: StepName, restoring: Restoring): Promise<boolean> {
  const { job, world, outcome } = restoring;
  const { store, chosen } = job.copies;
  try {
    world.signal.throwIfAborted();
    const findings = await restoreSteps[name](restoring);
    outcome.findings.push(...findings);
    const isDone = findings.every(({ status }) => status !== 'fail');
    if (isDone && isUsable(name, job.plan)) outcome.restoreMs = world.now().getTime() - outcome.startedAt.getTime();
    else if (!isDone) await keepForALook(restoring);
    return isDone;
  } catch (error) {
    const stopped: unknown = world.signal.aborted ? world.signal.reason : undefined;
    if (stopped === undefined && !(error instanceof Failure)) world.log.info(inspect(error, { depth: 5 }));
    const copy = { store, manifest: chosen.manifest, artifacts: job.artifacts };
    outcome.findings.push(...(await explainRestoreError(error, name, copy, stopped)));
    await keepForALook(restoring);
    return false;
  }
}

/** Whether the service is back with this step: the last but dropping what was there before. */
function isUsable(name: StepName, { steps }: RestorePlan): boolean {
  return steps.filter((step) => step.name !== 'drop the old database').at(-1)?.name === name;
}

/** What took long to restore is not thrown away for a failure afterwards; a run that was stopped leaves nothing. */
async function keepForALook({ job, world, outcome: { situation } }: Restoring): Promise<void> {
  if (situation.restored === undefined || situation.target === 'restored') return;
  const { name, state } = situation.restored;
  const why = `restore ${job.asked.id} of ${job.known.backup.id}: ${state === 'differs' ? 'differs from its snapshot' : 'not swapped'}`;
  try {
    world.signal.throwIfAborted();
    await job.target.keep(name, why);
  } catch (error) {
    if (!world.signal.aborted) world.log.warning(`${name} could not be kept: ${inspect(error)}`);
    situation.restored = undefined;
  }
}
