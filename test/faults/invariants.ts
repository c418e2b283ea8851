import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { actions } from '../../src/actions/index.ts';
import { Manifest } from '../../src/core/manifest.ts';
import type { Log } from '../../src/core/ports.ts';
import { DrillRecord } from '../../src/core/records.ts';
import { realWorld } from '../../src/world.ts';
import type { StoreFiles } from './bytes-in-store.ts';
import { processesIn, processesOf } from './processes.ts';
import type { Ended, Run } from './program.ts';
import { type Action, manifestsOf, type Site, SOURCE } from './site.ts';

const execute = promisify(execFile);

/** What dies with its parent, or learns from a closed socket, does so at once; the machine may be busy. */
const GONE_MS = 8_000;
const TWO_DAYS_MS = 48 * 3_600_000;

export interface Aftermath {
  readonly action: Action;
  readonly run: Run;
  readonly ended: Ended;
  /** The process itself was killed: what it left may lie there until the next run or prune. */
  readonly mayLeave: boolean;
  /** What it read was the same wrong bytes each time. */
  readonly mayDisprove?: boolean;
  /** What must be true of the data of every snapshot, as `assertions`; then each new backup is drilled. */
  readonly assertions?: string | undefined;
}

/**
 * Everything that holds after any fault, once the fault itself is over. Runs the next backup (and drill)
 * and the next prune as part of it.
 *
 * @returns what does not hold, a sentence each; empty when all is well
 */
export async function checkAfterFault(site: Site, after: Aftermath): Promise<string[]> {
  const { ended, mayLeave, mayDisprove = false } = after;
  const problems = [...judgeEnd(ended), ...(await findOrphans(site, after.run)), ...(await findBackends(site))];
  problems.push(...(await findFalseBackups(site.store)), ...(await findLostBackups(site, after.action)));
  if (!mayLeave) problems.push(...(await findLeftovers(site.store)), ...findScratch(site, 'after the run'));
  if (after.assertions !== undefined) problems.push(...(await drillNewBackups(site, after.assertions)));
  problems.push(...(await runNext(site, after.action)));
  if (!mayDisprove) problems.push(...(await findFalseVerdicts(site.store)));
  const pruned = await pruneLater(site);
  problems.push(...pruned, ...(await findLeftovers(site.store)), ...(await findLostBackups(site, after.action)));
  return [...new Set(problems)];
}

/** A run that was not killed says what happened and what to do, and comes to its end. */
export function judgeEnd({ hung, code, signal, report, log }: Ended): string[] {
  if (hung) return ['It hung.'];
  if (signal !== null) return [];
  if (report === undefined) return [`It ended with ${code} and without a report: ${log.slice(-300)}`];
  const bad = report.findings.filter(({ status }) => status === 'fail' || status === 'unknown');
  const silent = bad
    .filter(({ hint = '' }) => hint === '')
    .map(({ rule, message }) => `No hint with ${rule}: ${message}`);
  const bugs = bad.filter(({ message }) => /bug in Lifeboat/.test(message)).map(({ message }) => message);
  const isRed = code !== 0;
  const contradicts = isRed === bad.length > 0 ? [] : [`It ended with ${code}, and its verdict is ${report.verdict}.`];
  const stack = /^\s+at .+:\d+:\d+\)?$/m.test(log) ? ['There is a stack in its log.'] : [];
  return [...silent, ...bugs, ...contradicts, ...stack];
}

export async function findOrphans(
  site: Pick<Site, 'scratchDir'>,
  run: Pick<Run, 'trackingId'>,
  patienceMs = GONE_MS,
): Promise<string[]> {
  const left = () => [...processesOf(run.trackingId), ...processesIn(site.scratchDir)];
  await until(() => left().length === 0, patienceMs);
  return left().map(({ pid, name }) => `Orphan process: ${name} (${pid}).`);
}

export async function findBackends({ server }: Pick<Site, 'server'>, patienceMs = GONE_MS): Promise<string[]> {
  const query = `SELECT pid || ' ' || coalesce(state, '') || ' ' || left(query, 80) FROM pg_stat_activity
    WHERE application_name LIKE 'lifeboat%'`;
  const left = async () => (await server.psql(query)).split('\n').filter((line) => line !== '');
  await until(async () => (await left()).length === 0, patienceMs);
  return (await left()).map((line) => `Still connected to the source: ${line}`);
}

/** A manifest is a promise: every artifact is there, whole, and can be read to its end by PostgreSQL's own tools. */
export async function findFalseBackups(store: StoreFiles): Promise<string[]> {
  const problems: string[] = [];
  for (const [id, text] of await manifestsOf(store)) {
    const manifest = Manifest.safeParse(JSON.parse(text || 'null'));
    const wrong = manifest.success ? await brokenPromises(store, id, manifest.data) : ['its manifest cannot be read'];
    problems.push(...wrong.map((what) => `${id} is no backup: ${what}.`));
  }
  return problems;
}

async function brokenPromises(store: StoreFiles, id: string, { artifacts }: Manifest): Promise<string[]> {
  const roles = new Set(artifacts.map(({ role }) => role));
  const needed = [
    roles.has('pre-data') ? (['pre-data', 'data', 'post-data'] as const) : (['dump'] as const),
    'globals',
    'facts',
  ];
  const missing = (needed.flat() as Promised['role'][]).filter((role) => !roles.has(role));
  const wrong = missing.map((role) => `it has no ${role}`);
  for (const artifact of artifacts) {
    const what = await wrongWith(store, `${SOURCE}/${id}/${artifact.key}`, artifact);
    if (what !== undefined) wrong.push(`${artifact.key} ${what}`);
  }
  return wrong;
}

