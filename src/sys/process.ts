import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { PassThrough, Readable, type Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline as copy } from 'node:stream/promises';
import { Failure } from '../core/failure.ts';
import type { Environment } from './environment.ts';
import { tracedStart } from './trace.ts';

/** One program to run. `args` never hold secrets: anybody on the machine can read them. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Environment;
  readonly cwd?: string;
}

/** How a program ended, and the end of what it said on stderr. */
export interface Exit {
  readonly program: string;
  /** As it was called, with the folder when there was one. */
  readonly path: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  /** Set when it could not be started. */
  readonly error?: NodeJS.ErrnoException;
}

/** Stderr kept for the error message, in characters. */
export const STDERR_TAIL = 8_000;
/** Between asking a program to end and ending it. */
const GRACE_MS = 5_000;
const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

const running = new Set<ChildProcess>();

/** A step that gives up waiting exits with programs under way; where there is no setpriv, nothing else would end them. */
function killRunning(): void {
  for (const child of running) child.kill('SIGKILL');
}

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number | undefined;
  /** Never rejects; resolves after the program ended and its pipes are closed. */
  readonly exit: Promise<Exit>;
  /** SIGTERM, then SIGKILL when it does not end. Resolves when it has ended. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/** The command such that the kernel, on Linux, kills it when this process dies. */
export function bound({ program, args }: Command): [string, string[]] {
  return SETPRIV === undefined ? [program, [...args]] : [SETPRIV, ['--pdeathsig', 'KILL', '--', program, ...args]];
}

/**
 * Starts a program that ends when we do, so that even SIGKILL leaves no dump holding its snapshot.
 *
 * @param parentDeath false for programs that set their own (a scratch server's launcher)
 */
export function start(command: Command, stdio: StdioOptions, parentDeath = true): Running {
  const [program, args] = parentDeath ? bound(command) : [command.program, [...command.args]];
  const ended = tracedStart(command);
  const child = spawn(program, args, { env: command.env, cwd: command.cwd, stdio });
  running.add(child);
  if (!process.listeners('exit').includes(killRunning)) process.once('exit', killRunning);
  const exit = exitOf(child, command.program);
  void exit.then((how) => {
    running.delete(child);
    ended(howEnded(how));
  });
  return { child, pid: child.pid, exit, end: (signal = 'SIGTERM') => endChild(child, exit, signal) };
}

function exitOf(child: ChildProcess, path: string): Promise<Exit> {
  const program = path.split('/').at(-1) ?? path;
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-STDERR_TAIL);
  });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ program, path, code: null, signal: null, stderr, error }));
    child.once('close', (code, signal) => resolve({ program, path, code, signal, stderr }));
  });
}

/** In the past tense, after the name of the program. */
export function howEnded({ error, code, signal }: Pick<Exit, 'error' | 'code' | 'signal'>): string {
  if (error !== undefined) return `could not be started (${error.code ?? error.message})`;
  return code === null ? `was killed by ${signal ?? 'a signal'}` : `exited with ${code}`;
}

async function endChild(child: ChildProcess, exit: Promise<Exit>, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  await exit;
  clearTimeout(timer);
}

/** Says how a program failed; undefined when it exited with 0. */
export function failureOf(exit: Exit): Failure | undefined {
  if (exit.error !== undefined) return notStarted(exit.path, exit.error);
  // setpriv, and a shell that is to run it, answer 127 when there is no such program, in words of their own.
  if (exit.code === 127 && /failed to execute|^sh: .*exec: .*: not found/m.test(exit.stderr))
    return notStarted(exit.path, undefined);
  if (exit.code === 0) return undefined;
  if (exit.code === null) return killed(exit);
  return new Failure('tool-failed', `${exit.program} exited with ${exit.code}: ${exit.stderr.trim() || 'no message'}`);
}

/** What it said before has nothing to do with its end. */
function killed({ program, signal }: Exit): Failure {
  return new Failure('tool-failed', `${program} was killed by ${signal ?? 'a signal'}.`, {
    hint: 'Somebody ended it, or the system did because memory ran out: look at `dmesg`, and give this machine more memory or fewer jobs at a time.',
  });
}

function notStarted(program: string, cause: unknown): Failure {
  return new Failure('tool-missing', `${program} could not be started: there is no such program here.`, {
    cause,
    hint: `Install ${program} on the runner, so that the PATH of this step finds it; if it comes from \`tools-prefix\`, correct that.`,
  });
}

