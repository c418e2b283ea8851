import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { putBackup } from '../fixtures.ts';
import { type GitHub, startGitHub } from '../github/stand-in/server.ts';
import { runAction } from './runner.ts';

// By the files in dist/, against a GitHub that takes only what GitHub describes.

const DAY_MS = 86_400_000;
const RUN = 'https://github.example/acme/operations/actions/runs/4711/attempts/1';

function storeFolder(): string {
  const folder = mkdtempSync('/var/tmp/lifeboat-issues-');
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A folder whose only backup is this old. */
async function layOut(folder: string, ageMs: number): Promise<void> {
  rmSync(join(folder, 'orders'), { recursive: true, force: true });
  const model = memoryStore();
  putBackup(model, new Date(Math.floor((Date.now() - ageMs) / 1000) * 1000));
  for await (const { key } of model.list('')) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), await buffer(await model.get(key)));
  }
}

async function watch(folder: string, github: GitHub, more: { event?: string; with?: Record<string, string> } = {}) {
  const given = { store: `file://${folder}`, source: 'orders', 'min-free-space': '0%', ...more.with };
  const env = { GITHUB_API_URL: github.apiUrl, ...(more.event !== undefined && { GITHUB_EVENT_NAME: more.event }) };
  return await runAction({ action: 'verify-freshness', with: given, env, token: github.state.token });
}

it('failure, issue, second failure, still one issue, recovery, closed, failure, reopened', async () => {
  const github = await startGitHub();
  const folder = storeFolder();
  await layOut(folder, 3 * DAY_MS);
  const first = await watch(folder, github);
  expect(first.exitCode).toBe(1);
  expect(first.log).toContain('Opened issue #1: https://github.example/acme/operations/issues/1');
  expect(github.state.issues).toHaveLength(1);
  const [issue] = github.state.issues;
  expect(issue).toMatchObject({ title: 'orders: newest backup is 3d old', labels: ['lifeboat'], state: 'open' });
  expect(issue?.body).toContain(RUN);

  await watch(folder, github);
  expect(github.state.issues).toHaveLength(1);
  expect(issue?.body).toContain('**Seen in:** 2 runs');
  expect(issue?.comments).toEqual([]);

  await layOut(folder, 0);
  const well = await watch(folder, github);
  expect(well.exitCode).toBe(0);
  expect(issue).toMatchObject({ state: 'closed', stateReason: 'completed' });
  expect(issue?.comments).toEqual([expect.stringContaining(RUN)]);

  await layOut(folder, 2 * DAY_MS);
  await watch(folder, github);
  expect(github.state.issues).toHaveLength(1);
  expect(issue).toMatchObject({ state: 'open', stateReason: 'reopened', title: 'orders: newest backup is 2d old' });
  expect(issue?.body).toContain('**Came back:** once');
});

it('says in the log what to grant when the token may not, and stays as red as the backup is', async () => {
  const github = await startGitHub({ may: { issues: 'read', actions: 'none', contents: 'none', runners: false } });
  const folder = storeFolder();
  await layOut(folder, 3 * DAY_MS);
  const result = await watch(folder, github);
  expect(result).toMatchObject({ exitCode: 1, outputs: { verdict: 'fail' } });
  expect(result.log).toContain('Grant the job `permissions: issues: write`');
  await layOut(folder, 0);
  expect(await watch(folder, github)).toMatchObject({ exitCode: 0 });
});

it.each([
  ['with `issue: never`', { with: { issue: 'never' } }],
  ['without a token', { with: { 'github-token': '' } }],
  ['for a pull request', { event: 'pull_request' }],
  ['for a merge queue', { event: 'merge_group' }],
])('asks GitHub for nothing %s', async (_what, more) => {
  const github = await startGitHub();
  const folder = storeFolder();
  await layOut(folder, 3 * DAY_MS);
  expect((await watch(folder, github, more)).exitCode).toBe(1);
  expect(github.requests).toEqual([]);
});

it('reaches GitHub through a proxy', async () => {
  const github = await startGitHub();
  const folder = storeFolder();
  await layOut(folder, 3 * DAY_MS);
  const asked: string[] = [];
  const proxy = createServer().on('connect', (request: IncomingMessage, client: Socket) => {
    asked.push(request.url ?? '');
    const server = connect(Number(new URL(github.apiUrl).port), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      client.pipe(server).pipe(client);
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const)
      one.on('error', () => other.destroy());
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void proxy.close());
  const { port } = proxy.address() as AddressInfo;
  const env = { GITHUB_API_URL: 'http://github.invalid/api/v3', http_proxy: `http://127.0.0.1:${port}` };
  const given = { store: `file://${folder}`, source: 'orders', 'min-free-space': '0%' };
  await runAction({ action: 'verify-freshness', with: given, env, token: github.state.token });
  expect(github.state.issues).toHaveLength(1);
  expect(new Set(asked)).toEqual(new Set(['github.invalid:80']));
});

it('opens an issue when a step refuses its inputs, and never shows the token', async () => {
  const github = await startGitHub();
  const folder = storeFolder();
  const result = await watch(folder, github, { with: { 'max-age': '26' } });
  expect(github.state.issues.map(({ title }) => title)).toEqual([
    'orders: verify-freshness could not be done: `max-age` cannot be "26"',
  ]);
  expect(result.log + JSON.stringify(github.state.issues)).not.toContain(github.state.token);
  await layOut(folder, 0);
  await watch(folder, github);
  expect(github.state.issues[0]).toMatchObject({ state: 'closed' });
});