type Promised = Manifest['artifacts'][number];

async function wrongWith(store: StoreFiles, key: string, promised: Promised): Promise<string | undefined> {
  const bytes = await store.read(key).catch(() => undefined);
  if (bytes === undefined) return 'is missing';
  if (bytes.length !== promised.bytes) return `has ${bytes.length} bytes instead of ${promised.bytes}`;
  if (createHash('sha256').update(bytes).digest('hex') !== promised.sha256) return 'holds other bytes';
  return promised.format === 'pg_dump-custom' ? unreadable(bytes) : undefined;
}

async function unreadable(bytes: Buffer): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-readable-'));
  try {
    writeFileSync(join(folder, 'dump.zst'), bytes);
    await execute('bash', ['-c', 'set -eo pipefail; zstd -qdc dump.zst | pg_restore -f /dev/null'], { cwd: folder });
    return undefined;
  } catch (error) {
    return `cannot be read: ${error instanceof Error ? error.message.split('\n')[1] : error}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Prune was told to keep the last one: the others may go. */
export async function findLostBackups(
  { store, before }: Pick<Site, 'store' | 'before'>,
  action: Action = 'backup',
): Promise<string[]> {
  const now = await manifestsOf(store);
  const newest = [...before.keys()].toSorted().at(-1);
  return [...before].flatMap(([id, manifest]) => {
    if (!now.has(id)) return action === 'prune' && id !== newest ? [] : [`${id} was there before, and is lost.`];
    return now.get(id) === manifest ? [] : [`The manifest of ${id} was changed.`];
  });
}

/** Whatever belongs to no backup: folders without a manifest, marks, uploads that were never finished. */
export async function findLeftovers(store: StoreFiles): Promise<string[]> {
  const whole = await manifestsOf(store);
  const keys = (await store.keys()).filter((key) => {
    const [, id = '', name] = key.split('/');
    return !whole.has(id) || name === 'in-progress.json' || name === 'removing.json';
  });
  return [...keys, ...(await store.openUploads())].map((key) => `Left in the store: ${key}`);
}

export function findScratch({ scratchDir }: Pick<Site, 'scratchDir'>, when: string): string[] {
  const left = existsSync(scratchDir) ? readdirSync(scratchDir) : [];
  return left.map((name) => `Left in the scratch folder ${when}: ${name}`);
}

/** The same again, without the fault: takes the lock, finds the room, passes. */
async function runNext(site: Site, action: Action): Promise<string[]> {
  if (action === 'prune') return pruneAgain(site);
  if (action === 'verify-freshness') return mustSucceed(site, action, []);
  const problems = await mustSucceed(site, 'backup', ['--lock-timeout', '5s']);
  if (action === 'backup') return problems;
  problems.push(...(await mustSucceed(site, 'restore-drill', [])));
  return [...problems, ...findScratch(site, 'after the next drill')];
}

async function pruneAgain(site: Site): Promise<string[]> {
  const problems = await mustSucceed(site, 'prune', []);
  const left = (await manifestsOf(site.store)).size;
  return left === 1 ? problems : [...problems, `The next prune left ${left} backups instead of one.`];
}

async function mustSucceed(site: Site, action: Action, words: readonly string[]): Promise<string[]> {
  const { code, report, log } = await site.start(action, { words }).ended;
  if (code === 0) return [];
  const said = report?.findings.filter(({ status }) => status === 'fail' || status === 'unknown');
  return [`The next ${action} failed: ${said?.map(({ message }) => message).join(' ') ?? log.slice(-300)}`];
}

async function drillNewBackups(site: Site, assertions: string): Promise<string[]> {
  const problems: string[] = [];
  for (const id of (await manifestsOf(site.store)).keys()) {
    if (site.before.has(id)) continue;
    problems.push(...(await mustSucceed(site, 'restore-drill', ['--backup', id, '--assertions', assertions])));
  }
  return problems;
}

/** The stored bytes are right, as was checked above: nothing may say that they are not. */
export async function findFalseVerdicts(store: StoreFiles): Promise<string[]> {
  const problems: string[] = [];
  for (const key of (await store.keys()).filter((one) => one.includes('/drills/'))) {
    const record = DrillRecord.safeParse(JSON.parse((await store.read(key)).toString() || 'null'));
    if (!record.success) problems.push(`${key} cannot be read.`);
    else if (record.data.proof === 'disproven') {
      const why = record.data.findings.filter(({ status }) => status === 'fail').map(({ message }) => message);
      problems.push(`A good backup was disproven: ${why.join(' ')}`);
    }
  }
  return problems;
}

/** Two days later nothing is in progress any more. */
async function pruneLater({ store }: Site): Promise<string[]> {
  const log: Log = { info: () => {}, warning: () => {}, debug: () => {}, group: (_, use) => use() };
  const { signal } = new AbortController();
  const world = {
    ...realWorld({ env: process.env, log, signal, stallMs: 10_000, redact: (text) => text }),
    now: () => new Date(Date.now() + TWO_DAYS_MS),
  };
  const given = { source: SOURCE, store: store.url, 'keep-last': '100', 'require-proven': 'false' };
  const { verdict, findings } = await actions.prune.run(given, world);
  if (verdict === 'pass' || verdict === 'warn') return [];
  return findings
    .filter(({ status }) => status === 'fail' || status === 'unknown')
    .map(({ message }) => `Prune: ${message}`);
}

async function until(holds: () => boolean | Promise<boolean>, patienceMs: number): Promise<void> {
  for (const end = Date.now() + patienceMs; Date.now() < end; await delay(50)) if (await holds()) return;
}
