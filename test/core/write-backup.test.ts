import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Failure } from '../../src/core/failure.ts';
import { backupKey, IN_PROGRESS, MANIFEST } from '../../src/core/keys.ts';
import type { DumpStream, Snapshot, Store } from '../../src/core/ports.ts';
import { type BackupPlan, writeBackup } from '../../src/core/write-backup.ts';
import { type MemoryStore, memoryStore } from '../../src/stores/memory.ts';
import { at, fakeWorld, keysOf, serverInfo } from '../fixtures.ts';

const NOW = '2026-11-21T03:15:00Z';
const never = new Promise<never>(() => {});

/** A memory store, some of whose calls are others. */
function storeWith(location: string, calls: (inner: MemoryStore) => Partial<Store>): MemoryStore {
  const inner = memoryStore({ location });
  const changed = calls(inner);
  const get = (_: MemoryStore, name: string | symbol) => {
    const value: unknown = Reflect.get(changed, name) ?? Reflect.get(inner, name);
    return typeof value === 'function' ? value.bind(inner) : value;
  };
  return new Proxy(inner, { get });
}

function streamOf(open: () => Readable, name = 'database.dump'): DumpStream {
  const plainBytes = () => undefined;
  const output = () => ({ compressed: open(), plainBytes });
  return { role: 'dump', name, format: 'pg_dump-custom', estimatedBytes: 1_000, open: output };
}

function snapshotOf(...streams: DumpStream[]): Snapshot {
  return {
    ...{ server: serverInfo, takenAt: at(NOW), client: 'pg_dump 15.20', databaseBytes: 1_000, tables: 1, streams },
    ...{ findings: [], leftOut: [] },
    readFacts: async () => undefined,
    finish: async (facts) => ({ facts, findings: [] }),
  };
}

const small = () => Readable.from([Buffer.from('a dump')]);

/** Ten seconds and a minute pass in a turn of the loop; `elapsed` counts the former. */
async function back(stores: readonly Store[], snapshot: Snapshot, maySleep: (ms: number) => boolean = () => true) {
  const lines: string[] = [];
  const take = (line: string) => void lines.push(line);
  const sleep = async (ms: number, until?: AbortSignal) => {
    const over = new Promise<void>((resolve) => until?.addEventListener('abort', () => resolve(), { once: true }));
    await (maySleep(ms) ? turn() : over);
  };
  const log = { info: take, debug: take, warning: take, group: async <T>(_: string, use: () => Promise<T>) => use() };
  const plan: BackupPlan = {
    scope: 'full',
    ...{ source: 'orders', stores, compressionLevel: 3, jobs: 2, recipients: [], content: {} },
    ...{ labels: {}, pin: undefined, stallMs: 300_000, judge: () => [] },
  };
  const world = fakeWorld({}, NOW, { sleep, log });
  const writing = writeBackup(snapshot, plan, world);
  return { written: await writing, lines };
}

const minutes = (ms: number) => ms !== 10_000 && ms !== 300_000;

it('drops a store that does not answer when an artifact is looked up again, and the others keep their copy', async () => {
  const silent = storeWith('memory:silent', () => ({
    head: () => never,
    list: () => ({ [Symbol.asyncIterator]: () => ({ next: () => never }) }),
  }));
  const sound = memoryStore({ location: 'memory:sound' });
  const { written } = await back([silent, sound], snapshotOf(streamOf(small)), minutes);
  expect(written.stores).toEqual([sound]);
  expect(written.failed.get(silent)).toMatchObject({
    code: 'stalled',
    message: expect.stringContaining('memory:silent'),
  });
});

it('drops a store that takes the dump and never says that it has it', async () => {
  const silent = storeWith('memory:silent', (inner) => ({
    put: async (key, body, options) => {
      if (key.endsWith('.json')) return inner.put(key, body, options);
      await buffer(body);
      return never;
    },
  }));
  const sound = memoryStore({ location: 'memory:sound' });
  const { written } = await back([silent, sound], snapshotOf(streamOf(small)), minutes);
  expect(written.stores).toEqual([sound]);
  // It may still finish what it was given: the mark says that this was an unfinished backup.
  expect(await keysOf(silent)).toEqual([backupKey('orders', written.id, IN_PROGRESS)]);
});

it('goes on when the mark of a backup on its way cannot be renewed, and says so', async () => {
  let marks = 0;
  const forgetful = storeWith('memory:', (inner) => ({
    put: async (key, body, options) => {
      if (key.endsWith(IN_PROGRESS) && ++marks > 1) throw new Failure('store-unavailable', 'Come back later.');
      return inner.put(key, body, options);
    },
  }));
  // Writes nothing until a renewal was refused.
  const late = async function* () {
    while (marks < 2) await turn();
    yield Buffer.from('a dump');
  };
  const isTick = (ms: number) => ms === 10_000;
  const { written, lines } = await back([forgetful], snapshotOf(streamOf(() => Readable.from(late()))), isTick);
  expect(await keysOf(forgetful)).toContain(backupKey('orders', written.id, MANIFEST));
  expect(lines).toContainEqual(
    expect.stringMatching(/^The mark in memory: .* could not be renewed: Come back later\./),
  );
});

it('ends a dump at once that says nothing, when no store is left to take it', async () => {
  const full = storeWith('memory:', (inner) => ({
    put: async (key, body, options) => {
      if (key.endsWith('.json')) return inner.put(key, body, options);
      throw new Failure('store-full', 'No room is left.');
    },
  }));
  const silent = new Readable({ read() {} });
  const stands = () => false;
  await expect(back([full], snapshotOf(streamOf(() => silent)), stands)).rejects.toThrow('No room is left.');
  expect(silent.destroyed).toBe(true);
});
