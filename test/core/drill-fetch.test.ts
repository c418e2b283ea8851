import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { expect, it } from 'vitest';
import { fetchCopy } from '../../src/core/drill-fetch.ts';
import type { Manifest } from '../../src/core/manifest.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { age } from '../../src/sys/age.ts';
import { artifactOf, backupAt, fakeWorld, idAt, manifestOf } from '../fixtures.ts';

/** A backup of one encrypted artifact, stored as `damage` leaves it. */
async function fetchEncrypted(damage: (bytes: Buffer) => Buffer, given: { wrongKey?: boolean; noKey?: boolean } = {}) {
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);
  const stored = await buffer(age.encrypt([recipient], Readable.from([Buffer.alloc(200_000, 'rows')])));
  const artifact = {
    ...artifactOf('database.dump.zst.age', stored),
    encryption: { type: 'age' as const, recipients: [recipient] },
  };
  const takenAt = new Date('2026-11-21T00:00:00Z');
  const manifest = manifestOf({ source: 'orders', id: idAt(takenAt), scope: 'full', artifacts: [artifact], takenAt });
  const store = memoryStore({ location: 'memory:a' });
  store.overwrite(`orders/${manifest.id}/${artifact.key}`, damage(stored));
  const key = given.wrongKey ? await generateIdentity() : given.noKey ? '' : identity;
  const findings = await fetchCopy({ copies: copyIn(store, manifest), identity: key }, world);
  return { findings: findings.map(({ rule, status }) => `${status} ${rule}`), message: findings[0]?.message, store };
}

const world = fakeWorld({}, '2026-11-21', { encryption: age });

function copyIn(store: ReturnType<typeof memoryStore>, manifest: Manifest) {
  const chosen = { backup: backupAt('2026-11-21'), manifest, sha256: '', skipped: [] };
  return { store, chosen, others: [], holders: [store], catalog: [], findings: [] };
}

const flipAt = (at: number) => (bytes: Buffer) => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

it('fetches what is sound', async () => {
  expect((await fetchEncrypted((bytes) => bytes)).findings).toEqual(['pass artifact-fetched']);
});

it('tells damage from a wrong key, also where the damage is in the header that the key opens', async () => {
  // Behind `age-encryption.org/v1\n-> X25519 <43 characters>\n` comes the wrapped key.
  const { findings, message } = await fetchEncrypted(flipAt(90));
  expect(findings).toEqual(['fail artifact-corrupt']);
  expect(message).toMatch(/^database\.dump\.zst\.age of \S+ has SHA-256 \w+ instead of/);
});

it('says that the key is wrong when the stored bytes are sound', async () => {
  const { findings } = await fetchEncrypted((bytes) => bytes, { wrongKey: true });
  expect(findings).toEqual(['unknown decryption']);
});

it('reads nothing that no key was given for', async () => {
  const { findings, store } = await fetchEncrypted((bytes) => bytes, { noKey: true });
  expect(findings).toEqual(['unknown decryption']);
  expect(store.calls.get).toBe(0);
});

it('says what to do when an artifact is gone', async () => {
  const artifact = artifactOf('database.dump.zst', Buffer.alloc(1_000));
  const takenAt = new Date('2026-11-21T00:00:00Z');
  const manifest = manifestOf({ source: 'orders', id: idAt(takenAt), scope: 'full', artifacts: [artifact], takenAt });
  const findings = await fetchCopy({ copies: copyIn(memoryStore(), manifest), identity: '' }, world);
  expect(findings).toMatchObject([{ rule: 'artifact-fetched', status: 'fail', hint: expect.stringMatching(/\S/) }]);
});

/** A backup of one artifact whose stored bytes are `stored`. */
function copyOf(stored: Buffer) {
  const store = memoryStore({ location: 'memory:a' });
  const artifact = artifactOf('database.dump.zst', Buffer.alloc(1_000));
  const takenAt = new Date('2026-11-21T00:00:00Z');
  const manifest = manifestOf({ source: 'orders', id: idAt(takenAt), scope: 'full', artifacts: [artifact], takenAt });
  store.overwrite(`orders/${manifest.id}/${artifact.key}`, stored);
  return { store, manifest };
}

it('reads a damaged artifact twice and no more, to say what is wrong with what lies in the store', async () => {
  const { store, manifest } = copyOf(Buffer.alloc(999));
  const findings = await fetchCopy({ copies: copyIn(store, manifest), identity: '' }, world);
  expect(findings).toMatchObject([{ rule: 'artifact-corrupt', message: expect.stringContaining('999 bytes instead') }]);
  expect(store.calls.get).toBe(2);
});

it('disproves nothing by bytes that were changed on their way', async () => {
  const { store, manifest } = copyOf(Buffer.alloc(1_000));
  const { get } = store;
  let reads = 0;
  const changing: typeof store = Object.assign(Object.create(store), {
    get: async (...given: Parameters<typeof get>) => {
      const stream = await get.apply(store, given);
      reads += 1;
      return reads > 1 ? stream : Readable.from([flipAt(500)(await buffer(stream))]);
    },
  });
  const findings = await fetchCopy({ copies: copyIn(changing, manifest), identity: '' }, world);
  expect(findings).toMatchObject([
    { rule: 'artifact-corrupt', status: 'unknown', message: expect.stringContaining('came with other bytes') },
  ]);
});
