import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { damagedStore, type StoredDamage } from '../../src/core/self-test-store.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { keysOf } from '../fixtures.ts';

function storeWith(damage: StoredDamage) {
  const store = memoryStore({ location: 'memory:a' });
  store.overwrite('a/one', Buffer.from('0123456789'));
  store.overwrite('a/two', Buffer.from('another'));
  return { store, damaged: damagedStore(store, new Map([['a/one', damage]])) };
}

it.each<{ damage: StoredDamage; whole: string; middle: string; bytes: number }>([
  { damage: { kind: 'flipped', at: 4 }, whole: '0123556789', middle: '355', bytes: 10 },
  { damage: { kind: 'flipped', at: 0 }, whole: '1123456789', middle: '345', bytes: 10 },
  { damage: { kind: 'cut', to: 5 }, whole: '01234', middle: '34', bytes: 5 },
  { damage: { kind: 'cut', to: 0 }, whole: '', middle: '', bytes: 0 },
  { damage: { kind: 'exchanged', key: 'a/two', bytes: 7 }, whole: 'another', middle: 'the', bytes: 7 },
  { damage: { kind: 'rewritten', bytes: Buffer.from('new') }, whole: 'new', middle: '', bytes: 3 },
])('reads one key as if it were damaged: $damage', async ({ damage, whole, middle, bytes }) => {
  const { damaged } = storeWith(damage);
  expect((await buffer(await damaged.get('a/one'))).toString()).toBe(whole);
  expect((await buffer(await damaged.get('a/one', { start: 3, length: 3 }))).toString()).toBe(middle);
  expect(await damaged.head('a/one')).toMatchObject({ bytes });
  expect(await Array.fromAsync(damaged.list('a/'))).toMatchObject([{ bytes }, { bytes: 7 }]);
  expect((await buffer(await damaged.get('a/two'))).toString()).toBe('another');
});

it('hides a key that is to be missing', async () => {
  const { damaged } = storeWith({ kind: 'missing' });
  await expect(damaged.get('a/one')).rejects.toMatchObject({ code: 'not-found' });
  expect(await damaged.head('a/one')).toBeUndefined();
  expect(await keysOf(damaged)).toEqual(['a/two']);
});

it('changes nothing in the store below, and refuses to', async () => {
  const { store, damaged } = storeWith({ kind: 'cut', to: 1 });
  await buffer(await damaged.get('a/one'));
  expect((await buffer(await store.get('a/one'))).toString()).toBe('0123456789');
  await expect(damaged.put('a/three', await store.get('a/two'))).rejects.toMatchObject({ code: 'guard-refused' });
  await expect(damaged.remove(['a/one'])).rejects.toMatchObject({ code: 'guard-refused' });
});

it('ends the read below when it is given up', async () => {
  const { store, damaged } = storeWith({ kind: 'flipped', at: 0 });
  const get = store.get.bind(store);
  const below: { destroyed: boolean }[] = [];
  store.get = async (key, range) => {
    const stream = await get(key, range);
    below.push(stream);
    return stream;
  };
  const stream = await damaged.get('a/one');
  await new Promise((resolve) => stream.once('close', resolve).destroy());
  expect(below.map(({ destroyed }) => destroyed)).toEqual([true]);
});
