import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { kill, type Process, processesOf } from './processes.ts';

const root = resolve(import.meta.dirname, '../..');
const ownNode = join(root, 'node_modules/.bin/node');
const node = existsSync(ownNode) ? ownNode : process.execPath;
/** What users run; LIFEBOAT_TEST_CLI names that of another build, e.g. one that was broken on purpose. */
const cli = process.env.LIFEBOAT_TEST_CLI ?? join(root, 'dist/cli.js');
/** Nothing here takes so long: what does, hangs. */
const DEADLINE_MS = 90_000;

const Report = z.object({
  verdict: z.enum(['pass', 'warn', 'fail', 'unknown']),
  findings: z.array(
    z.object({
      rule: z.string(),
      status: z.string(),
      message: z.string(),
      hint: z.string().optional(),
      numbers: z.record(z.string(), z.number()).optional(),
    }),
  ),
  outputs: z.record(z.string(), z.string()),
});
export type Report = z.output<typeof Report>;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly seconds: number;
  readonly hung: boolean;
  /** Undefined when it printed none: it was killed. */
  readonly report: Report | undefined;
  readonly log: string;
}

export interface Run {
  readonly pid: number;
  readonly trackingId: string;
  readonly ended: Promise<Ended>;
  isRunning(): boolean;
  /** Its processes now, itself included. */
  processes(): Process[];
}

export interface Call {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** A module that node loads first. */
  readonly preload?: string | undefined;
}

/** Starts the command line, in a process tree that can be told from all others. */
export function startProgram({ words, env, preload }: Call): Run {
  const trackingId = `faults_${randomUUID()}`;
  const { PATH = '', HOME = '' } = process.env;
  const before = preload === undefined ? [] : ['--import', preload];
  const startedAt = Date.now();
  const child = spawn(node, [...before, cli, ...words, '--json'], {
    env: { PATH, HOME, ...env, RUNNER_TRACKING_ID: trackingId },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid ?? -1;
  let hung = false;
  const timer = setTimeout(() => {
    hung = true;
    for (const each of processesOf(trackingId)) kill(each.pid);
  }, DEADLINE_MS);
  const said = Promise.all([text(child.stdout), text(child.stderr)]);
  const exit = new Promise<[number | null, NodeJS.Signals | null]>((ended, failed) => {
    child.once('exit', (code, signal) => ended([code, signal])).once('error', failed);
  });
  const ended = exit.then(async ([code, signal]) => {
    clearTimeout(timer);
    const seconds = (Date.now() - startedAt) / 1000;
    const [stdout, log] = await said;
    return { code, signal, seconds, hung, report: parseReport(stdout), log };
  });
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  return { pid, trackingId, ended, isRunning, processes: () => processesOf(trackingId) };
}

function parseReport(stdout: string): Report | undefined {
  return stdout.trim() === '' ? undefined : Report.parse(JSON.parse(stdout));
}
