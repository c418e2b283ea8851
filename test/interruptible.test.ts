import { expect, it } from 'vitest';
import type { Store } from '../src/core/ports.ts';
import { interruptible } from '../src/interruptible.ts';
import { memoryStore } from '../src/stores/memory.ts';

const never = new Promise<never>(() => {});
const silent: Store = {
  ...Object.fromEntries(
    ['get', 'head', 'listFolders', 'remove', 'locks', 'freeSpace'].map((name) => [name, () => never]),
  ),
  location: 'silent:',
  async *list() {
    yield { key: 'a', bytes: 1, modifiedAt: new Date(0) };
    await never;
  },
} as unknown as Store;

it('gives up what was under way when the step is stopped, with the reason of the stop', async () => {
  const stop = new AbortController();
  const store = interruptible(silent, stop.signal);
  const calls = [store.head('a'), store.listFolders(), store.locks(''), Array.fromAsync(store.list(''))];
  stop.abort(new Error('cancelled'));
  for (const call of calls) await expect(call).rejects.toThrow('cancelled');
});

it('still works after the stop, since cleaning up needs it', async () => {
  const stop = new AbortController();
  const memory = memoryStore();
  const store = interruptible(memory, stop.signal);
  memory.overwrite('a', Buffer.from('x'));
  stop.abort(new Error('cancelled'));
  expect(await Array.fromAsync(store.list(''), ({ key }) => key)).toEqual(['a']);
  expect(await store.remove(['a'])).toEqual([]);
  expect(await store.head('a')).toBeUndefined();
});

it('passes on results, errors and the end of a listing', async () => {
  const memory = memoryStore();
  const store = interruptible(memory, new AbortController().signal);
  memory.overwrite('a/1', Buffer.from('x'));
  memory.overwrite('a/2', Buffer.from('yy'));
  expect(await Array.fromAsync(store.list('a/'), ({ bytes }) => bytes)).toEqual([1, 2]);
  await expect(store.get('b')).rejects.toMatchObject({ code: 'not-found' });
  for await (const { key } of store.list('a/')) {
    expect(key).toBe('a/1');
    break;
  }
});
