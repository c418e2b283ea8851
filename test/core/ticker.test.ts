import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { verifyFreshness } from '../../src/actions/verify-freshness.ts';
import type { DrillPlan } from '../../src/core/drill.ts';
import { readOtherCopies } from '../../src/core/drill-record.ts';
import type { World } from '../../src/core/ports.ts';
import { collect } from '../../src/core/self-test.ts';
import { withTicker } from '../../src/core/ticker.ts';
import { type MemoryStore, memoryStore } from '../../src/stores/memory.ts';
import { fakeWorld, putBackup } from '../fixtures.ts';

const NOW = '2026-11-21T12:00:00Z';

/** A world in which ten seconds pass in a turn of the loop; `said` waits for a line. */
function talking(stores: Record<string, MemoryStore> = {}): { world: World; said: (what: RegExp) => Promise<void> } {
  const lines: string[] = [];
  const take = (line: string) => void lines.push(line);
  const log = { info: take, warning: take, debug() {}, group: async <T>(_: string, use: () => Promise<T>) => use() };
  const said = async (what: RegExp) => {
    while (!lines.some((line) => what.test(line))) await turn();
  };
  return { world: fakeWorld(stores, NOW, { log, sleep: async () => void (await turn()) }), said };
}

/** A store that hands out its dumps only when something was said of it. */
function silentUntil(said: () => Promise<void>): MemoryStore {
  const store = memoryStore({ location: 'memory:slow' });
  const get = store.get.bind(store);
  store.get = async (key, options) => {
    if (key.endsWith('.zst')) await said();
    return get(key, options);
  };
  return store;
}

it('a long work says every ten seconds what it does, and nothing when it is done', async () => {
  const { world, said } = talking();
  let step = 'one';
  const work = async () => {
    await said(/^at one$/);
    step = 'two';
    await said(/^at two$/);
    return 'done';
  };
  expect(await withTicker(world, () => `at ${step}`, work)).toBe('done');
});

it('reading the copy in another store says how far it is', async () => {
  const { world, said } = talking();
  const store = silentUntil(() => said(/^reading the copy in memory:slow: 0 B of .* read$/));
  const manifest = putBackup(store, '2026-11-21');
  const plan = { copies: { others: [store], chosen: { manifest } } } as unknown as DrillPlan;
  expect(await readOtherCopies(plan, world)).toMatchObject({ alsoRead: ['memory:slow'] });
});

it('reading stored bytes for their SHA-256 says how much it has read', async () => {
  const stores: Record<string, MemoryStore> = {};
  const { world, said } = talking(stores);
  const store = silentUntil(() => said(/^orders in memory:slow: 0 B read$/));
  stores['memory:slow'] = store;
  putBackup(store, '2026-11-21');
  const report = await verifyFreshness({ store: 'memory:slow', source: 'orders', 'read-data': 'newest' }, world);
  expect(report.findings).toContainEqual(expect.objectContaining({ rule: 'artifact-corrupt', status: 'pass' }));
});

it('a self-test of what is stored says how many damages it has tried', async () => {
  const { world, said } = talking();
  const trials = async function* () {
    await said(/^damages to the artifacts: 0 tried$/);
    yield* [];
  };
  expect(await collect('damages to the artifacts', trials(), world)).toEqual([]);
});
