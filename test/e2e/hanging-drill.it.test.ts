import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { processesIn } from '../../src/sys/process-identity.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { filesIn, newFolder } from './failures-step.ts';
import { programsWith } from './own-programs.ts';
import { runAction } from './runner.ts';

let pg: TestPostgres;
let original: string;

beforeAll(async () => {
  pg = await startPostgres();
  await pg.psql('CREATE TABLE orders AS SELECT generate_series(1, 100) AS id', 'postgres');
  original = mkdtempSync(join(tmpdir(), 'lifeboat-hanging-'));
  const given = { source: 'shop', store: `file://${original}`, 'database-url': pg.urlOf('postgres') };
  expect((await runAction({ action: 'backup', with: given })).outputs.verdict).toBe('pass');
});

afterAll(async () => {
  await pg?.stop();
  if (original !== undefined) rmSync(original, { recursive: true, force: true });
});

/** A drill that is cancelled when its pg_amcheck, this script, says that it runs. */
async function cancelledDrill(script: (started: string) => string) {
  const folder = newFolder();
  const [store, scratch, started] = [join(folder, 'store'), join(folder, 'scratch'), join(folder, 'started')];
  cpSync(original, store, { recursive: true, preserveTimestamps: true });
  const given = {
    source: 'shop',
    store: `file://${store}`,
    'scratch-dir': scratch,
    'bin-dir': programsWith('pg_amcheck', script(started)),
  };
  const hanging = async () => {
    while (!existsSync(started)) await delay(20);
    return 'cancel' as const;
  };
  const interruption = hanging();
  const result = await runAction({ action: 'restore-drill', with: { ...given, amcheck: true }, interruption });
  expect(result).toMatchObject({ exitCode: 1, interrupted: 'cancel', outputs: { verdict: 'unknown' } });
  expect(result.summary).toContain('The step was cancelled (SIGINT).');
  return { result, scratch };
}

function expectNothingIn(scratch: string): void {
  expect(filesIn(scratch)).toEqual([]);
  expect(processesIn(scratch)).toEqual([]);
}

it('ends a drill that is cancelled while pg_amcheck is at work, and leaves nothing', async () => {
  const { result, scratch } = await cancelledDrill((started) => `touch ${started}; exec sleep 300`);
  expect(result.state.finished).toBe('true');
  expectNothingIn(scratch);
});

it('removes in `post` what a cancelled drill could not, since a program of it did not end', async () => {
  // The sleep outlives the script and holds its pipes open: what waits for their end waits on.
  const { result, scratch } = await cancelledDrill((started) => `sleep 300 & touch ${started}; wait`);
  expect(result.state.finished).toBeUndefined();
  expect(result.post).toMatchObject({ exitCode: 0, annotations: [] });
  expect(result.post?.log).toMatch(/The step ended before it could clean up/);
  expectNothingIn(scratch);
});
