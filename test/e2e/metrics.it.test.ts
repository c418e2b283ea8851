import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { momentOfId } from '../../src/core/keys.ts';
import { readExposition, seriesValue } from '../notify/exposition.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { Job, type StepResult } from './runner.ts';

let pg: TestPostgres;
let url: string;

beforeAll(async () => {
  pg = await startPostgres();
  await pg.psql('CREATE DATABASE shop');
  await pg.psql('CREATE TABLE orders AS SELECT g AS id, g * 2 AS total FROM generate_series(1, 1000) g', 'shop');
  url = pg.urlOf('shop');
});

afterAll(async () => {
  await pg?.stop();
});

function newFolder(): string {
  const folder = mkdtempSync('/var/tmp/lifeboat-metrics-');
  execFileSync('chmod', ['755', folder]);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function newJob(env: Readonly<Record<string, string>> = {}): Job {
  const job = new Job({ env });
  onTestFinished(() => job.end());
  return job;
}

function read(file: string) {
  const samples = readExposition(readFileSync(file, 'utf8'));
  return (name: string, labels: Readonly<Record<string, string>>) => seriesValue(samples, `lifeboat_${name}`, labels);
}

const actions = ['backup', 'restore-drill', 'prune', 'verify-freshness'];

it('keeps the numbers of four actions in one file, and the last good ones when a run fails', async () => {
  const folder = newFolder();
  const file = join(folder, 'lifeboat.prom');
  const store = `file://${folder}/backups`;
  const job = newJob({ LIFEBOAT_METRICS_FILE: file });
  const step = (action: string, given: Record<string, string> = {}) =>
    job.runStep({ action, with: { source: 'shop', store, ...given } });
  const green = async (action: string, given: Record<string, string>): Promise<StepResult> => {
    const result = await step(action, given);
    expect(result.exitCode, result.log).toBe(0);
    return result;
  };
  const copy = { source: 'shop', store };
  const verify = { action: 'verify-freshness', source: 'shop' };
  const judge = { 'max-age': '2h', 'min-free-space': '0%' };

  const backup = await green('backup', { 'database-url': url });
  const first = read(file);
  expect(first('backup_rows', copy)).toBe(1000);
  expect(first('drill_proof', { ...copy, proof: 'proven' })).toBeUndefined();
  const drill = await green('restore-drill', { 'scratch-dir': join(folder, 'scratch') });
  await green('prune', { 'keep-last': '3' });
  await green('verify-freshness', judge);

  const good = read(file);
  const takenAt = (momentOfId(backup.outputs['backup-id'] ?? '')?.getTime() ?? 0) / 1000;
  expect(good('backup_taken_timestamp_seconds', copy)).toBe(takenAt);
  expect(good('backup_bytes', copy)).toBe(Number(backup.outputs.bytes));
  expect(good('backup_rows', copy)).toBe(1000);
  expect(good('backups', copy)).toBe(1);
  expect(good('backup_oldest_timestamp_seconds', copy)).toBe(takenAt);
  expect(good('drill_restore_seconds', copy)).toBe(Number(drill.outputs['restore-seconds']));
  expect(good('drill_proof', { ...copy, proof: 'proven' })).toBe(1);
  expect(good('store_total_bytes', { store })).toBeGreaterThan(0);
  for (const action of actions) {
    const labels = { action, source: 'shop' };
    expect(good('last_run_timestamp_seconds', labels), action).toBeGreaterThanOrEqual(takenAt);
    expect(good('last_success_timestamp_seconds', labels)).toBe(good('last_run_timestamp_seconds', labels));
  }

  const failing = await step('verify-freshness', { ...judge, 'min-size': '1TB' });
  expect(failing).toMatchObject({ exitCode: 1, outputs: { verdict: 'fail' } });
  const bad = read(file);
  const verdicts = ['pass', 'warn', 'fail', 'unknown'].map((verdict) => bad('verdict', { ...verify, verdict }));
  expect(verdicts).toEqual([0, 0, 1, 0]);
  expect(bad('last_success_timestamp_seconds', verify)).toBe(good('last_success_timestamp_seconds', verify));

  const refused = await step('restore-drill', { 'scratch-dir': 'not/absolute' });
  expect(refused.exitCode).toBe(1);
  const last = read(file);
  expect(last('verdict', { action: 'restore-drill', source: 'shop', verdict: 'unknown' })).toBe(1);
  expect(last('drill_proof', { ...copy, proof: 'proven' })).toBe(1);
  expect(last('drill_restore_seconds', copy)).toBe(good('drill_restore_seconds', copy));

  expect(statSync(file).mode & 0o777).toBe(0o644);
  expect(readdirSync(folder).filter((name) => name.startsWith('lifeboat'))).toEqual([
    'lifeboat.prom',
    'lifeboat.prom.lock',
  ]);
});

it('leaves a file that it did not write, says so, and keeps the verdict', async () => {
  const folder = newFolder();
  const file = join(folder, 'node.prom');
  const foreign = '# HELP node_load1 1m load average.\n# TYPE node_load1 gauge\nnode_load1 0.5\n';
  writeFileSync(file, foreign);
  const job = newJob();
  const given = { source: 'shop', store: `file://${folder}/backups`, 'database-url': url };
  const result = await job.runStep({ action: 'backup', with: { ...given, 'metrics-file': file } });
  expect(result.exitCode, result.log).toBe(0);
  expect(result.log).toContain(`The writing of the metrics file failed: ${file} was left as it is`);
  const { notices } = JSON.parse(readFileSync(result.outputs['report-path'] ?? '', 'utf8'));
  expect(notices).toEqual([expect.stringContaining('was left as it is')]);
  expect(readFileSync(file, 'utf8')).toBe(foreign);
});

it('refuses a path that node_exporter would not read, before anything is done', async () => {
  const folder = newFolder();
  const given = { source: 'shop', store: `file://${folder}/backups`, 'database-url': url };
  const result = await newJob().runStep({ action: 'backup', with: { ...given, 'metrics-file': 'lifeboat.prom' } });
  expect(result.exitCode).toBe(1);
  expect(result.log).toContain('`metrics-file` cannot be "lifeboat.prom". Use an absolute path that ends in `.prom`.');
  expect(readdirSync(folder)).toEqual([]);
});

it('pushes to a gateway, shows no password, and stays green when the gateway refuses', async () => {
  const bodies: string[] = [];
  const gateway = createServer(async (request, response) => {
    const text = await Array.fromAsync(request.setEncoding('utf8'));
    bodies.push(`${request.method} ${request.url}\n${text.join('')}`);
    response.writeHead(bodies.length > 2 ? 500 : 202).end('no room for hunter22');
  }).listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  onTestFinished(() => void gateway.close());
  const folder = newFolder();
  const address = `127.0.0.1:${(gateway.address() as AddressInfo).port}`;
  const push = { 'pushgateway-url': `http://ops:hunter22@${address}` };
  const given = { source: 'shop', store: `file://${folder}/backups`, 'database-url': url, ...push };
  const job = newJob();
  const pushed = await job.runStep({ action: 'backup', with: given });
  expect(pushed.exitCode, pushed.log).toBe(0);
  const group = '/metrics/job/lifeboat/action/backup';
  expect(bodies.map((body) => body.split('\n')[0])).toEqual([`POST ${group}/source/shop`, `DELETE ${group}`]);
  const samples = readExposition((bodies[0] ?? '').replace(/^.*\n/, ''));
  expect(samples.find(({ name }) => name === 'lifeboat_backup_rows')?.value).toBe(1000);

  const refused = await job.runStep({ action: 'backup', with: given });
  expect(refused.exitCode, refused.log).toBe(0);
  expect(refused.log).toContain(`The push of the metrics failed: The Pushgateway at ${address} answered 500`);
  const report = readFileSync(refused.outputs['report-path'] ?? '', 'utf8');
  const told = refused.log.slice(refused.log.indexOf('Snapshot of'));
  for (const text of [told, refused.summary, report]) expect(text).not.toContain('hunter22');
});
