import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { programsWith } from './own-programs.ts';
import { runAction } from './runner.ts';

let server: TestPostgres;

beforeAll(async () => {
  server = await startPostgres();
  await server.psql('CREATE DATABASE shop');
  // Large enough that a dump of it is still running when its first file is seen.
  const rows = 'SELECT g AS id, md5(g::text) || md5((g + 1)::text) AS text FROM generate_series(1, 1500000) g';
  await server.psql(`CREATE TABLE orders AS ${rows}`, 'shop');
});

afterAll(async () => {
  await server?.stop();
});

function newStore(): string {
  const folder = mkdtempSync('/var/tmp/lifeboat-killed-');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const filesOf = (folder: string) =>
  globSync(join(folder, '**/{*,.*}'), { withFileTypes: true }).filter((entry) => entry.isFile());

/** Resolves when the dump itself is being written. */
async function dumping(folder: string): Promise<void> {
  while (filesOf(folder).length < 2) await delay(5);
}

async function backends(): Promise<string> {
  return (await server.psql("SELECT count(*) FROM pg_stat_activity WHERE datname = 'shop'")).trim();
}

it('leaves nothing of a backup whose process was killed, once `post` has run', async () => {
  const folder = newStore();
  const result = await runAction({
    action: 'backup',
    with: { source: 'shop', store: `file://${folder}`, 'database-url': server.urlOf('shop') },
    interruption: dumping(folder).then(() => 'kill' as const),
  });
  expect(result).toMatchObject({ exitCode: 128, interrupted: 'kill', outputs: {}, orphans: [] });
  expect(result.post).toMatchObject({ exitCode: 0, annotations: [] });
  expect(result.post?.log).toMatch(/Removed the unfinished backup shop\/\S+ from file:/);
  expect(filesOf(folder)).toEqual([]);
  await vi.waitFor(async () => expect(await backends()).toBe('0'), 20_000);
});

it('takes along a program that only waits, and would for long', async () => {
  const started = join(newStore(), 'started');
  const waiting = async () => {
    while (!existsSync(started)) await delay(5);
    return 'kill' as const;
  };
  const bin = programsWith('pg_dump', `touch ${started}; exec sleep 600`);
  const result = await runAction({
    action: 'backup',
    with: { source: 'shop', store: `file://${newStore()}`, 'database-url': server.urlOf('shop'), 'bin-dir': bin },
    interruption: waiting(),
  });
  expect(result).toMatchObject({ exitCode: 128, interrupted: 'kill', orphans: [] });
});

it('cleans up by itself when it is cancelled, within the time the runner gives', async () => {
  const folder = newStore();
  const result = await runAction({
    action: 'backup',
    with: { source: 'shop', store: `file://${folder}`, 'database-url': server.urlOf('shop') },
    interruption: dumping(folder).then(() => 'cancel' as const),
  });
  expect(result).toMatchObject({ exitCode: 1, interrupted: 'cancel', outputs: { verdict: 'unknown' }, orphans: [] });
  expect(result.summary).toContain('The step was cancelled (SIGINT).');
  expect(result.state.finished).toBe('true');
  expect(filesOf(folder)).toEqual([]);
  await vi.waitFor(async () => expect(await backends()).toBe('0'), 20_000);
});

it('does not stand in the way of the next backup', async () => {
  const folder = newStore();
  const given = { source: 'shop', store: `file://${folder}`, 'database-url': server.urlOf('shop') };
  await runAction({ action: 'backup', with: given, interruption: dumping(folder).then(() => 'kill' as const) });
  const next = await runAction({ action: 'backup', with: given });
  expect(next).toMatchObject({ exitCode: 0, outputs: { verdict: 'pass' } });
});
