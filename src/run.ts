import { inspect } from 'node:util';
import { z } from 'zod';
import type { Action } from './actions/index.ts';
import { type CommandName, commands } from './commands/index.ts';
import { formatDuration } from './core/duration.ts';
import { Failure, messageOf } from './core/failure.ts';
import { isSourceName } from './core/keys.ts';
import type { Log } from './core/ports.ts';
import { finding, type Report, report } from './core/report.ts';
import { Retries } from './core/retries.ts';
import { common } from './github/inputs/every-action.ts';
import { type Environment, parseInputs, type RawInputs } from './github/inputs.ts';
import { keepHeapSmall } from './sys/small-heap.ts';
import { realWorld } from './world.ts';

/** What the title of a report calls the work, when it could not be done. */
const WORK: Record<CommandName, string> = {
  backup: 'Backup',
  'verify-freshness': 'Freshness check',
  'restore-drill': 'Restore drill',
  prune: 'Prune',
  restore: 'Restore',
  doctor: 'Doctor',
  status: 'Status',
  list: 'List',
  show: 'Showing a backup',
  pin: 'Pin',
  unpin: 'Unpinning',
  undelete: 'Undelete',
  copy: 'Copy',
  adopt: 'Adoption',
  init: 'Setup',
};

export interface Run {
  readonly name: CommandName;
  /** Reads the inputs; may refuse them. */
  readonly readInputs: () => RawInputs;
  readonly env: Environment;
  readonly log: Log;
  /** Aborted by signals and by the step's `timeout`. */
  readonly stop: AbortController;
  /** Takes the secrets of this run out of a text. */
  readonly redact: (text: string) => string;
}

/** Cleaning up may itself hang. The runner sends its second signal 7.5 s after the first, and a report must be out by then. */
const CLEANUP_MS = 6_000;
/** The longest a timer of node can wait; about 24 days. */
const MAX_TIMER_MS = 2_147_483_647;

const Limits = z.object({ timeout: common.timeout, 'stall-timeout': common['stall-timeout'] });

export interface Outcome {
  readonly report: Report;
  /** Whether the work came to its end, cleaning up included; false when it was given up and may hang on. */
  readonly isOver: boolean;
}

/** Runs one action to its report. Never rejects: what went wrong becomes a report too. */
export async function runAction(run: Run): Promise<Outcome> {
  keepHeapSmall();
  const work: Work = { retries: new Retries(), isOver: false };
  const report = await runToReport(run, work);
  return { report: { ...report, findings: [...report.findings, ...work.retries.findings()] }, isOver: work.isOver };
}

interface Work {
  readonly retries: Retries;
  isOver: boolean;
}

async function runToReport(run: Run, work: Work): Promise<Report> {
  const { signal } = run.stop;
  // A process with nothing to wait for but an unreferenced timer would end in the middle of its work.
  const alive = setInterval(() => {}, MAX_TIMER_MS);
  stopOnCrash(run.stop);
  let source: string | undefined;
  const readInputs = () => {
    const raw = run.readInputs();
    if (raw.source !== undefined && isSourceName(raw.source)) source = raw.source;
    return raw;
  };
  try {
    const outcome = await Promise.race([act({ ...run, readInputs }, work), overdue(signal)]);
    // Work that came to its end in spite of a signal is done; after a crash nothing can be trusted.
    return signal.aborted && !(signal.reason instanceof Failure) ? failureReport(run, signal.reason, source) : outcome;
  } catch (error) {
    return failureReport(run, error, source);
  } finally {
    clearInterval(alive);
  }
}

async function act(run: Run, work: Work): Promise<Report> {
  try {
    return await actWithin(run, work.retries);
  } finally {
    work.isOver = true;
  }
}

/** Within the `timeout` of the step. */
async function actWithin({ name, readInputs, env, log, stop, redact }: Run, retries: Retries): Promise<Report> {
  const action: Action = commands[name];
  const raw = readInputs();
  // All of them first: a wrong `timeout` alone would hide what else is wrong.
  parseInputs(action.inputs, raw);
  const { timeout, 'stall-timeout': stallMs } = parseInputs(Limits, only(raw, Object.keys(Limits.shape)));
  const giveUp = () => stop.abort(timedOut(timeout ?? 0));
  const timer = timeout === undefined ? undefined : setTimeout(giveUp, timeout);
  try {
    return await action.run(raw, retries.watch(realWorld({ env, log, signal: stop.signal, stallMs, redact })));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What nobody caught, an error of a stream or a promise that was let go, stops the step like a
 * signal, so that children and uploads are ended in order. It is a bug, and is shown as one.
 */
function stopOnCrash(stop: AbortController): void {
  const abort = (error: unknown) => {
    // While everything is being torn down, an error of something torn down is no news.
    if (!stop.signal.aborted) stop.abort(error);
  };
  process.on('uncaughtException', abort);
  process.on('unhandledRejection', abort);
}

/** Rejects when a step was stopped and does not come to an end. */
function overdue(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => setTimeout(() => reject(signal.reason), CLEANUP_MS).unref(), { once: true });
  });
}

function timedOut(timeoutMs: number): Failure {
  return new Failure('timed-out', `The step took longer than its \`timeout\` of ${formatDuration(timeoutMs)}.`, {
    hint: 'Find out in the log what took so long, or raise `timeout`.',
  });
}

/** A stop explains everything that fails after it, so its reason is the message. */
function failureReport({ name, log, stop }: Run, error: unknown, source: string | undefined): Report {
  const reason: unknown = stop.signal.aborted ? stop.signal.reason : error;
  const title = source === undefined ? `${name} could not do its work` : `${WORK[name]} of ${source} could not be done`;
  const sources = source === undefined ? [] : [source];
  if (reason instanceof Failure) {
    log.debug(inspect(error, { depth: 5 }));
    const { message, hint } = reason;
    return report(title, [finding('run-failed', 'unknown', message, hint === undefined ? {} : { hint })], { sources });
  }
  log.info(inspect(reason, { depth: 5 }));
  const message = `This is a bug in Lifeboat: ${messageOf(reason)}`;
  const hint = 'Report it with the stack that stands in the log of this step.';
  return report(title, [finding('run-failed', 'unknown', message, { hint })], { sources });
}

function only(raw: RawInputs, names: readonly string[]): RawInputs {
  return Object.fromEntries(Object.entries(raw).filter(([name]) => names.includes(name)));
}
