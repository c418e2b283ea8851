import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { fetchArtifact } from '../../src/core/fetch-artifact.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { putBackup } from '../fixtures.ts';

const signal = new AbortController().signal;

async function fetch(change: (bytes: Buffer) => Buffer) {
  const store = memoryStore({ location: 'memory:a' });
  const manifest = putBackup(store, '2026-11-21', { bytes: 200_000 });
  const [artifact] = manifest.artifacts;
  if (artifact === undefined) throw new Error('no artifact');
  const key = `orders/${manifest.id}/${artifact.key}`;
  store.overwrite(key, change(await buffer(await store.get(key))));
  const seen = { bytes: 0, verified: false };
  const stream = await fetchArtifact(store, manifest, artifact, {
    signal,
    onBytes: (bytes) => {
      seen.bytes += bytes;
    },
    onVerified: () => {
      seen.verified = true;
    },
  });
  return { seen, read: buffer(stream), key, artifact };
}

it('gives the stored bytes, counted and verified', async () => {
  const { seen, read } = await fetch((bytes) => bytes);
  expect((await read).length).toBe(200_000);
  expect(seen).toEqual({ bytes: 200_000, verified: true });
});

it.each([
  {
    what: 'another byte',
    change: (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.from('!')]),
    says: 'SHA-256',
  },
  { what: 'a byte less', change: (bytes: Buffer) => bytes.subarray(0, -1), says: '199999 bytes instead of 200000' },
  {
    what: 'a byte more',
    change: (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('!')]),
    says: '200001 bytes instead of 200000',
  },
])('never ends quietly with $what', async ({ change, says }) => {
  const { seen, read, key } = await fetch(change);
  const failure = await read.catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'artifact-corrupt' });
  expect(String(failure)).toContain(says);
  expect(String(failure)).toContain(`memory:a/${key}`);
  expect(seen.verified).toBe(false);
});
