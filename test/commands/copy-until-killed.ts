import { copy } from '../../src/commands/copy.ts';
import { openStore } from '../../src/stores/registry.ts';
import { worldForTests } from '../worlds.ts';

// Copies, and is killed at once when the artifact named begins to be sent. Arguments: source, id, from, to, artifact.
const [source = '', backup = '', from = '', to = '', artifact = ''] = process.argv.slice(2);
const context = { env: process.env, forbidden: [], stallMs: 60_000, now: () => new Date() };
const { world } = worldForTests(process.env, {
  openStore: async (url) => {
    const store = await openStore(url, context);
    if (url !== to) return store;
    const put = store.put.bind(store);
    return Object.assign(store, {
      put: (key: string, ...rest: Parameters<typeof put> extends [string, ...infer R] ? R : never) => {
        if (key.endsWith(artifact)) process.kill(process.pid, 'SIGKILL');
        return put(key, ...rest);
      },
    });
  },
});
await copy({ source, backup, from, to }, world);
