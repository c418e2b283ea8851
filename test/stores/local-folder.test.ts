import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localStore } from '../../src/stores/local.ts';
import { keysOf } from '../contracts/store.contract.ts';

const MIB = 1024 * 1024;
const ID = '20261121T031500Z-3f9a1c';
let outer = '';
let base = '';

beforeEach(() => {
  outer = mkdtempSync(join(tmpdir(), 'lifeboat-folder-'));
  base = join(outer, 'backups');
});

afterEach(() => {
  rmSync(outer, { recursive: true, force: true });
});

function open(folder = base) {
  return localStore({ folder, location: `file://${folder}` });
}

function put(key: string, content = key) {
  return open().put(key, Readable.from([content]));
}

describe('the base folder', () => {
  it('is created by the first put, below a folder that exists', async () => {
    await put(`db/${ID}/manifest.json`);
    expect(await keysOf(open(), '')).toEqual([`db/${ID}/manifest.json`]);
  });

  it('is not created where its parent is missing: a disk is not mounted', async () => {
    const store = open(join(outer, 'mnt/backups'));
    const failure = { code: 'store-missing', hint: expect.stringContaining('Mount the disk') };
    await expect(store.put('db/one', Readable.from(['x']))).rejects.toMatchObject(failure);
    expect(existsSync(join(outer, 'mnt'))).toBe(false);
  });

  it('is missing, and not empty, to everything that reads', async () => {
    const store = open();
    const failure = { code: 'store-missing' };
    await expect(keysOf(store, 'db/')).rejects.toMatchObject(failure);
    await expect(store.listFolders()).rejects.toMatchObject(failure);
    await expect(store.get('db/one')).rejects.toMatchObject(failure);
    await expect(store.head('db/one')).rejects.toMatchObject(failure);
    await expect(store.remove(['db/one'])).rejects.toMatchObject(failure);
    await expect(Array.fromAsync(store.openUploads('db/'))).rejects.toMatchObject(failure);
    expect(await store.freeSpace()).toMatchObject({ totalBytes: expect.any(Number) });
  });

  it('may itself be a link', async () => {
    mkdirSync(join(outer, 'disk'));
    symlinkSync(join(outer, 'disk'), base);
    await put('db/one');
    expect(await text(await open().get('db/one'))).toBe('db/one');
  });
});

describe('files and folders', () => {
  it('are for their owner alone', async () => {
    await put(`db/${ID}/manifest.json`);
    const modes = ['', '/db', `/db/${ID}`, `/db/${ID}/manifest.json`].map((path) => statSync(base + path).mode & 0o777);
    expect(modes).toEqual([0o700, 0o700, 0o700, 0o600]);
  });

  it('go with the last object in them, up to the base', async () => {
    await put(`db/${ID}/manifest.json`);
    await put(`db/${ID}/drills/1.json`);
    await open().remove([`db/${ID}/manifest.json`]);
    expect(readdirSync(join(base, 'db', ID))).toEqual(['drills']);
    await open().remove([`db/${ID}/drills/1.json`]);
    expect(readdirSync(base)).toEqual([]);
  });

  it('of other people do not disturb a listing', async () => {
    await put('db/one');
    execFileSync('mkfifo', [join(base, 'db/fifo')]);
    writeFileSync(Buffer.concat([Buffer.from(join(base, 'db/')), Buffer.from([0xff, 0xfe])]), 'no UTF-8');
    writeFileSync(join(base, 'db/.tmp-of somebody else'), 'x');
    symlinkSync('/etc/passwd', join(base, 'db/passwd'));
    symlinkSync('/etc', join(base, 'etc'));
    symlinkSync('nowhere', join(base, 'db/dangling'));
    writeFileSync(join(base, 'README'), 'Ask Ada.');
    expect(await keysOf(open(), '')).toEqual(['README', 'db/one']);
    expect(await open().listFolders()).toEqual(['db']);
    expect(await Array.fromAsync(open().openUploads(''))).toEqual([]);
    await expect(open().get('db/fifo')).rejects.toMatchObject({ code: 'not-found' });
    await expect(open().get('db/passwd')).rejects.toMatchObject({ code: 'store-denied' });
    expect(await open().head('db/passwd')).toBeUndefined();
  });
});

describe('keys', () => {
  it.each(['../out', 'db/../../out', '/etc/passwd', 'db//x', 'db/./x', 'db/', '', 'db/\0', 'db/.tmp-1'])(
    'do not leave the folder: %j',
    async (key) => {
      await put('db/one');
      writeFileSync(join(outer, 'out'), 'secret');
      const failure = { code: 'store-denied', message: expect.stringContaining('cannot be a path') };
      await expect(put(key)).rejects.toMatchObject(failure);
      await expect(open().get(key)).rejects.toMatchObject(failure);
      await expect(open().head(key)).rejects.toMatchObject(failure);
      await expect(open().remove([key])).rejects.toMatchObject(failure);
      expect(readFileSync(join(outer, 'out'), 'utf8')).toBe('secret');
    },
  );

  it('do not leave the folder by a prefix', async () => {
    await put('db/one');
    await expect(keysOf(open(), '../')).rejects.toMatchObject({ code: 'store-denied' });
    await expect(keysOf(open(), 'db/../../')).rejects.toMatchObject({ code: 'store-denied' });
  });

  it('do not leave the folder by a link', async () => {
    mkdirSync(join(outer, 'elsewhere'));
    writeFileSync(join(outer, 'elsewhere/one'), 'secret');
    mkdirSync(base);
    symlinkSync(join(outer, 'elsewhere'), join(base, 'db'));
    const failure = { code: 'store-denied', message: expect.stringContaining('leads out') };
    await expect(put('db/two')).rejects.toMatchObject(failure);
    await expect(put('db/deep/er/two')).rejects.toMatchObject(failure);
    await expect(open().get('db/one')).rejects.toMatchObject(failure);
    await expect(open().remove(['db/one'])).rejects.toMatchObject(failure);
    await expect(keysOf(open(), 'db/')).rejects.toMatchObject(failure);
    expect(readdirSync(join(outer, 'elsewhere'))).toEqual(['one']);
  });

  it('cannot go below a file', async () => {
    await put('db');
    await expect(put('db/one')).rejects.toMatchObject({
      code: 'store-denied',
      hint: expect.stringContaining('A file'),
    });
  });
});

