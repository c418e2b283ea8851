import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { type Ground, prepareGround } from './ground.ts';
import {
  findBackends,
  findFalseBackups,
  findFalseVerdicts,
  findLeftovers,
  findLostBackups,
  findOrphans,
  findScratch,
  judgeEnd,
} from './invariants.ts';
import type { Site } from './site.ts';

// What is checked after every fault must be able to fail: here each thing is broken by hand, and named.

let ground: Ground;
let site: Site;
beforeAll(async () => {
  ground = await prepareGround(undefined);
});
afterAll(() => ground?.stop());
beforeEach(async () => {
  site = await ground.newSite('file');
});
afterEach(() => site.remove());

const folder = () => join(fileURLToPath(site.store.url.replace(/\?.*$/, '')), 'shop', id());
const id = () => [...site.before.keys()][0] ?? '';

/** Objects are hard links of the base's. */
function ownCopy(name: string): string {
  const path = join(folder(), name);
  copyFileSync(path, `${path}.copy`);
  rmSync(path);
  copyFileSync(`${path}.copy`, path);
  rmSync(`${path}.copy`);
  return path;
}

it('finds nothing wrong with a site that nothing happened to', async () => {
  expect(await findFalseBackups(site.store)).toEqual([]);
  expect(await findLostBackups(site)).toEqual([]);
  expect(await findLeftovers(site.store)).toEqual([]);
  expect(await findBackends(site)).toEqual([]);
  expect(findScratch(site, 'now')).toEqual([]);
});

it('names a manifest whose artifact is not there', async () => {
  rmSync(join(folder(), 'facts.json.zst'));
  expect(await findFalseBackups(site.store)).toEqual([`${id()} is no backup: facts.json.zst is missing.`]);
});

it('names a manifest whose artifact is too short', async () => {
  truncateSync(ownCopy('database.dump.zst'), 1000);
  expect((await findFalseBackups(site.store)).join()).toMatch(/database\.dump\.zst has 1000 bytes instead of \d+/);
});

it('names a backup that is gone', async () => {
  rmSync(join(folder(), 'manifest.json'));
  expect(await findLostBackups(site)).toEqual([`${id()} was there before, and is lost.`]);
  expect(await findLeftovers(site.store)).not.toEqual([]);
});

it('names what was never finished', async () => {
  writeFileSync(join(folder(), '.tmp-1.host.00000000.database.dump.zst'), '');
  mkdirSync(join(folder(), '../20261121T000000Z-000000'));
  writeFileSync(join(folder(), '../20261121T000000Z-000000/in-progress.json'), '{}');
  expect(await findLeftovers(site.store)).toHaveLength(2);
});

it('names a process that outlives its run, and one that works in the scratch folder', async () => {
  mkdirSync(site.scratchDir);
  const marked = spawn('sleep', ['60'], { env: { ...process.env, RUNNER_TRACKING_ID: 'faults_left' } });
  const within = spawn('sleep', ['60'], { cwd: site.scratchDir });
  onTestFinished(() => {
    for (const child of [marked, within]) child.kill('SIGKILL');
  });
  await Promise.all([marked, within].map((child) => once(child, 'spawn')));
  expect(await findOrphans(site, { trackingId: 'faults_left' }, 100)).toHaveLength(2);
});

it('names a connection that is still open', async () => {
  const held = site.server.psql("SET application_name = 'lifeboat held'; SELECT pg_sleep(60)").catch(() => {});
  await vi.waitFor(async () => expect(await findBackends(site, 0)).not.toEqual([]), 20_000);
  expect((await findBackends(site, 0)).join()).toMatch(/Still connected to the source: .*pg_sleep/);
  await site.server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)'");
  await held;
});

it('names a good backup that a drill has disproven', async () => {
  const { ended } = site.start('restore-drill');
  expect((await ended).code).toBe(0);
  expect(await findFalseVerdicts(site.store)).toEqual([]);
  const [name = ''] = readdirSync(join(folder(), 'drills'));
  const text = (await site.store.read(`shop/${id()}/drills/${name}`)).toString();
  writeFileSync(join(folder(), 'drills', name), text.replace('"proof": "proven"', '"proof": "disproven"'));
  expect((await findFalseVerdicts(site.store)).join()).toMatch(/A good backup was disproven/);
});

it('names a run that hangs, says nothing, or does not say what to do', () => {
  const ended = { code: 2, signal: null, seconds: 1, hung: false, log: '', report: undefined };
  const finding = { rule: 'run-failed', status: 'unknown', message: 'It failed.' };
  const report = { verdict: 'unknown' as const, findings: [finding], outputs: {} };
  expect(judgeEnd({ ...ended, hung: true })).toEqual(['It hung.']);
  expect(judgeEnd(ended).join()).toMatch(/without a report/);
  expect(judgeEnd({ ...ended, report })).toEqual(['No hint with run-failed: It failed.']);
  expect(judgeEnd({ ...ended, code: 0, report }).join()).toMatch(/ended with 0, and its verdict is unknown/);
});
