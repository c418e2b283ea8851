import { expect, it } from 'vitest';
import type { Engine, Store } from '../../src/core/ports.ts';
import { Retries } from '../../src/core/retries.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { fakeWorld } from '../fixtures.ts';

function storeWith(location: string, retries: number): Store {
  return Object.assign(memoryStore({ location }), { retries: () => retries });
}

const engineWith = (retries: number) => ({ retries: () => retries }) as Engine;

async function findingsOf(stores: Readonly<Record<string, Store>>, engine: Engine) {
  const retries = new Retries();
  const world = retries.watch(fakeWorld(stores, '2026-11-21', { openEngine: async () => engine }));
  for (const url of Object.keys(stores)) await world.openStore(url);
  await world.openEngine('postgresql');
  return retries.findings();
}

it('says for each store and for the source how often something was tried again', async () => {
  const stores = { a: storeWith('s3://a', 1), b: storeWith('s3://b', 0), c: storeWith('s3://c', 4) };
  expect(await findingsOf(stores, engineWith(2))).toEqual([
    {
      rule: 'store-retries',
      status: 'pass',
      message: '1 request to s3://a met a passing error and was sent again.',
      subject: 's3://a',
      numbers: { retries: 1 },
    },
    {
      rule: 'store-retries',
      status: 'pass',
      message: '4 requests to s3://c met a passing error and were sent again.',
      subject: 's3://c',
      numbers: { retries: 4 },
    },
    {
      rule: 'source-retries',
      status: 'pass',
      message: 'Connecting to PostgreSQL met 2 passing errors and was tried again.',
      numbers: { retries: 2 },
    },
  ]);
});

it('says nothing where nothing was tried again', async () => {
  expect(await findingsOf({ a: storeWith('s3://a', 0) }, engineWith(0))).toEqual([]);
});

it('counts a store together that was opened twice', async () => {
  const stores = { a: storeWith('s3://a', 1), b: storeWith('s3://a', 2) };
  expect(await findingsOf(stores, engineWith(0))).toMatchObject([{ subject: 's3://a', numbers: { retries: 3 } }]);
});
