import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach } from 'vitest';
import { openStore } from '../../src/stores/registry.ts';
import { storeContract } from '../contracts/store.contract.ts';
import { leaveUpload } from './leave-upload.ts';

const folders: string[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-local-'));
  folders.push(folder);
  return folder;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

storeContract('local', async () => {
  const url = pathToFileURL(newFolder()).href;
  const store = await openStore(url, { env: {}, forbidden: [], stallMs: 60_000, now: () => new Date() });
  return { store, leaveUpload: (key) => leaveUpload(url, key) };
});
