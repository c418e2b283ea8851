import { Readable } from 'node:stream';
import { openStore } from '../../src/stores/registry.ts';

// Run as a program of its own, inside a mount of the caller's making: prints what became of a put.
const [url = '', size = '0'] = process.argv.slice(2);
const store = await openStore(url, { env: {}, forbidden: [], stallMs: 60_000, now: () => new Date() });
const chunks = Array.from({ length: Number(size) / 65_536 }, () => Buffer.alloc(65_536));
const outcome = await store.put('db/id/database.dump', Readable.from(chunks)).then(
  () => ({ code: 'stored' }),
  ({ code, message, hint }) => ({ code, message, hint }),
);
const keys = (await Array.fromAsync(store.list(''))).map(({ key }) => key);
const uploads = (await Array.fromAsync(store.openUploads(''))).map(({ key }) => key);
console.log(JSON.stringify({ ...outcome, keys, uploads, folders: await store.listFolders() }));
