import { spawn } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { node, root } from '../e2e/runner.ts';

const PEAK = join(import.meta.dirname, 'peak-memory.ts');

export interface Outcome {
  readonly code: number | null;
  /** The report as JSON, or what was printed instead. */
  readonly stdout: string;
  readonly stderr: string;
  readonly findings: readonly { rule: string; status: string; message: string }[];
  /** Most memory that the node process ever held, in MB. */
  readonly peakMegabytes: number;
}

/** What is run, copied to where another user can read it: a checkout below /root is not. */
export function copyProgram(folder: string): string {
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  cpSync(PEAK, join(folder, 'test/hostile/peak-memory.ts'));
  return folder;
}

/** Runs the command line from `dist`, with nothing of the tests' environment. */
export async function lifeboat(
  args: readonly string[],
  given: { env?: Readonly<Record<string, string>>; uid?: number | undefined; from?: string } = {},
): Promise<Outcome> {
  const { uid } = given;
  const asUser = uid === undefined ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--'];
  const folder = given.from ?? root;
  const words = [
    ...asUser,
    node,
    `--import=${join(folder, 'test/hostile/peak-memory.ts')}`,
    join(folder, 'dist/cli.js'),
    ...args,
  ];
  const [first = '', ...rest] = words;
  const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', LANG: 'C.UTF-8', ...given.env };
  const child = spawn(first, [...rest, '--json'], { env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const memory = child.stdio[3] as NodeJS.ReadableStream;
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr, kilobytes, code] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
    text(memory),
    exit,
  ]);
  return { code, stdout, stderr, findings: findingsIn(stdout), peakMegabytes: Number(kilobytes || Number.NaN) / 1024 };
}

function findingsIn(stdout: string): Outcome['findings'] {
  try {
    return (JSON.parse(stdout) as { findings: Outcome['findings'] }).findings;
  } catch {
    return [];
  }
}