/** Runs a program that says little, and gives its stdout. Rejects with `tool-failed` or `tool-missing`. */
export async function runText(
  command: Command,
  options: { input?: string; signal?: AbortSignal } = {},
): Promise<string> {
  const program = start(command, ['pipe', 'pipe', 'pipe']);
  const stop = endOnAbort(program, options.signal);
  program.child.stdin?.on('error', () => {}); // EPIPE: its exit says what happened
  program.child.stdin?.end(options.input ?? '');
  const output = program.child.stdout === null ? '' : await text(program.child.stdout);
  const exit = await program.exit;
  stop();
  options.signal?.throwIfAborted();
  const failure = failureOf(exit);
  if (failure !== undefined) throw failure;
  return output;
}

/** Ends the program when `signal` aborts; the result takes that back. */
export function endOnAbort(program: Running, signal: AbortSignal | undefined): () => void {
  const stop = () => void program.end();
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop, { once: true });
  return () => signal?.removeEventListener('abort', stop);
}

/** Programs joined by pipes of the operating system: no byte between them passes through this process. */
export interface Pipeline {
  readonly programs: readonly Running[];
  readonly stdin: Writable | null;
  readonly stdout: Readable;
  /** Resolves when all exited with 0; rejects with the failure that caused the others. */
  readonly done: Promise<void>;
  end(): Promise<void>;
}

/**
 * Starts programs, each one's stdout into the next one's stdin.
 *
 * @param input `'pipe'`: the caller writes to `stdin`; `'none'`: the first program gets no input
 */
export function startPipeline(commands: readonly Command[], input: 'pipe' | 'none', signal?: AbortSignal): Pipeline {
  const programs: Running[] = [];
  for (const command of commands) {
    const before = programs.at(-1)?.child.stdout;
    programs.push(start(command, [before ?? (input === 'pipe' ? 'pipe' : 'ignore'), 'pipe', 'pipe']));
    before?.destroy(); // the child has its own copy; ours would keep the pipe open for ever
  }
  const stdout = programs.at(-1)?.child.stdout ?? Readable.from([]);
  const stops = programs.map((program) => endOnAbort(program, signal));
  const done = Promise.all(programs.map((program) => program.exit)).then((exits) => {
    for (const stop of stops) stop();
    signal?.throwIfAborted();
    const failure = rootFailure(exits);
    if (failure !== undefined) throw failure;
  });
  done.catch(() => {}); // whoever awaits it sees it; an early death is no unhandled rejection
  return {
    programs,
    stdin: programs[0]?.child.stdin ?? null,
    stdout,
    done,
    end: async () => void (await Promise.all(programs.map((program) => program.end()))),
  };
}

/** The failure that is not merely the echo of a later one, whose death closed the pipe. */
function rootFailure(exits: readonly Exit[]): Failure | undefined {
  const failed = exits.filter((exit) => exit.code !== 0 || exit.error !== undefined);
  const cause = failed.find((exit, at) => !(isEcho(exit) && at < failed.length - 1));
  return cause === undefined ? undefined : failureOf(cause);
}

/** Node's pipes are sockets, so a program whose reader died may see a reset instead of SIGPIPE. */
function isEcho({ signal, code, stderr }: Exit): boolean {
  return signal === 'SIGPIPE' || code === 141 || /Broken pipe|Connection reset by peer/.test(stderr);
}

/**
 * Output of a pipeline as a stream that errors, and does not just end, when any program failed:
 * a dump tool that dies half way closes its pipe like one that is done. Destroying it ends the
 * programs at once, also while they are silent (an async generator would wait for their next byte).
 *
 * @param explain what the stream errors with, from the programs' failure
 */
export function outputOf(pipe: Pipeline, explain: (error: unknown) => unknown = (error) => error): Readable {
  const output = new PassThrough({ highWaterMark: 1 << 20 });
  output.once('close', () => void pipe.end());
  copy(pipe.stdout, output, { end: false })
    .then(() => pipe.done)
    .then(
      () => output.end(),
      (error: unknown) => output.destroy(asError(explain(error))),
    );
  return output;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/**
 * Writes `input` into a pipeline whose output does not matter, and waits for the end of both. When
 * a program fails first its failure wins over the broken pipe; when `input` errors, its error wins.
 */
export async function feed(pipe: Pipeline, input: Readable): Promise<void> {
  let broken: unknown;
  input.once('error', (error) => {
    broken = error;
  });
  pipe.stdout.resume();
  const written = pipe.stdin === null ? Promise.resolve() : copy(input, pipe.stdin);
  const [write, done] = await Promise.allSettled([
    written.catch(async (error: unknown) => {
      // An input that broke off must not look like one that ended: the programs would finish quietly.
      if (broken !== undefined && !isPipeError(broken)) await pipe.end();
      throw error;
    }),
    pipe.done,
  ]);
  if (write.status === 'rejected' && broken !== undefined && !isPipeError(broken)) throw broken;
  if (done.status === 'rejected') throw done.reason;
  if (write.status === 'rejected') throw write.reason;
}

function isPipeError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET';
}
