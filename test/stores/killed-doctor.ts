import { tryStore } from '../../src/core/store-trial.ts';
import { openStore } from '../../src/stores/registry.ts';

// Run as a program of its own: stops in the middle of a trial, says so, and then waits to be killed.
const [url = ''] = process.argv.slice(2);
const store = await openStore(url, { env: process.env, forbidden: [], stallMs: 60_000, now: () => new Date() });
setInterval(() => {}, 1_000);
store.traits = () => {
  process.stdout.write('under way\n');
  return new Promise(() => {});
};
await tryStore(store, { now: () => new Date(), randomHex: () => 'abcdef', signal: new AbortController().signal });
