import { expect, it } from 'vitest';
import { backupStores } from '../../src/core/backup-stores.ts';
import { Failure } from '../../src/core/failure.ts';
import type { Store } from '../../src/core/ports.ts';
import { memoryStore } from '../../src/stores/memory.ts';

function setUp(broken: Partial<Store>) {
  const lines: string[] = [];
  const sleep = () => new Promise<void>(() => {});
  const warning = (line: string) => void lines.push(line);
  const log = { info: warning, warning, debug: warning, group: async <T>(_: string, use: () => Promise<T>) => use() };
  const inner = memoryStore();
  const get = (target: Store, name: string | symbol) => {
    const value: unknown = Reflect.get(broken, name) ?? Reflect.get(target, name);
    return typeof value === 'function' ? value.bind(target) : value;
  };
  const store: Store = new Proxy(inner, { get });
  return {
    lines,
    store,
    stores: backupStores([store], { prefix: 'a/b/', signal: new AbortController().signal, sleep, log }),
  };
}

const gone = () => new Failure('store-missing', 'The folder does not exist.');
// biome-ignore lint/correctness/useYield: it breaks off before the first object
const list = async function* () {
  throw gone();
};

it('says nothing of what was written to a store that never took anything', async () => {
  const { stores, lines, store } = setUp({ list, put: () => Promise.reject(gone()) });
  await expect(stores.putText('a/b/in-progress.json', '{}')).rejects.toThrow('does not exist');
  await stores.discardAll();
  expect(lines).toEqual([`${store.location} holds no copy of this backup: The folder does not exist.`]);
});

it('says what stays behind in a store that is gone in the middle, without the name of a class', async () => {
  const { stores, lines, store } = setUp({ list });
  await stores.putText('a/b/in-progress.json', '{}');
  await stores.discardAll();
  expect(lines).toEqual([
    `What was written to ${store.location} under a/b/ stays there for now: The folder does not exist.`,
  ]);
});
