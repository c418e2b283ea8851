import { expect, it } from 'vitest';
import { readCatalog } from '../../src/core/catalog.ts';
import { latestProofIn, proofOfCopy } from '../../src/core/proof.ts';
import type { DrillRecord } from '../../src/core/records.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { at, putBackup, putDrill } from '../fixtures.ts';

const elsewhere = 's3://elsewhere';

async function proofAfter(...drills: Partial<DrillRecord>[]): Promise<string | undefined> {
  const store = memoryStore({ location: 'file:///here' });
  const manifest = putBackup(store, '2026-11-20');
  for (const [rank, drill] of drills.entries()) await putDrill(store, manifest, `2026-11-21T0${rank}:00:00Z`, drill);
  const [backup] = await readCatalog(store, 'orders');
  return backup && (await proofOfCopy(store, backup))?.proof;
}

it.each<{ name: string; drills: Partial<DrillRecord>[]; proof: string | undefined }>([
  { name: 'no drill proves nothing', drills: [], proof: undefined },
  { name: 'a drill of this copy proves it', drills: [{}], proof: 'proven' },
  { name: 'a drill of another copy proves only that one', drills: [{ store: elsewhere }], proof: undefined },
  {
    name: 'a copy whose bytes were read back is proven too',
    drills: [{ store: elsewhere, alsoRead: ['file:///here'] }],
    proof: 'proven',
  },
  {
    name: 'what disproves another copy says nothing of this one',
    drills: [{}, { store: elsewhere, alsoRead: ['file:///here'], proof: 'disproven' }],
    proof: 'proven',
  },
  {
    name: 'the latest conclusive drill counts',
    drills: [{}, { proof: 'disproven' }, { proof: 'inconclusive' }],
    proof: 'disproven',
  },
  { name: 'a repaired copy is proven again', drills: [{ proof: 'disproven' }, {}], proof: 'proven' },
  {
    name: 'a drill of another manifest proves nothing',
    drills: [{ manifestSha256: '0'.repeat(64) }],
    proof: undefined,
  },
])('$name', async ({ drills, proof }) => {
  expect(await proofAfter(...drills)).toBe(proof);
});

it('a record that cannot be read or belies its name proves nothing', async () => {
  const store = memoryStore();
  const manifest = putBackup(store, '2026-11-20');
  const key = await putDrill(store, manifest, '2026-11-21', { proof: 'inconclusive' });
  const bytes = Buffer.concat(await Array.fromAsync(await store.get(key)));
  store.overwrite(key.replace('inconclusive', 'proven'), bytes);
  await putDrill(store, manifest, '2026-11-22');
  store.overwrite(await putDrill(store, manifest, '2026-11-22'), Buffer.from('{'), at('2026-11-22'));
  const [backup] = await readCatalog(store, 'orders');
  expect(backup?.drills.map(({ proof }) => proof)).toEqual(['inconclusive', 'proven', 'proven']);
  expect(backup && (await proofOfCopy(store, backup))).toBeUndefined();
});

it('the latest proof in a store is that of the latest drill, whichever backup it was of', async () => {
  const store = memoryStore();
  const [old, young] = [putBackup(store, '2026-11-01'), putBackup(store, '2026-11-20')];
  await putDrill(store, young, '2026-11-20T06:00:00Z');
  await putDrill(store, old, '2026-11-21T06:00:00Z', { proof: 'disproven' });
  await putDrill(store, young, '2026-11-22T06:00:00Z', { store: elsewhere });
  const latest = await latestProofIn(store, await readCatalog(store, 'orders'));
  expect([latest?.backup.id, latest?.proof]).toEqual([old.id, 'disproven']);
});
