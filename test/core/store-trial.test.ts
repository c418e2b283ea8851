import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { Failure } from '../../src/core/failure.ts';
import type { Store } from '../../src/core/ports.ts';
import { tryStore } from '../../src/core/store-trial.ts';
import { type MemoryStore, memoryStore } from '../../src/stores/memory.ts';
import { keysOf } from '../fixtures.ts';

const now = new Date('2026-11-21T12:00:00Z');
const signal = new AbortController().signal;
const world = { now: () => now, randomHex: () => 'abcdef', signal };

const tried = async (store: Store) =>
  (await tryStore(store, world)).map(({ status, rule, message }) => `${status} ${rule}: ${message}`);
const bad = async (store: Store) => (await tried(store)).filter((line) => !line.startsWith('pass'));

/** The store, with some of its methods replaced. */
function changed(store: MemoryStore, changes: Partial<Store>): Store {
  const get = (target: MemoryStore, name: string | symbol) => {
    const value: unknown = Reflect.get(changes, name) ?? Reflect.get(target, name, target);
    return typeof value === 'function' ? value.bind(target) : value;
  };
  return new Proxy(store, { get });
}

const folder = () => {
  const store = memoryStore();
  store.setFreeSpace({ freeBytes: 1, totalBytes: 1 });
  return store;
};

it('leaves nothing of its own, and what is there as it was', async () => {
  const store = folder();
  store.overwrite('orders/20261121T030000Z-3f9a1c/manifest.json', Buffer.from('{}'));
  expect(await bad(store)).toEqual([]);
  expect(await keysOf(store)).toEqual(['orders/20261121T030000Z-3f9a1c/manifest.json']);
});

it('removes its probe also when what is in between fails', async () => {
  const store = folder();
  const traits = () => Promise.reject(new Failure('store-unavailable', 'It went away.'));
  expect(await bad(changed(store, { traits }))).toEqual([
    'fail store-traits: Finding out what it is like failed: It went away.',
  ]);
  expect(await keysOf(store)).toEqual([]);
});

it('removes what an older doctor left, uploads too, and not what one at work has', async () => {
  const store = folder();
  const key = (id: string) => `.lifeboat-doctor-${id}/${id}/in-progress.json`;
  store.overwrite(key('20261121T114900Z-000001'), Buffer.from('x'));
  store.leaveUpload(key('20261121T114900Z-000001'), now);
  store.overwrite(key('20261121T115500Z-000002'), Buffer.from('x'));
  expect(await tried(store)).toContain(
    'pass store-tried: Removed what a doctor that was killed left: .lifeboat-doctor-20261121T114900Z-000001.',
  );
  expect(await keysOf(store)).toEqual([key('20261121T115500Z-000002')]);
  expect(await Array.fromAsync(store.openUploads(''))).toEqual([]);
});

it('says what may not be done', async () => {
  const denied = (what: string) => () => Promise.reject(new Failure('store-denied', `${what}: AccessDenied`));
  expect(await bad(changed(folder(), { listFolders: denied('s3:ListBucket') }))).toEqual([
    'fail store-tried: Listing failed: s3:ListBucket: AccessDenied',
  ]);
  const unwritable = await bad(changed(folder(), { put: denied('s3:PutObject') }));
  expect(unwritable).toContain('fail store-tried: Writing, reading and listing failed: s3:PutObject: AccessDenied');
  const remove = async (keys: readonly string[]) => keys.map((key) => ({ key, reason: 'AccessDenied' }));
  expect(await bad(changed(folder(), { remove }))).toEqual([
    expect.stringMatching(/Deleting failed: .*: AccessDenied$/),
  ]);
});

it('says that other bytes come back than were written', async () => {
  const get = async () => Readable.from(['something else']);
  expect(await bad(changed(folder(), { get }))).toEqual([
    'fail store-tried: Writing, reading and listing failed: Other bytes came back than were written.',
  ]);
});

it('writes nothing where it would be locked', async () => {
  const store = memoryStore();
  store.setTraits({}, { isPossible: true, byDefault: 'COMPLIANCE for 30 days' });
  const put = () => Promise.reject(new Error('must not be called'));
  expect(await bad(changed(store, { put }))).toEqual([
    expect.stringContaining('The bucket locks every object (COMPLIANCE for 30 days)'),
  ]);
});

it('tells how honest a store is about conditions, and that nobody relies on it', async () => {
  const store = folder();
  store.setTraits({ conditionalWrites: { whole: 'honoured', inParts: 'ignored' } });
  expect((await tried(store)).join('\n')).toContain(
    'is refused for whole objects and taken, the condition ignored, for uploads in parts. Backups do not rely on it.',
  );
});

it.each([
  [{ clockOffsetSeconds: 90 }, "warn store-clock: The store's clock is 1m 30s ahead of this runner's."],
  [{ clockOffsetSeconds: -3600 }, "fail store-clock: The store's clock is 1h behind this runner's."],
  [{ fileSystem: { name: 'tmpfs', kind: 'memory' } as const }, 'fail store-traits: The folder is on tmpfs'],
])('judges clock and disk: %j', async (traits, said) => {
  const store = folder();
  store.setTraits(traits);
  expect(await bad(store)).toEqual([expect.stringContaining(said)]);
});

it('wishes for versions in a bucket, with the command', async () => {
  const findings = await tryStore(memoryStore({ location: 's3://acme/prod' }), world);
  expect(findings.find(({ status }) => status === 'warn')?.hint).toBe(
    '`aws s3api put-bucket-versioning --bucket acme --versioning-configuration Status=Enabled`',
  );
});