it('lets one of two writers have a key', async () => {
  mkdirSync(base);
  const writers = Array.from({ length: 8 }, (_, index) => put('db/one', `writer ${index}`));
  const outcomes = await Promise.allSettled(writers);
  const winners = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [`writer ${index}`] : []));
  expect(winners).toEqual([await text(await open().get('db/one'))]);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'store-denied' });
  }
  expect(readdirSync(join(base, 'db'))).toEqual(['one']);
});

describe('damage', () => {
  it('done while a file is written is found by reading it back', async () => {
    mkdirSync(base);
    const body = Readable.from([Buffer.alloc(12 * MIB, 'a')]);
    let isSpoilt = false;
    const onBytes = (bytes: number) => {
      if (bytes > 0 || isSpoilt) return;
      isSpoilt = true;
      const [name = ''] = readdirSync(join(base, 'db'));
      truncateSync(join(base, 'db', name), 11 * MIB);
    };
    await expect(open().put('db/one', body, { onBytes })).rejects.toMatchObject({ code: 'artifact-corrupt' });
    expect(readdirSync(base)).toEqual([]);
  });

  it('done while a file is read makes the stream error', async () => {
    mkdirSync(join(base, 'db'), { recursive: true });
    writeFileSync(join(base, 'db/one'), Buffer.alloc(20 * MIB));
    const stream = await open().get('db/one');
    truncateSync(join(base, 'db/one'), 10 * MIB);
    await expect(buffer(stream)).rejects.toMatchObject({
      code: 'artifact-corrupt',
      message: `db/one ended after ${10 * MIB} of ${20 * MIB} bytes.`,
    });
  });

  it('done to a file later changes its tag', async () => {
    const { tag } = await put('db/one', 'hello');
    writeFileSync(join(base, 'db/one'), 'jello');
    expect((await open().head('db/one'))?.tag).not.toBe(tag);
  });
});

describe('a file system that refuses', () => {
  it.skipIf(process.getuid?.() !== 0)('for lack of permission says whom to ask for it', async () => {
    await put('db/one');
    chmodSync(outer, 0o755);
    chmodSync(base, 0o555);
    await asNobody(async () => {
      await expect(put('db-x/one')).rejects.toMatchObject({
        code: 'store-denied',
        hint: expect.stringContaining('the user the runner runs as'),
      });
      await expect(keysOf(open(), 'db/')).rejects.toMatchObject({ code: 'store-denied' });
    });
  });

  it.skipIf(process.getuid?.() !== 0)('opens no folder that lies wholly before the key to begin after', async () => {
    mkdirSync(base, { mode: 0o755 });
    for (const day of ['01', '02', '03']) await put(`db/202611${day}T000000Z-000000/manifest.json`);
    chmodSync(outer, 0o755);
    chmodSync(join(base, 'db'), 0o755);
    // Only the newest can be opened: a listing that looked into the others would be denied.
    chownSync(join(base, 'db/20261103T000000Z-000000'), 65_534, 65_534);
    await asNobody(async () => {
      expect(await keysOf(open(), 'db/', 'db/20261103')).toEqual(['db/20261103T000000Z-000000/manifest.json']);
      expect(await open().listFolders()).toEqual(['db']);
      await expect(keysOf(open(), 'db/', 'db/20261102')).rejects.toMatchObject({ code: 'store-denied' });
    });
  });

  it.skipIf(!canMount())('because it is full leaves nothing behind', async () => {
    mkdirSync(base);
    expect(await putInside('mount -t tmpfs -o size=4m none "$0"', 16 * MIB)).toMatchObject({
      code: 'store-full',
      message: expect.stringContaining('ENOSPC'),
      hint: expect.stringContaining('Free space'),
      keys: [],
      uploads: [],
      folders: [],
    });
  });

  it.skipIf(!canMount())('because it is mounted read-only says so', async () => {
    mkdirSync(base);
    expect(await putInside('mount -t tmpfs -o ro none "$0"', 0)).toMatchObject({
      code: 'store-denied',
      hint: expect.stringContaining('read-only'),
    });
  });
});

/** Runs as a user to whom permissions apply. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  process.seteuid?.(65_534);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}

function canMount(): boolean {
  try {
    execFileSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    if (process.env.LIFEBOAT_TEST_REQUIRE_ALL === '1') throw new Error('unshare -rm cannot mount here');
    console.warn('Skipped: full and read-only file systems need user namespaces (`unshare -rm`).');
    return false;
  }
}

/** Puts an object of `size` bytes into `base` after `mount` was run on it, in a mount namespace of its own. */
async function putInside(mount: string, size: number): Promise<Record<string, unknown>> {
  const program = fileURLToPath(new URL('put-into.ts', import.meta.url));
  const script = `${mount} && exec "$1" "$2" "file://$0" "$3"`;
  const args = ['-rm', 'sh', '-c', script, base, process.execPath, program, String(size)];
  const { stdout } = await promisify(execFile)('unshare', args);
  return JSON.parse(stdout);
}
