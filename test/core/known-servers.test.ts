import { expect, it } from 'vitest';
import { backupKey, MANIFEST } from '../../src/core/keys.ts';
import { readKnownServers } from '../../src/core/known-servers.ts';
import { writeManifest } from '../../src/core/manifest.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { at, putBackup, serverInfo } from '../fixtures.ts';

const { signal } = new AbortController();
const day = (count: number) => new Date(at('2026-01-01').getTime() + count * 86_400_000);

/** A store whose sources each have a backup a day; the oldest of `orders` is of an older server. */
function filledStore(days = 30) {
  const store = memoryStore();
  for (let count = 1; count < days; count++) {
    for (const source of ['orders', 'shop']) putBackup(store, day(count), { source });
  }
  const oldest = putBackup(store, day(0));
  const server = { ...serverInfo, host: 'old.example', systemIdentifier: '7000000000000000001' };
  const key = backupKey('orders', oldest.id, MANIFEST);
  store.overwrite(key, Buffer.from(writeManifest({ ...oldest, server })), day(0));
  return { store, key, id: oldest.id };
}

it('knows the server of every backup of every source, however old it is, and each once', async () => {
  const servers = await readKnownServers([filledStore().store, memoryStore()], signal);
  expect(servers.map(({ host, port, database }) => `${host}:${port}/${database}`).toSorted()).toEqual([
    'db.example:5432/orders',
    'old.example:5432/orders',
  ]);
});

it('refuses when a manifest cannot be read: the backup may be of that very server', async () => {
  const { store, key, id } = filledStore();
  store.overwrite(key, Buffer.from('{'), day(0));
  await expect(readKnownServers([store], signal)).rejects.toMatchObject({
    code: 'guard-refused',
    message: expect.stringContaining(`orders/${id}/manifest.json`),
    hint: expect.stringMatching(/Leave `scratch-url` out/),
  });
});

it('passes over a backup that was removed meanwhile', async () => {
  const { store, key } = filledStore(2);
  const list = async function* (prefix: string) {
    const listed = await Array.fromAsync(store.list(prefix));
    await store.remove([key]);
    yield* listed;
  };
  const listFolders = () => store.listFolders();
  const head = (asked: string) => store.head(asked);
  const get = (asked: string) => store.get(asked);
  const servers = await readKnownServers(
    [Object.assign(Object.create(store), { list, listFolders, head, get })],
    signal,
  );
  expect(servers.map(({ host }) => host)).toEqual(['db.example']);
});
