import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { putBackup } from '../fixtures.ts';
import { runAction } from './runner.ts';

const IDENTITY = 'AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ';

/** An S3 that takes connections and never answers: a step that uses it is busy for as long as one likes. */
async function silentStore(): Promise<{ url: string; connected: Promise<unknown> }> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => void sockets.push(socket.on('error', () => {})));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const url = `s3://bucket/prefix?region=us-east-1&path-style=true&endpoint=http://127.0.0.1:${port}`;
  return { url, connected: once(server, 'connection') };
}

const credentials = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'very-secret-key' };

it('is red, names every problem, and sets the common outputs when inputs are wrong', async () => {
  const result = await runAction({ action: 'verify-freshness', with: { 'max-age': '26', kepp: 'x' } });
  expect(result.exitCode).toBe(1);
  expect(result.outputs.verdict).toBe('unknown');
  expect(JSON.parse(result.outputs.findings ?? '')).toMatchObject([{ rule: 'run-failed', status: 'unknown' }]);
  expect(result.summary).toMatch(/^## ❓ unknown: verify-freshness could not do its work\n/);
  for (const text of ['`store` is missing.', '`max-age` cannot be "26".', '`kepp` is no input here.']) {
    expect(result.log).toContain(text);
  }
});

it('runs the same action by the root with `command`', async () => {
  const result = await runAction({ action: '.', with: { command: 'verify-freshness', 'max-age': '26' } });
  expect(result.exitCode).toBe(1);
  expect(result.log).toContain('verify-freshness could not do its work');
});

it('registers secrets as masks before it logs anything, also when it refuses its inputs', async () => {
  const env = { LIFEBOAT_AGE_IDENTITY: IDENTITY, LIFEBOAT_UNKNOWN: 'x', ...credentials };
  const secrets = [IDENTITY, credentials.AWS_SECRET_ACCESS_KEY];
  const result = await runAction({ action: 'backup', env, secrets });
  expect(result.exitCode).toBe(1);
  expect(result.masks).toEqual(expect.arrayContaining(secrets));
  expect(result.log).toContain('LIFEBOAT_UNKNOWN in the environment is no variable of Lifeboat');
});

it('is as green as its verdict, also where a password reads like one', async () => {
  const folder = mkdtempSync('/var/tmp/lifeboat-step-');
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await layOut(folder);
  const given = { source: 'orders', store: `file://${folder}`, 'keep-last': 1 };
  expect((await runAction({ action: 'prune', with: given })).outputs.verdict).toBe('pass');
  const result = await runAction({ action: 'prune', with: given, env: { PGPASSWORD: 'pass' } });
  expect(result.exitCode, result.log).toBe(0);
});

/** A folder with one backup in it. */
async function layOut(folder: string): Promise<void> {
  const model = memoryStore();
  putBackup(model, '2026-11-20');
  for await (const { key } of model.list('')) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), await buffer(await model.get(key)));
  }
}

it('lets no input act as a workflow command', async () => {
  const source = 'x\n::set-output name=verdict::pass\n##[set-output name=injected;]1';
  const result = await runAction({ action: 'verify-freshness', with: { source, store: 'file:///nonexistent' } });
  expect(result.outputs).not.toHaveProperty('injected');
  expect(result.outputs.verdict).not.toBe('pass');
});

it('gives up after `timeout`, cleans up, and says so', async () => {
  const { url } = await silentStore();
  const given = { source: 'orders', store: url, timeout: '1s' };
  const result = await runAction({ action: 'verify-freshness', with: given, env: credentials });
  expect(result.exitCode).toBe(1);
  expect(result.summary).toContain('took longer than its <code>timeout</code> of 1s');
  expect(result.orphans).toEqual([]);
});

it('ends in order when it is cancelled: report, outputs and state are there', async () => {
  const { url, connected } = await silentStore();
  const given = { source: 'orders', store: url };
  const interruption = connected.then(() => 'cancel' as const);
  const result = await runAction({ action: 'verify-freshness', with: given, env: credentials, interruption });
  expect(result).toMatchObject({ exitCode: 1, interrupted: 'cancel', outputs: { verdict: 'unknown' } });
  expect(result.summary).toContain('The step was cancelled (SIGINT).');
  expect(result.state.finished).toBe('true');
  expect(result.post).toMatchObject({ exitCode: 0, annotations: [] });
});

it('cleans up in `post` what a killed step left', async () => {
  const { url, connected } = await silentStore();
  const given = { source: '*', store: url };
  const interruption = connected.then(() => 'kill' as const);
  const result = await runAction({ action: 'verify-freshness', with: given, env: credentials, interruption });
  expect(result).toMatchObject({ exitCode: 128, interrupted: 'kill', outputs: {} });
  expect(result.post?.log).toContain('The step ended before it could clean up.');
});
