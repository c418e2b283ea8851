import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { DumpRequest } from '../../../src/core/ports.ts';
import { openEngine } from '../../../src/engines/registry.ts';
import { CROWDED, type Refusal, refusingProxy, STARTING } from '../../faults/refusing-proxy.ts';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { worldForTests } from '../../worlds.ts';

let pg: TestPostgres;
beforeAll(async () => {
  pg = await startPostgres();
});
afterAll(async () => {
  await pg?.stop();
});

/** Takes a snapshot through a proxy that refuses the first connections. */
async function snapshotBehind(refusal: Refusal, times: number, signal = new AbortController().signal) {
  const proxy = await refusingProxy(pg.port, times, refusal);
  onTestFinished(() => proxy.close());
  const { world, lines } = worldForTests();
  const engine = await openEngine('postgresql', { env: process.env, log: world.log, now: world.now });
  const request: DumpRequest = {
    source: 'shop',
    connection: { url: pg.url.replace(`:${pg.port}/`, `:${proxy.port}/`) },
    scope: 'full',
    tables: [],
    excludeTables: [],
    excludeTableData: [],
    facts: 'none',
    rolePasswords: false,
    lockTimeoutMs: 0,
    tableLockTimeoutMs: 1_000,
    stallMs: 60_000,
    allowNewerClient: true,
    holder: 'a test',
    signal,
  };
  const outcome = engine.withSnapshot(request, async ({ server }) => server.major);
  return { outcome, engine, lines, proxy };
}

it.each([
  ['is starting up', STARTING, 'the database system is starting up'],
  ['has no room for another connection', CROWDED, 'too many clients already'],
  ['resets the connection', 'reset', 'server closed the connection unexpectedly|Connection reset by peer'],
] as const)('a server that %s is waited for, and it is counted', async (_, refusal, words) => {
  const { outcome, engine, lines } = await snapshotBehind(refusal, 2);
  expect(await outcome).toBeGreaterThan(9);
  expect(engine.retries()).toBe(2);
  const said = lines.filter((line) => new RegExp(words).test(line));
  expect(said.map((line) => line.match(/Trying again in \d s\.$/)?.[0])).toEqual([
    'Trying again in 1 s.',
    'Trying again in 2 s.',
  ]);
});

it('a server that is starting up for ever is given up, with what it said', async () => {
  const { outcome, engine, proxy } = await snapshotBehind(STARTING, 100);
  await expect(outcome).rejects.toMatchObject({
    code: 'source-unreachable',
    message: expect.stringContaining('the database system is starting up'),
  });
  expect(proxy.refused()).toBe(4);
  expect(engine.retries()).toBe(3);
});

it('a stop ends the waiting with its own reason', async () => {
  const stop = new AbortController();
  const { outcome, lines } = await snapshotBehind(STARTING, 100, stop.signal);
  const failed = expect(outcome).rejects.toThrow('cancelled');
  // At the first line it waits, or is about to.
  await expect.poll(() => lines.length).toBeGreaterThan(0);
  stop.abort(new Error('cancelled'));
  await failed;
});
