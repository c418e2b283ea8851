import { z } from 'zod';
import type { ActionName } from './actions/index.ts';
import { Failure, messageOf } from './core/failure.ts';
import type { RunInfo } from './core/manifest.ts';
import { asSentence } from './core/plain-text.ts';
import type { Log } from './core/ports.ts';
import type { Report } from './core/report.ts';
import { fillFromEnvironment } from './github/environment.ts';
import { common, publishing } from './github/inputs/every-action.ts';
import { type Environment, parseInputs, type RawInputs, shared } from './github/inputs.ts';
import { reportInIssues } from './github/issues.ts';
import { type Subject, tellPeople } from './notifications.ts';
import { keepMetrics } from './notify/metrics-file.ts';
import { startPings } from './notify/notify.ts';
import { runInfo } from './world.ts';

const Publishing = z.object(publishing);
/** Inputs that say who is told, as they were parsed. */
export type Publishing = z.output<typeof Publishing>;

/** Inputs that say what is worked on, whether they are right or not. */
const Worked = z.object({ source: shared.sources, store: common.store });

/** What everybody who tells somebody knows beside the report. */
export interface Telling {
  readonly action: ActionName;
  readonly given: Publishing;
  readonly subject: Subject;
  readonly run: RunInfo;
  readonly env: Environment;
  readonly log: Log;
  readonly now: () => Date;
  /** The step itself: aborted when it was cancelled or ran out of time. */
  readonly stopped: AbortSignal;
}

/** The longest that one way of telling may take, in milliseconds. */
const TELL_MS = 30_000;

/**
 * What of a step's inputs says who is told, and what they need to know. Read on its own: a step whose
 * other inputs are refused every night is what people have to hear of.
 *
 * @param given as typed in the step or on the command line, without the environment
 * @returns undefined when these very inputs cannot be read; the run refuses them, too, and says why
 */
export function tellingOf(
  action: ActionName,
  given: RawInputs,
  { env, log, stopped }: Pick<Telling, 'env' | 'log' | 'stopped'>,
): Telling | undefined {
  const raw = fillFromEnvironment(given, env, Publishing);
  const { source = '', store = '' } = fillFromEnvironment(given, env, Worked);
  const own = Object.fromEntries(Object.entries(raw).filter(([name]) => Object.hasOwn(publishing, name)));
  try {
    const inputs = parseInputs(Publishing, own);
    const subject = { source, store };
    return { action, given: inputs, subject, run: runInfo(env), env, log, now: () => new Date(), stopped };
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** Tells a dead-man's switch that the work begins. Never rejects. */
export async function announceStart(telling: Telling): Promise<void> {
  await attempt('start ping', telling, (signal) => startPings(telling.given, telling, signal));
}

/**
 * Tells people and machines of a report: issues, notifications, metrics. Each on its own and within
 * half a minute. Never rejects and never changes the verdict.
 *
 * @param report without secrets: it leaves this machine
 * @param redact takes them out of what went wrong while telling
 * @returns the report with a notice of each that could not be told
 */
export async function announce(report: Report, telling: Telling, redact: (text: string) => string): Promise<Report> {
  // Somebody stopped it and knows; and the runner leaves no time for anything.
  if (isCancelled(telling.stopped)) return report;
  const notices: string[] = [];
  const tell = async <T>(what: string, use: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> => {
    const { value, notice } = await attempt(what, telling, use);
    if (notice !== undefined) notices.push(notice);
    return value;
  };
  const seen = await tell('issue', (signal) => reportInIssues(report, telling, signal));
  await Promise.all([
    tellPeople(report, seen, telling, tell),
    ...keepMetrics(report, telling).map(({ what, send }) => tell(what, send)),
  ]);
  return { ...report, notices: [...report.notices, ...notices.map(redact)] };
}

interface Attempted<T> {
  readonly value?: T;
  readonly notice?: string;
}

async function attempt<T>(
  what: string,
  { log, stopped }: Pick<Telling, 'log' | 'stopped'>,
  use: (signal: AbortSignal) => Promise<T>,
): Promise<Attempted<T>> {
  const limit = new AbortController();
  // Holds the process alive: what never settles must not end the step without a report.
  const timer = setTimeout(
    () => limit.abort(new Failure('timed-out', `There was no end after ${TELL_MS / 1000} s.`)),
    TELL_MS,
  );
  // Who cancels now must still get a report. After a `timeout` of the step there is time to tell.
  const signal = stopped.aborted ? limit.signal : AbortSignal.any([limit.signal, stopped]);
  try {
    return { value: await Promise.race([use(signal), whenGivenUp(signal)]) };
  } catch (error) {
    const message = messageOf(error);
    const hint = error instanceof Failure && error.hint !== undefined ? ` ${error.hint}` : '';
    const notice = `The ${what} failed: ${hint === '' ? message : asSentence(message)}${hint}`;
    log.warning(notice);
    return { notice };
  } finally {
    clearTimeout(timer);
  }
}

/** Who tells has a moment to say in its own words why it could not. */
const LAST_WORDS_MS = 1_000;

function whenGivenUp(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => setTimeout(() => reject(signal.reason), LAST_WORDS_MS), { once: true });
  });
}

function isCancelled({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof Failure && reason.code === 'cancelled';
}
