import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { prune } from '../../src/actions/prune.ts';
import { verifyFreshness } from '../../src/actions/verify-freshness.ts';
import type { Store } from '../../src/core/ports.ts';
import type { Report } from '../../src/core/report.ts';
import { localStore } from '../../src/stores/local.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { at, fakeWorld } from '../fixtures.ts';
import { fill, intoFolder, type Shape, sourceName } from './fill.ts';

const now = at('2026-11-21T12:00:00Z');
const here = 'file:///scale';
const PAGE = 1_000;

interface Work {
  /** Keys that listings gave, and listings that were begun: pages of a thousand on S3. */
  keys: number;
  lists: number;
  gets: number;
  heads: number;
  /** Calls, each one batch. */
  removes: number;
}

function counting(store: Store): { store: Store; work: Work } {
  const work: Work = { keys: 0, lists: 0, gets: 0, heads: 0, removes: 0 };
  const list: Store['list'] = async function* (...args) {
    work.lists += 1;
    for await (const object of store.list(...args)) {
      work.keys += 1;
      yield object;
    }
  };
  const counted: Partial<Store> = {
    list,
    get: (...args) => {
      work.gets += 1;
      return store.get(...args);
    },
    head: (...args) => {
      work.heads += 1;
      return store.head(...args);
    },
    remove: (...args) => {
      work.removes += 1;
      return store.remove(...args);
    },
  };
  const proxy = new Proxy<Store>(store, {
    get: (target, name: keyof Store) => {
      const value: unknown = counted[name] ?? Reflect.get(target, name, target);
      return typeof value === 'function' && counted[name] === undefined ? value.bind(target) : value;
    },
  });
  return { store: proxy, work };
}

const kinds = {
  memory: async (shape: Shape) => {
    const store = memoryStore({ location: here, now: () => now });
    await fill(shape, now, here, (key, bytes) => store.overwrite(key, bytes, now));
    return store as Store;
  },
  local: async (shape: Shape) => {
    const folder = mkdtempSync(join(tmpdir(), 'lifeboat-scale-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    await fill(shape, now, here, intoFolder(folder));
    return localStore({ folder, location: here });
  },
};

const given = { store: here, source: sourceName(0) };

async function judged(store: Store, raw: Record<string, string> = {}): Promise<{ report: Report; work: Work }> {
  const counted = counting(store);
  const report = await verifyFreshness(
    { ...given, 'min-free-space': '0%', ...raw },
    fakeWorld({ [here]: counted.store }, now),
  );
  expect(report.findings.filter(({ status }) => status !== 'pass')).toEqual([]);
  return { report, work: counted.work };
}

async function pruned(store: Store, raw: Record<string, string>): Promise<{ report: Report; work: Work }> {
  const counted = counting(store);
  const report = await prune({ ...given, 'max-delete': '100%', ...raw }, fakeWorld({ [here]: counted.store }, now));
  return { report, work: counted.work };
}

describe.each([
  { kind: 'memory' as const, sizes: [150, 300, 600], beside: 20, goes: [10, 200, 400] },
  { kind: 'local' as const, sizes: [100, 150, 200], beside: 5, goes: [10, 20, 40] },
])('a $kind store', ({ kind, sizes, beside: sources, goes: counts }) => {
  const open = kinds[kind];

  it('is judged by its newest backups, however many there are', async () => {
    const work = await Promise.all(
      sizes.map(async (backups) => (await judged(await open({ sources: 1, backups }))).work),
    );
    expect(work[1]).toEqual(work[0]);
    expect(work[2]).toEqual(work[0]);
    expect(work[0]?.gets).toBeLessThanOrEqual(3);
    expect(work[0]?.keys).toBeLessThan(PAGE);
  });

  it('is judged, where all count, with every key listed once and none opened for it', async () => {
    for (const backups of sizes) {
      const { work } = await judged(await open({ sources: 1, backups }), { 'min-backups': String(backups) });
      // Two keys each, the drill, and one more where each window ends.
      expect(work.keys).toBeLessThanOrEqual(backups * 2 + 1 + work.lists);
      expect(work.gets).toBeLessThanOrEqual(3);
    }
  });

  it('is judged alike, whatever lies beside the source', async () => {
    const alone = await judged(await open({ sources: 1, backups: 30 }));
    const beside = await judged(await open({ sources, backups: 30 }));
    expect(beside.work).toEqual(alone.work);
  });

  it('is judged as a whole with as much work for each source', async () => {
    const one = await judged(await open({ sources: 1, backups: 30 }));
    const { work, report } = await judged(await open({ sources, backups: 30 }), { source: '*' });
    expect(JSON.parse(report.outputs.sources ?? '[]')).toHaveLength(sources);
    expect(work).toEqual({
      keys: sources * one.work.keys,
      lists: sources * one.work.lists,
      gets: sources * one.work.gets,
      heads: sources * one.work.heads,
      removes: 0,
    });
  });

  it('is pruned in batches, with one listing and one more look at what goes', async () => {
    const before = sizes[2] ?? 0;
    for (const goes of counts) {
      const store = await open({ sources: 1, backups: before });
      const { report, work } = await pruned(store, { 'keep-last': String(before - goes) });
      expect(report.outputs['removed-count']).toBe(String(goes));
      // Four keys are counted of each, its mark among them, and one more is listed where a batch ends.
      const batches = Math.ceil(goes / Math.floor(PAGE / 4));
      expect(work.lists).toBe(1 + batches);
      expect(work.keys).toBeLessThanOrEqual(before * 2 + 1 + goes * 2 + batches);
      // What goes, what is kept in its place, record and manifest of the proven one.
      expect(work.gets).toBeLessThanOrEqual(before + 3);
      // Only record and manifest of the proven one: of the others the listing has told the size.
      expect(work.heads).toBeLessThanOrEqual(2);
      // All manifests of a batch, then all the rest, then the marks.
      expect(work.removes).toBe(batches * 3);
    }
  });
});
