import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { openStore } from '../../src/stores/registry.ts';

// Run as a program of its own: begins an upload, says so, and then waits to be killed.
const [url = '', key = ''] = process.argv.slice(2);
const store = await openStore(url, { env: process.env, forbidden: [], stallMs: 60_000, now: () => new Date() });
let left = 10;
const body = new Readable({
  read() {
    left -= 1;
    if (left >= 0) this.push(randomBytes(1024 * 1024));
  },
});
setInterval(() => {}, 1_000);
await store.put(key, body, { onBytes: () => process.stdout.write('under way\n') });
