import { hostname } from 'node:os';
import { type ActionName, actions, isActionName } from './actions/index.ts';
import { announce, announceStart, tellingOf } from './announce.ts';
import { finding, type Report, report } from './core/report.ts';
import { readInputs, stepInputs } from './github/environment.ts';
import type { Environment, RawInputs } from './github/inputs.ts';
import { githubLog } from './github/log.ts';
import { redactDeep, redactor, secretsOf } from './github/masks.ts';
import { failStep, publish } from './github/publish.ts';
import { openToolkit, registerMasks, saveState } from './github/toolkit.ts';
import { originOf } from './origin.ts';
import { runAction } from './run.ts';
import { stopOnSignals } from './stop.ts';

/** How long a connection that nobody closed may keep a finished process. */
const LINGER_MS = 5_000;

/**
 * One step of a workflow, from inputs to exit status: run, publish, colour. Called by `dist/<name>.js`.
 *
 * @param given the action; the root's action.yml names it in its input `command`
 */
export async function main(given?: string): Promise<void> {
  const env = given === undefined ? withoutCommand(process.env) : process.env;
  const name = given ?? process.env.INPUT_COMMAND ?? '';
  const startedAt = new Date();
  const toolkit = await openToolkit();
  const schemas = Object.values(actions).map(({ inputs }) => inputs);
  const secrets = secretsOf(schemas, stepInputs(env), env);
  // Before anything is logged, also of a step that refuses its inputs.
  registerMasks(toolkit, secrets);
  const redact = redactor(secrets);
  const log = githubLog(toolkit, { debug: env.RUNNER_DEBUG === '1', redact });
  const stop = stopOnSignals(log);
  // Before anything that could have to be cleaned up: after SIGKILL this is all that `post` knows.
  saveState(toolkit, log, 'started', JSON.stringify(startedState()));

  const surroundings = { env, log, stopped: stop.signal };
  const telling = isActionName(name) ? tellingOf(name, stepInputs(env), surroundings) : undefined;
  if (telling !== undefined) await announceStart(telling);
  const { report: outcome, isOver } = isActionName(name)
    ? await runAction({ name, env, log, stop, redact, readInputs: () => readStep(name, env) })
    : { report: unknownCommand(name), isOver: true };
  // Without secrets from here on: it leaves this machine.
  const redacted = redactDeep(outcome, redact);
  const shown = telling === undefined ? redacted : await announce(redacted, telling, redact);
  const step = isActionName(name) ? name : 'lifeboat';
  await publish(shown, { name: step, origin: redactDeep(originOf(step, env, startedAt), redact), toolkit, log });
  // By the verdict itself: in what is shown, a password that reads "pass" would be hidden.
  if (outcome.verdict !== 'pass' && outcome.verdict !== 'warn') failStep(shown, toolkit);
  // Red until here, by `dist/<name>.js`.
  else process.exitCode = 0;
  // Without it, `post` removes what work that was given up has left.
  if (isOver) saveState(toolkit, log, 'finished', 'true');
  // What was given up may hang on, and there is no time to wait for it.
  if (stop.signal.aborted) process.exit();
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

/** The root's `command` is ours, and an input of no action. */
function withoutCommand(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name !== 'INPUT_COMMAND'));
}

/** What `post` compares leftovers with. */
export interface StartedState {
  readonly host: string;
  readonly pid: number;
  readonly at: string;
}

function startedState(): StartedState {
  return { host: hostname(), pid: process.pid, at: new Date().toISOString() };
}

function readStep(name: ActionName, env: Environment): RawInputs {
  const all = Object.values(actions).map(({ inputs }) => inputs);
  return readInputs(env, actions[name].inputs, all);
}

function unknownCommand(name: string): Report {
  const known = Object.keys(actions).join(', ');
  const message = name === '' ? '`command` is missing.' : `\`command\` cannot be "${name}".`;
  return report('lifeboat could not do its work', [
    finding('run-failed', 'unknown', message, { hint: `Use one of ${known}.` }),
  ]);
}
