import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

/** What a person or a machine does to a step while it runs. */
export type Interruption =
  /** Somebody presses "Cancel": SIGINT, 7.5 s later SIGTERM, 2.5 s later the whole tree is killed. */
  | 'cancel'
  /** The process alone dies, as when memory runs out. */
  | 'kill';

export interface ProcessOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
  /** Resolves with what happens to the process; never resolving leaves it alone. */
  readonly interruption: Promise<Interruption>;
  readonly timeoutMs: number;
}

export interface Ended {
  readonly code: number;
  readonly interrupted: Interruption | 'timeout' | undefined;
}

const SIGTERM_AFTER_MS = 7_500;
const KILL_AFTER_MS = 2_500;

/** Runs a step's process as the runner does: no stdin, lines of both pipes, signals to its pid only. */
export async function runProcess(options: ProcessOptions): Promise<Ended> {
  const { program, args, cwd, env, onLine } = options;
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  // Not 'close': a child of the step that keeps the pipes open does not keep the runner waiting for ever.
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const read = [readLines(child.stdout, onLine), readLines(child.stderr, onLine)];
  let interrupted: Ended['interrupted'];
  const timer = setTimeout(() => {
    interrupted = 'timeout';
    killTree(child.pid);
  }, options.timeoutMs);
  const interrupt = options.interruption.then(async (what) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    interrupted = what;
    await (what === 'kill' ? child.kill('SIGKILL') : cancel(child, exited));
  });
  const [code, signal] = await exited;
  clearTimeout(timer);
  if (interrupted !== undefined) await interrupt;
  await Promise.race([Promise.all(read), delay(2_000)]);
  return { code: code ?? (signal === null ? 1 : 128), interrupted };
}

async function cancel(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill('SIGINT');
  if (await endsWithin(exited, SIGTERM_AFTER_MS)) return;
  child.kill('SIGTERM');
  if (await endsWithin(exited, KILL_AFTER_MS)) return;
  killTree(child.pid);
}

async function endsWithin(exited: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const late = delay(ms, false, { signal: timer.signal }).catch(() => false);
  const first = await Promise.race([exited.then(() => true), late]);
  timer.abort();
  return first;
}

/** .NET reads lines that end with \n, \r or \r\n. */
async function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  let rest = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream as AsyncIterable<string>) {
    const lines = (rest + chunk).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  }
  for (const line of rest === '' ? [] : rest.split('\r')) onLine(line);
}

function killTree(pid: number | undefined): void {
  if (pid === undefined) return;
  const children = childrenOf(pid);
  signalQuietly(pid);
  for (const child of children) killTree(child);
}

function childrenOf(pid: number): number[] {
  return processes().filter((each) => parentOf(each) === pid);
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)/m.exec(readQuietly(`/proc/${pid}/status`))?.[1] ?? 0);
}

/** Processes that bear this tracking id and are not the step's own: what the runner calls orphans. */
export function findOrphans(trackingId: string): number[] {
  const mark = `RUNNER_TRACKING_ID=${trackingId}`;
  return processes().filter((pid) => readQuietly(`/proc/${pid}/environ`).split('\0').includes(mark));
}

/** Children of a killed process end when they next use a pipe to it, on a busy machine not at once. */
export async function orphansAfter(interrupted: Ended['interrupted'], trackingId: string): Promise<number[]> {
  const deadline = Date.now() + (interrupted === 'kill' ? 10_000 : 0);
  for (;;) {
    const orphans = findOrphans(trackingId);
    if (orphans.length === 0 || Date.now() >= deadline) return orphans;
    await delay(50);
  }
}

/** At the end of a job the runner kills them, each by its id. */
export function killOrphans(trackingId: string): void {
  for (const pid of findOrphans(trackingId)) signalQuietly(pid);
}

function processes(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // It ended in between, or is another user's.
  }
}

function signalQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended in between.
  }
}
