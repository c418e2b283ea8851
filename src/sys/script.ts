import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { ScriptEnd } from '../core/application.ts';
import { Failure } from '../core/failure.ts';
import { childEnvironment } from './environment.ts';
import { bound, howEnded } from './process.ts';
import { tracedStart } from './trace.ts';

export interface ScriptOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly signal: AbortSignal;
}

/** Between asking commands to end and ending them; the runner gives ten seconds to all. */
const GRACE_MS = 3_000;
/** What went into the background may keep the pipes open for ever. */
const LAST_WORDS_MS = 500;

/** Node's pipes are sockets, which bash can read from and not open by a name. */
const READ_AND_RUN = 'lines=$(cat <&3); exec 3<&-; eval "$lines"';

/**
 * Runs a script as a workflow's `run:` does. It comes to bash by a pipe: anybody on the machine can read an argument.
 *
 * @throws {Failure} `tool-missing`; the signal's reason when it aborted, after the whole process group was ended
 */
export async function runScript(
  script: string,
  onLine: (line: string) => void,
  { env, cwd, signal }: ScriptOptions,
): Promise<ScriptEnd> {
  signal.throwIfAborted();
  const args = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', READ_AND_RUN];
  const command = { program: 'bash', args, env: childEnvironment(env, { libpq: false }) };
  const ended = tracedStart(command);
  // A group of its own, so that what the commands started can be ended with them.
  const child = spawn(...bound(command), {
    env: command.env,
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const killGroup = () => signalGroup(child, 'SIGKILL');
  process.once('exit', killGroup);
  const stop = () => void endGroup(child);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const end = await outcomeOf(child, script, onLine);
    ended(howEnded({ code: end.code, signal: end.signal as NodeJS.Signals | null }));
    signal.throwIfAborted();
    return end;
  } finally {
    signal.removeEventListener('abort', stop);
    process.removeListener('exit', killGroup);
  }
}

async function outcomeOf(child: ChildProcess, script: string, onLine: (line: string) => void): Promise<ScriptEnd> {
  const outputs = [child.stdout, child.stderr].filter((pipe) => pipe !== null);
  const read = Promise.all(outputs.map((pipe) => eachLine(pipe, onLine)));
  const input = child.stdio[3] as Writable | null;
  input?.on('error', () => {}); // EPIPE: its exit says what happened
  input?.end(`${script}\n`);
  const { promise, resolve, reject } = Promise.withResolvers<ScriptEnd>();
  child.once('error', (cause) => reject(notStarted(cause)));
  child.once('exit', (code, signal) => resolve({ code, signal }));
  const end = await promise;
  await Promise.race([read, delay(LAST_WORDS_MS, undefined, { ref: false })]);
  for (const pipe of outputs) pipe.destroy();
  return end;
}

async function eachLine(pipe: Readable, onLine: (line: string) => void): Promise<void> {
  const reader = createInterface({ input: pipe, crlfDelay: Number.POSITIVE_INFINITY });
  reader.on('line', onLine);
  await new Promise((resolve) => reader.once('close', resolve));
}

function notStarted(cause: unknown): Failure {
  return new Failure('tool-missing', 'The commands could not be run: bash could not be started.', {
    cause,
    hint: 'Install bash on the runner, so that the PATH of this step finds it.',
  });
}

async function endGroup(child: ChildProcess): Promise<void> {
  signalGroup(child, 'SIGTERM');
  await delay(GRACE_MS);
  signalGroup(child, 'SIGKILL');
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // All of it has ended.
  }
}
