// `npm run guards`: takes one guard after the other out of a copy of the program, two copies side by side, and shows which
// test turns red without it. A guard that no test misses is a failure of the tests.
//
//   npm run guards -- ['part of what it says, or of the name of its test']
import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { mapInLanes } from '../../src/core/lanes.ts';
import type { Guard } from './guard.ts';
import { guards } from './guards.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** Folders whose action.yml the build writes. */
const ACTIONS = readdirSync(ROOT).filter((name) => existsSync(join(ROOT, name, 'action.yml')));
const [only = ''] = process.argv.slice(2);

const LANES = 2;

const base = mkdtempSync(join(tmpdir(), 'lifeboat-guards-'));
try {
  const chosen = guards.filter(({ what, test }) => what.includes(only) || test.includes(only));
  const free = Array.from({ length: Math.min(LANES, chosen.length) }, (_, lane) => layCopy(join(base, String(lane))));
  const tried = await mapInLanes(chosen, free.length, async (one) => {
    const copy = free.pop();
    if (copy === undefined) throw new Error('There are more lanes than copies.');
    return tryWithout(copy, one).finally(() => free.push(copy));
  });
  for (const line of tabulate(tried)) console.log(line);
  process.exitCode = tried.length > 0 && tried.every(({ isRed }) => isRed) ? 0 : 1;
} finally {
  rmSync(base, { recursive: true, force: true });
}

interface Tried extends Guard {
  readonly isRed: boolean;
  /** Tests that fail without it; the first of them, and how many there are. */
  readonly failed: readonly string[];
}

function layCopy(copy: string): string {
  mkdirSync(copy);
  for (const name of ['src', 'test', 'scripts', 'docs', 'dist', 'bin', 'workflows-examples', ...ACTIONS]) {
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  }
  for (const name of [
    'package.json',
    'tsconfig.json',
    'tsconfig.test.json',
    'vitest.config.ts',
    'README.md',
    'action.yml',
    'LICENSE',
    'package-lock.json',
    'biome.json',
  ]) {
    cpSync(join(ROOT, name), join(copy, name));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

async function tryWithout(copy: string, one: Guard): Promise<Tried> {
  const path = join(copy, one.file);
  const sound = readFileSync(path, 'utf8');
  if (sound.split(one.guard).length !== 2) throw new Error(`${one.file} does not hold this once: ${one.guard}`);
  writeFileSync(
    path,
    sound.replace(one.guard, () => one.without),
  );
  try {
    if (one.isBuilt === true) await build(copy);
    const failed = await failuresOf(copy, one.test);
    console.error(`${failed.length > 0 ? 'red ' : 'STILL GREEN'} without: ${one.what}`);
    return { ...one, isRed: failed.length > 0, failed };
  } finally {
    writeFileSync(path, sound);
    if (one.isBuilt === true) await build(copy);
  }
}

/** In the copy; what it writes nobody reads. */
async function build(copy: string): Promise<void> {
  const status = await run('bash', ['scripts/build.sh'], { cwd: copy, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error('The program cannot be built without its guard.');
}

/** Resolves with the exit status. */
async function run(program: string, args: readonly string[], options: SpawnOptions): Promise<number | null> {
  const [status] = (await once(spawn(program, args, options), 'exit')) as [number | null];
  return status;
}

/** Names of the tests of a file that fail. A run that breaks off names nobody, and is tried once more: servers may not start on a busy machine. */
async function failuresOf(copy: string, test: string): Promise<string[]> {
  return (await runTest(copy, test)) ?? (await runTest(copy, test)) ?? [];
}

/** Undefined when it broke off. A file that cannot even be read counts for nothing. */
async function runTest(copy: string, test: string): Promise<string[] | undefined> {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const args = [join(copy, 'node_modules/vitest/vitest.mjs'), 'run', test, '--reporter=json', `--outputFile=${report}`];
  const status = await run(process.execPath, args, {
    cwd: copy,
    stdio: 'ignore',
    env: { ...process.env, LIFEBOAT_TEST_REQUIRE_ALL: '1' },
  });
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { assertionResults: { fullName: string; status: string }[] }[];
  };
  const all = testResults.flatMap(({ assertionResults }) => assertionResults);
  if (all.length === 0) throw new Error(`${test} could not be run.`);
  const failed = all.filter((one) => one.status === 'failed').map(({ fullName }) => fullName);
  if (status === 0 || failed.length > 0) return failed;
  console.error(`${test} broke off.`);
  return undefined;
}

function tabulate(tried: readonly Tried[]): string[] {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = tried.map(({ what, test, failed, isRed }) => {
    const more = failed.length > 1 ? `, and ${failed.length - 1} more` : '';
    return `| ${cell(what)} | ${test} | ${isRed ? `${cell(failed[0] ?? '')}${more}` : '**none**'} |`;
  });
  return ['| Guard | Test | Red without it |', '| --- | --- | --- |', ...rows];
}
