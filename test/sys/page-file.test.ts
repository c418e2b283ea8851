import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writePage } from '../../src/sys/page-file.ts';

const page = (text: string) => `<!doctype html><meta name="generator" content="lifeboat 1.0.0">${text}`;
const folder = () => mkdtempSync(join(tmpdir(), 'lifeboat-page-'));

it('writes index.html into a folder that it makes, readable for a web server whatever the umask', async () => {
  const umask = process.umask(0o077);
  const path = await writePage(join(folder(), 'a/b'), page('one')).finally(() => process.umask(umask));
  expect(path).toMatch(/\/a\/b\/index\.html$/);
  expect(readFileSync(path, 'utf8')).toBe(page('one'));
  expect(statSync(path).mode & 0o777).toBe(0o644);
});

it('replaces its own page, leaves everything else in the folder alone, and nothing of its own beside it', async () => {
  const out = folder();
  writeFileSync(join(out, 'other.txt'), 'mine');
  await writePage(out, page('one'));
  await writePage(out, page('two'));
  expect(readdirSync(out).sort()).toEqual(['index.html', 'other.txt']);
  expect(readFileSync(join(out, 'index.html'), 'utf8')).toBe(page('two'));
});

it('takes a name that ends in .html as the file', async () => {
  const path = join(folder(), 'status.html');
  expect(await writePage(path, page('one'))).toBe(path);
});

it('leaves a page of somebody else, and a folder of that name, alone', async () => {
  const out = folder();
  writeFileSync(join(out, 'index.html'), '<h1>Our site</h1>');
  await expect(writePage(out, page('one'))).rejects.toMatchObject({ code: 'guard-refused' });
  expect(readFileSync(join(out, 'index.html'), 'utf8')).toBe('<h1>Our site</h1>');
  mkdirSync(join(out, 'folder.html'));
  await expect(writePage(join(out, 'folder.html'), page('one'))).rejects.toMatchObject({ code: 'guard-refused' });
});

it('writes no page through a link', async () => {
  const out = folder();
  const target = join(folder(), 'target.html');
  writeFileSync(target, page('theirs'));
  symlinkSync(target, join(out, 'index.html'));
  await writePage(out, page('ours'));
  expect(readFileSync(target, 'utf8')).toBe(page('theirs'));
  expect(readFileSync(join(out, 'index.html'), 'utf8')).toBe(page('ours'));
});

it('says which file could not be written, and why', async () => {
  const file = join(folder(), 'file');
  writeFileSync(file, 'no folder');
  await expect(writePage(join(file, 'out'), page('one'))).rejects.toMatchObject({
    code: 'page-not-written',
    message: expect.stringContaining('ENOTDIR'),
    hint: expect.stringContaining('may write to'),
  });
  if (process.getuid?.() === 0) return; // root may write everywhere
  const out = folder();
  chmodSync(out, 0o500);
  await expect(writePage(out, page('one'))).rejects.toMatchObject({ code: 'page-not-written' });
});

it('writes no page into a store, through a link neither, nor makes the folder of one that is not mounted', async () => {
  const [store, elsewhere] = [folder(), folder()];
  symlinkSync(store, join(elsewhere, 'link'));
  const refused = { code: 'guard-refused', hint: expect.stringContaining('outside of every store') };
  for (const out of [store, join(store, 'orders/x.html'), join(elsewhere, 'link/status')])
    await expect(writePage(out, page('one'), [`file://${store}`])).rejects.toMatchObject(refused);
  const unmounted = join(elsewhere, 'usb');
  await expect(writePage(join(unmounted, 'status'), page('one'), [`file://${unmounted}`])).rejects.toMatchObject(
    refused,
  );
  expect(readdirSync(elsewhere)).toEqual(['link']);
  expect(readdirSync(store)).toEqual([]);
  await writePage(join(elsewhere, 'usb-status'), page('one'), [`file://${unmounted}`, 's3://bucket/prefix']);
});
