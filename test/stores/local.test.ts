import { globSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, it } from 'vitest';
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

it('reads back what it wrote, and gives no name to a file that the disk has changed', async () => {
  const folder = newFolder();
  const store = await openStore(pathToFileURL(folder).href, {
    ...{ env: {}, forbidden: [], stallMs: 60_000, now: () => new Date() },
  });
  async function* bytes(): AsyncGenerator<Buffer> {
    yield Buffer.alloc(1 << 20, 1);
    const [temporary = ''] = await written(folder);
    await using file = await open(temporary, 'r+');
    await file.write(Buffer.from([2]), 0, 1, 0);
    yield Buffer.alloc(1 << 20, 1);
  }
  const put = store.put('a/b', Readable.from(bytes(), { objectMode: false, highWaterMark: 1 }));
  await expect(put).rejects.toMatchObject({
    code: 'artifact-corrupt',
    message: expect.stringContaining('held other bytes than were written to it'),
  });
  expect(globSync(join(folder, '**/{*,.*}'))).toEqual([]);
});

/** The temporary file, once it holds something. */
async function written(folder: string): Promise<string[]> {
  for (;;) {
    const found = globSync(join(folder, '**/.tmp-*')).filter((path) => statSync(path).size > 0);
    if (found.length > 0) return found;
    await delay(2);
  }
}

it('lists more files and folders than it reads at a time in the order of their bytes', async () => {
  const folder = newFolder();
  const names = Array.from({ length: 300 }, (_, at) => String(at).padStart(3, '0'));
  const strange = ['\uE000', '\u{1F600}', 'é', 'z', '-', 'a.b', 'a'];
  const keys = [
    ...names.map((name) => `many/${name}`),
    ...names.slice(0, 40).map((name) => `many/${name}-folder/deep/file`),
    ...strange.flatMap((name) => [`${name}/file`, `${name}-file`]),
  ].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  for (const key of keys) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), '');
  }
  const store = await openStore(pathToFileURL(folder).href, {
    ...{ env: {}, forbidden: [], stallMs: 60_000, now: () => new Date() },
  });
  const listed = async (prefix: string, after?: string) =>
    (await Array.fromAsync(store.list(prefix, after === undefined ? {} : { after }))).map(({ key }) => key);
  expect(await listed('')).toEqual(keys);
  for (const after of [
    'many',
    'many/020',
    'many/020-folder/',
    'many/020-folder/deep/file',
    'many/299',
    'z/file',
    '\uE000',
  ]) {
    expect(await listed('', after), after).toEqual(
      keys.filter((key) => Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0),
    );
    expect(await listed('many/02', after), after).toEqual(
      keys.filter((key) => key.startsWith('many/02') && Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0),
    );
  }
});
