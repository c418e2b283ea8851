import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestPostgres } from '../servers/postgresql.ts';

const DIST = join(import.meta.dirname, '../../dist');

/** One way to do a piece of work. Exactly one of `shell`, `lifeboat` and `node` says how. */
export interface Contender {
  readonly name: string;
  readonly shell?: string;
  /** Arguments for the command line of Lifeboat. */
  readonly lifeboat?: readonly string[];
  /** Arguments for node. */
  readonly node?: readonly string[];
  /** A shell line that is run before each round, and not timed. */
  readonly prepare?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The exit status that means it did its work; 0 when absent. */
  readonly exits?: number;
}

export interface Measured {
  readonly seconds: readonly number[];
  /** Of the process itself and none of its children, in MB; the highest of all rounds. */
  readonly peakMb: number;
  /** What the last round wrote to stdout. */
  readonly stdout: string;
}

/** Runs the contenders in alternation, so that what else the machine does hits all of them alike. */
export async function measure(
  contenders: readonly Contender[],
  rounds: number,
  env: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, Measured>> {
  const measured = new Map<string, Measured>();
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      if (contender.prepare !== undefined)
        execFileSync('bash', ['--norc', '-euc', contender.prepare], { env: envOf(env) });
      const { seconds, peakMb, stdout } = await time(contender, env);
      const known = measured.get(contender.name) ?? { seconds: [], peakMb: 0, stdout: '' };
      const peak = Math.max(known.peakMb, peakMb);
      measured.set(contender.name, { seconds: [...known.seconds, seconds], peakMb: peak, stdout });
    }
  }
  return measured;
}

export function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
}

/** `file`, a plain dump that went through gzip, into a new database of the bench's own server: what a drill replaces. */
export function gunzipIntoPsql(name: string, { clientDir, url, urlOf }: TestPostgres, file: string): Contender {
  const psql = `${clientDir}/psql -qX`;
  return {
    name,
    prepare: `${psql} -d '${url}' -c 'DROP DATABASE IF EXISTS r' -c 'CREATE DATABASE r'`,
    shell: `gunzip -c ${file} | ${psql} -d '${urlOf('r')}' >/dev/null`,
  };
}

/** Writes `file`, a plain dump of a database through gzip. */
export function dumpThroughGzip({ clientDir, urlOf }: TestPostgres, database: string, file: string): void {
  const line = `${clientDir}/pg_dump -d '${urlOf(database)}' | gzip > ${file}`;
  execFileSync('bash', ['--norc', '-euo', 'pipefail', '-c', line], { env: envOf({}) });
}

/** The median of one contender's times, in seconds. */
export function medianOf(measured: ReadonlyMap<string, Measured>, name: string): number {
  return median(measured.get(name)?.seconds ?? []);
}

export function printTimes(title: string, measured: ReadonlyMap<string, Measured>): void {
  console.log(`\n| ${title} | Median (s) | Each round (s) | Peak of the process (MB) |\n|---|---:|---|---:|`);
  for (const [name, { seconds, peakMb }] of measured) {
    const each = seconds.map((one) => one.toFixed(2)).join(', ');
    console.log(`| ${cell(name)} | ${median(seconds).toFixed(2)} | ${each} | ${peakMb} |`);
  }
}

export function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

export function isInstalled(program: string): boolean {
  try {
    execFileSync('bash', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function time(contender: Contender, env: Readonly<Record<string, string>>): Promise<OneTime> {
  const [program, args] = commandOf(contender);
  const startedAt = performance.now();
  const child = spawn(program, args, {
    env: { ...envOf(env), ...contender.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] = (said[name] + text).slice(-200_000);
    });
  }
  let peakMb = 0;
  const look = setInterval(() => {
    peakMb = Math.max(peakMb, peakOf(child.pid));
  }, 50);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(look);
  if (code !== (contender.exits ?? 0)) {
    throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${said.stdout}${said.stderr}`);
  }
  return { seconds: (performance.now() - startedAt) / 1000, peakMb, stdout: said.stdout };
}

interface OneTime {
  readonly seconds: number;
  readonly peakMb: number;
  readonly stdout: string;
}

function commandOf({ shell, lifeboat, node }: Contender): [string, readonly string[]] {
  if (shell !== undefined) return ['bash', ['--norc', '-euo', 'pipefail', '-c', shell]];
  return [process.execPath, lifeboat === undefined ? (node ?? []) : [join(DIST, 'cli.js'), ...lifeboat]];
}

/** Nothing of the caller's that a program could take for its own. */
function envOf(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: process.env.HOME, ...env };
}

/** Highest resident memory so far, in MB, by the kernel's count. */
function peakOf(pid: number | undefined): number {
  try {
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Math.round(Number(peak ?? 0) / 1024); // a process that has ended and was not waited for has none
  } catch {
    return 0; // ended between two looks
  }
}
