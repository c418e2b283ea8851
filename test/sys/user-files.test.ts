import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { userFiles } from '../../src/sys/user-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'lifeboat-files-'));
const files = userFiles(folder);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('reads paths as they are typed', () => {
  expect(files.resolve('a/b')).toBe(join(folder, 'a/b'));
  expect(files.resolve('/a/../b')).toBe('/b');
  expect(files.resolve('~/x')).toBe(join(homedir(), 'x'));
  expect(files.resolve('~x')).toBe(join(folder, '~x'));
});

it('lets nobody else read a secret, whatever the umask says', async () => {
  const before = process.umask(0o000);
  await files.write(join(folder, 'keys/secret'), 'key', { secret: true }).finally(() => process.umask(before));
  expect(statSync(join(folder, 'keys/secret')).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'keys')).mode & 0o777).toBe(0o700);
});

it('writes whole files in place of others, and leaves nothing beside them', async () => {
  const path = join(folder, 'plain/file');
  await files.write(path, 'one', { secret: false });
  await files.write(path, 'two', { secret: false });
  expect(await files.read(path)).toBe('two');
  expect(readdirSync(join(folder, 'plain'))).toEqual(['file']);
});

it('says that there is nothing, and what could not be read or written', async () => {
  expect(await files.read(join(folder, 'nothing'))).toBeUndefined();
  writeFileSync(join(folder, 'a file'), '');
  expect(await files.read(join(folder, 'a file/below'))).toBeUndefined();
  await expect(files.read(folder)).rejects.toMatchObject({ code: 'invalid-input' });
  const refused = { code: 'file-not-written', message: expect.stringContaining('a file/below') };
  await expect(files.write(join(folder, 'a file/below'), 'x', { secret: false })).rejects.toMatchObject(refused);
});

it('finds the repository around a path, also of a worktree', async () => {
  mkdirSync(join(folder, 'repository/.git'), { recursive: true });
  mkdirSync(join(folder, 'worktree'));
  writeFileSync(join(folder, 'worktree/.git'), 'gitdir: elsewhere');
  expect(await files.repositoryOf(join(folder, 'repository/deep/below/key'))).toBe(join(folder, 'repository'));
  expect(await files.repositoryOf(join(folder, 'worktree/key'))).toBe(join(folder, 'worktree'));
  expect(await files.repositoryOf(join(folder, 'keys/secret'))).toBeUndefined();
});

it('keeps the old text when the disk refuses the new one', async () => {
  const closed = join(folder, 'closed');
  mkdirSync(closed);
  writeFileSync(join(closed, 'file'), 'old');
  if (process.getuid?.() === 0) return; // root writes anywhere
  chmodSync(closed, 0o555);
  await expect(files.write(join(closed, 'file'), 'new', { secret: false })).rejects.toMatchObject({
    code: 'file-not-written',
  });
  expect(readFileSync(join(closed, 'file'), 'utf8')).toBe('old');
});
