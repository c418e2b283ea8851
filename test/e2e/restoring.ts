import { spawn, spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { Manifest } from '../../src/core/manifest.ts';
import { sha256Of } from '../../src/core/manifest-reading.ts';
import { RestoreRecord } from '../../src/core/records.ts';
import type { Report } from '../../src/core/report.ts';
import type { TestPostgres } from '../servers/postgresql.ts';
import { node, root } from './runner.ts';

/** A folder that is gone after the test. */
export function newFolder(): string {
  const folder = mkdtempSync('/var/tmp/lifeboat-restore-');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A copy of a store, for what a test does to it. */
export function copyOf(store: string): string {
  const folder = join(newFolder(), 'store');
  cpSync(store, folder, { recursive: true });
  return folder;
}

export interface Ran {
  readonly code: number | null;
  readonly report: Report;
  readonly log: string;
}

/** Runs the command line from `dist`; `lines` sees each line of the log as it comes. */
export async function lifeboat(
  words: readonly string[],
  given: {
    env?: Readonly<Record<string, string>>;
    cwd?: string;
    lines?: (line: string, kill: () => void) => void;
  } = {},
): Promise<Ran> {
  const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', LANG: 'C.UTF-8', ...given.env };
  const child = spawn(node, [join(root, 'dist/cli.js'), ...words, '--json'], {
    env,
    cwd: given.cwd ?? '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => void child.kill('SIGKILL');
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    for (const line of chunk.split('\n')) given.lines?.(line, kill);
  });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, log, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  const isReport = stdout.startsWith('{');
  return { code, log, report: isReport ? (JSON.parse(stdout) as Report) : ({ findings: [], tables: [] } as never) };
}

/** The words of a restore from a terminal, with the URL of its target in a file. */
export function restoreWords(store: string, url: string, more: readonly string[] = []): string[] {
  const file = join(newFolder(), 'url');
  writeFileSync(file, url);
  return ['restore', '--source', 'shop', '--store', `file://${store}`, '--target-url-file', file, ...more];
}

export function findingOf({ findings }: Report, rule: string, status?: string) {
  return findings.find((one) => one.rule === rule && (status === undefined || one.status === status));
}

export function headlineOf({ headline }: Report): Record<string, string> {
  return Object.fromEntries(headline.map(({ name, value }) => [name, value]));
}

/** Commands that a report names, by what they are for. */
export function commandsOf({ tables }: Report): Record<string, string> {
  const rows = tables.find(({ title }) => title === 'What to do next')?.rows ?? [];
  return Object.fromEntries(rows.map(([to = '', command = '']) => [to, command]));
}

/** Types a command as a person would. */
export function type(command: string | undefined): string {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', command ?? 'exit 99'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`exit ${status}: ${command}\n${stderr}`);
  return stdout;
}

export function recordsIn(store: string, source = 'shop'): RestoreRecord[] {
  const paths = globSync(join(store, source, 'restores/*.json')).toSorted();
  return paths.map((path) => RestoreRecord.parse(JSON.parse(readFileSync(path, 'utf8'))));
}

/** Everything in a store, so that "nothing was changed" can be asked. */
export function contentOf(folder: string): string[] {
  return globSync(join(folder, '**'), { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

export async function databasesLike(server: TestPostgres, name: string): Promise<string[]> {
  const sql = `SELECT datname FROM pg_database WHERE datname LIKE '${name.replaceAll('_', '\\_')}%' ORDER BY datname COLLATE "C"`;
  return (await server.psql(sql)).split('\n').filter((one) => one !== '');
}

/** Rewrites the facts of a backup, and its manifest, so that only a comparison can tell. */
export function forgeFacts(store: string, id: string, change: (facts: { tables: { rows: number }[] }) => void): void {
  const manifestPath = join(store, 'shop', id, 'manifest.json');
  const manifest = Manifest.parse(JSON.parse(readFileSync(manifestPath, 'utf8')));
  const path = join(store, 'shop', id, 'facts.json.zst');
  const facts = JSON.parse(spawnSync('zstd', ['-dc', path], { encoding: 'utf8' }).stdout);
  change(facts);
  const bytes = spawnSync('zstd', ['-c'], { input: JSON.stringify(facts) }).stdout;
  writeFileSync(path, bytes);
  const rows = facts.tables.reduce((sum: number, one: { rows: number }) => sum + one.rows, 0);
  const artifacts = manifest.artifacts.map((one) =>
    one.role === 'facts' ? { ...one, bytes: bytes.length, sha256: sha256Of(bytes) } : one,
  );
  writeFileSync(manifestPath, JSON.stringify({ ...manifest, artifacts, totals: { ...manifest.totals, rows } }));
}

/** Writes the record of a drill that a backup failed. */
export function disprove(store: string, id: string): void {
  const folder = join(store, 'shop', id);
  const startedAt = new Date(Date.now() - 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z');
  const drill = `${startedAt.replaceAll(/[-:]/g, '')}-000000`;
  const record = {
    ...{ format: 1, id: drill, source: 'shop', backup: id, store: `file://${store}`, alsoRead: [] },
    manifestSha256: sha256Of(readFileSync(join(folder, 'manifest.json'))),
    ...{ startedAt, finishedAt: startedAt, restoreSeconds: 30, dataLossSeconds: null },
    ...{ verdict: 'fail', proof: 'disproven', findings: [] },
    scratch: { server: 'own', version: '15', notIsolated: [] },
    tool: { name: 'lifeboat', version: '1.0.0' },
  };
  const path = join(folder, 'drills', `${drill}.fail.disproven.json`);
  cpSync(join(folder, 'manifest.json'), path);
  writeFileSync(path, JSON.stringify(record));
}

/** An application that answers with these statuses, one after the other, the last for ever. */
export async function application(...statuses: number[]): Promise<{ url: string; asked: () => number }> {
  let asked = 0;
  const server = createServer((_, answer) => {
    answer.statusCode = statuses[Math.min(asked, statuses.length - 1)] ?? 200;
    asked += 1;
    answer.end('what is in here is not read');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/health?key=hidden-in-reports`, asked: () => asked };
}
