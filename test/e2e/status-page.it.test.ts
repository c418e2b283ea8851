import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { putBackup, putDrill } from '../fixtures.ts';
import { node, root, runAction } from './runner.ts';

const HOUR_MS = 3_600_000;

/** A folder as a backup job leaves it: ten nightly backups of two sources, one of them drilled. */
async function localStore(): Promise<string> {
  const url = `file://${mkdtempSync(join(tmpdir(), 'lifeboat-status-'))}`;
  const store = memoryStore({ location: url });
  const now = Date.now();
  for (const source of ['orders', 'wallets']) {
    for (let day = 9; day > 0; day -= 1) putBackup(store, new Date(now - (day * 24 + 1) * HOUR_MS), { source });
    const newest = putBackup(store, new Date(now - HOUR_MS), { source });
    if (source === 'orders') await putDrill(store, newest, new Date(now - HOUR_MS / 2));
  }
  for await (const { key } of store.list('')) {
    const path = join(url.slice('file://'.length), key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, Buffer.concat(await Array.fromAsync(await store.get(key))));
  }
  return url;
}

it('is written by a step of verify-freshness, relative to the workspace, and its summary has the overview', async () => {
  const workspace = mkdtempSync(join(tmpdir(), 'lifeboat-workspace-'));
  const { exitCode, summary, log } = await runAction({
    action: 'verify-freshness',
    workspace,
    with: { store: await localStore(), 'min-free-space': '0%', 'status-page': 'site', 'keep-last': 3 },
  });
  expect({ exitCode, log }).toMatchObject({ exitCode: 0 });
  expect(summary).toContain('### Overview');
  const page = join(workspace, 'site/index.html');
  expect(readFileSync(page, 'utf8')).toContain('<h1>All 2 sources are in order, 1 with a warning</h1>');
  expect(readFileSync(page, 'utf8')).toContain('The rules are <code>keep-last 3</code>');
  expect(statSync(page).mode & 0o777).toBe(0o644);
  expect(log).toContain(`The status page is ${page}.`);
});

it('changes nothing of the step when it cannot be written, and the log says so', async () => {
  const workspace = mkdtempSync(join(tmpdir(), 'lifeboat-workspace-'));
  writeFileSync(join(workspace, 'index.html'), '<h1>Our site</h1>');
  const { exitCode, outputs, annotations } = await runAction({
    action: 'verify-freshness',
    workspace,
    with: { store: await localStore(), source: 'orders', 'min-free-space': '0%', 'status-page': '.' },
  });
  expect({ exitCode, verdict: outputs.verdict }).toEqual({ exitCode: 0, verdict: 'pass' });
  expect(annotations.map(({ message }) => message).join()).toContain('is no status page of Lifeboat');
  expect(readFileSync(join(workspace, 'index.html'), 'utf8')).toBe('<h1>Our site</h1>');
});

it('is written from a terminal, without an action of its own', async () => {
  const store = await localStore();
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-terminal-'));
  const lifeboat = (...words: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const args = [join(root, 'dist/cli.js'), 'status', ...words];
      execFile(node, args, { cwd: folder, env: { PATH: '/usr/bin:/bin' } }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  const written = await lifeboat('--store', store, '--min-free-space', '0%', '--html', 'out/status.html');
  expect(written).toMatchObject({ code: 0, stdout: expect.stringContaining('Overview') });
  expect(readFileSync(join(folder, 'out/status.html'), 'utf8')).toMatch(/^<!doctype html>/);
  expect(await lifeboat('--store', store, '--max-age', '1m', '--min-free-space', '0%')).toMatchObject({ code: 1 });
  writeFileSync(join(folder, 'mine.html'), 'mine');
  const refused = await lifeboat('--store', store, '--min-free-space', '0%', '--html', 'mine.html');
  expect(refused).toMatchObject({ code: 2, stdout: expect.stringContaining('it was left alone') });
  expect((await lifeboat('--notify', 'x')).stderr).toContain('There is no flag --notify here.');
});
