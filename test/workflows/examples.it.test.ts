import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Manifest } from '../../src/core/manifest.ts';
import type { StepOptions } from '../e2e/runner.ts';
import { type JobRun, runWorkflowJob, type StepRun } from '../e2e/workflow.ts';
import { startGitHub } from '../github/stand-in/server.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import type { Rgw } from '../servers/rgw.ts';
import { rgwForTests, whyNoRgw } from '../servers/rgw-for-tests.ts';
import { examples } from './examples.ts';

// Every example as it is, its jobs in the order of their needs, by the files in dist/. What a test changes:
// aws-actions/configure-aws-credentials is a stand-in that exports the gateway's keys; the environment names the
// test's stores and key; limits that judge this machine's disk and the size of a real database are lowered.
// The tests build on each other: a prune needs what backups and drills left.

const HOUR_MS = 3_600_000;
const bucket = `examples-${randomBytes(4).toString('hex')}`;
const folder = mkdtempSync(join(tmpdir(), 'lifeboat-examples-'));
let pg: TestPostgres;
let rgw: Rgw | undefined;
let stop = async () => {};
let identity = '';
let environment: Record<string, string> = {};
let secrets: Record<string, string> = {};

beforeAll(async () => {
  pg = await startPostgres();
  await pg.psql('CREATE DATABASE orders; CREATE DATABASE billing;');
  await pg.psql(
    `CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL);
     CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users, total numeric);
     CREATE TABLE deposit (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users, amount numeric NOT NULL,
       order_id int REFERENCES orders);
     INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 200) i;
     INSERT INTO orders SELECT i, 1 + i % 200, i FROM generate_series(1, 3000) i;
     INSERT INTO deposit SELECT i, 1 + i % 200, i, i FROM generate_series(1, 1000) i;`,
    'orders',
  );
  await pg.psql('CREATE TABLE invoices AS SELECT generate_series(1, 5000) AS id;', 'billing');
  identity = await generateIdentity();
  const stores = [`file://${folder}`];
  if (whyNoRgw() === undefined) {
    ({ rgw, stop } = await rgwForTests());
    await makeBucket(rgw);
    stores.unshift(`s3://${bucket}/prod?region=${rgw.region}&path-style=true&endpoint=${rgw.endpoint}`);
  }
  environment = { LIFEBOAT_STORE: stores.join('\n') };
  const url = (database: string) => pg.urlOf(database).replace('postgres@', 'postgres:hunter22@');
  secrets = {
    ORDERS_DATABASE_URL: url('orders'),
    ORDERS_RESTORE_URL: url('orders'),
    BILLING_DATABASE_URL: url('billing'),
    LIFEBOAT_AGE_IDENTITY: identity,
  };
});

afterAll(async () => {
  await Promise.all([pg?.stop(), stop()]);
  rmSync(folder, { recursive: true, force: true });
});

it('the nightly backup is in every store, encrypted, and fresh', async () => {
  const [backup] = await run('nightly-backup.yml', 'backup');
  expect(backup).toMatchObject({ conclusion: 'success', outputs: { verdict: 'pass' } });
  const id = backup?.outputs['backup-id'] ?? '';
  expect(readManifest('orders', id)).toMatchObject({ source: 'orders', scope: 'full' });
  expect(backup?.outputs.locations?.split('\n')).toHaveLength(environment.LIFEBOAT_STORE?.split('\n').length ?? 0);
  const [freshness] = await run('nightly-backup.yml', 'freshness');
  // Nothing was drilled yet, and that is said.
  expect(freshness).toMatchObject({ conclusion: 'success', outputs: { verdict: 'warn' } });
  expect(rulesOf(freshness, 'warn')).toEqual(['drill-missing']);
});

it('a nightly backup that fails is red, and freshness still says what there is', async () => {
  const broken = { secrets: { ...secrets, ORDERS_DATABASE_URL: 'postgresql://postgres@127.0.0.1:1/orders' } };
  const [backup] = await run('nightly-backup.yml', 'backup', broken);
  expect(backup).toMatchObject({ conclusion: 'failure', outputs: { verdict: 'unknown' } });
  const [freshness] = await run('nightly-backup.yml', 'freshness');
  expect(freshness).toMatchObject({ conclusion: 'success' });
});

it('the hourly backup of two tables is a source of its own', async () => {
  const [backup] = await run('hourly-partial-backup.yml', 'backup');
  expect(backup).toMatchObject({ conclusion: 'success', outputs: { verdict: 'pass' } });
  expect(readManifest('orders-wallets', backup?.outputs['backup-id'] ?? '')).toMatchObject({
    scope: 'tables',
    totals: { tables: 2, rows: 1200 },
  });
  const [freshness] = await run('hourly-partial-backup.yml', 'freshness');
  expect(freshness).toMatchObject({ conclusion: 'success', outputs: { verdict: 'warn' } });
});

it('the watch over freshness is red while nothing was drilled', async () => {
  const watched = await run('freshness.yml', 'freshness');
  expect(watched.map(({ conclusion }) => conclusion)).toEqual(['failure', 'failure']);
  expect(rulesOf(watched[0], 'fail')).toEqual(['drill-missing']);
});

it('the weekly drill proves both sources, and then the watch is green', async () => {
  const drills = await run('weekly-drill.yml', 'drill');
  expect(drills.map(({ conclusion, outputs }) => [conclusion, outputs.proof])).toEqual([
    ['success', 'proven'],
    ['success', 'proven'],
  ]);
  expect(drills.map((drill) => rulesOf(drill, 'pass').filter((rule) => rule === 'assertion').length)).toEqual([2, 1]);
  const watched = await run('freshness.yml', 'freshness');
  expect(watched.map(({ conclusion }) => conclusion)).toEqual(['success', 'success']);
}, 120_000);

it('a drill that is asked for by hand takes the backup that was named', async () => {
  const oldest = readdirSync(join(folder, 'orders')).toSorted()[0];
  const [drill] = await run('weekly-drill.yml', 'drill', { inputs: { backup: 'oldest' } });
  expect(drill).toMatchObject({ conclusion: 'success', outputs: { 'backup-id': oldest } });
}, 120_000);

it('the watch over schedules asks GitHub, tells it of one that is disabled, and is green when all run', async () => {
  const workflows = ['nightly-backup.yml', 'hourly-partial-backup.yml', 'weekly-drill.yml', 'freshness.yml'].map(
    (file) => ({
      file,
      name: file,
      content: examples.find(({ name }) => name === file)?.text ?? '',
      createdAt: new Date(),
      state: file === 'weekly-drill.yml' ? ('disabled_inactivity' as const) : ('active' as const),
    }),
  );
  const github = await startGitHub({ workflows });
  const given = { github: { token: github.state.token }, env: { ...environment, GITHUB_API_URL: github.apiUrl } };
  const [silent] = await run('watch-schedules.yml', 'watch', given);
  expect(silent).toMatchObject({ conclusion: 'failure', outputs: { verdict: 'fail' } });
  expect(github.state.issues.map(({ title }) => title)).toEqual([
    'Backups: weekly-drill.yml was disabled by GitHub, since nobody changed the repository for 60 days',
  ]);
  for (const workflow of workflows) workflow.state = 'active';
  const [watched] = await run('watch-schedules.yml', 'watch', given);
  expect(watched).toMatchObject({ conclusion: 'success' });
  expect(github.state.issues[0]).toMatchObject({ state: 'closed', stateReason: 'completed' });
}, 120_000);
it('the drill that is kept as evidence uploads and attests its report, also when it failed', async () => {
  const kept: { action: string; given: Readonly<Record<string, string>>; report: Record<string, unknown> }[] = [];
  const keep = (action: string) => (given: Readonly<Record<string, string>>) => {
    const path = given.path ?? given['subject-path'] ?? '';
    kept.push({ action, given, report: JSON.parse(readFileSync(path, 'utf8')) });
    return {};
  };
  const more = { 'actions/upload-artifact': keep('upload'), 'actions/attest': keep('attest') };
  const unmet = (step: StepOptions) => {
    const { with: given } = adjust(step);
    const isOrders = given?.source === 'orders';
    return {
      ...adjust(step),
      with: { ...given, ...(isOrders && { assertions: 'there are few: SELECT count(*) < 5 FROM orders' }) },
    };
  };
  const drills = await run('drill-evidence.yml', 'drill', { others: { ...others, ...more }, adjust: unmet });
  expect(drills.map(({ conclusion, outputs }) => [conclusion, outputs.proof])).toEqual([
    ['failure', 'proven'],
    ['success', 'proven'],
  ]);
  expect(kept.map(({ action, given }) => [action, given.name])).toEqual([
    ['upload', 'drill-orders'],
    ['attest', undefined],
    ['upload', 'drill-orders-wallets'],
    ['attest', undefined],
  ]);
  for (const { report } of kept) {
    expect(report).toMatchObject({ action: 'restore-drill', drill: { record: { proof: 'proven' } } });
    expect(JSON.stringify(report)).not.toMatch(/hunter22|AGE-SECRET-KEY/);
  }
}, 300_000);

it('prune removes what no rule wants, behind a drill that passed; by hand it only shows the plan', async () => {
  const [oldest] = readdirSync(join(folder, 'orders'));
  const [between] = await run('nightly-backup.yml', 'backup');
  await run('nightly-backup.yml', 'backup');
  const [drill] = await run('prune-after-drill.yml', 'drill');
  expect(drill).toMatchObject({ conclusion: 'success', outputs: { proof: 'proven' } });
  const needs = { drill: { result: 'success', outputs: {} } };
  const [plan] = await run('prune-after-drill.yml', 'prune', { needs, inputs: { 'dry-run': true } });
  expect(plan).toMatchObject({ conclusion: 'success', outputs: { 'removed-count': '0' } });
  expect(readdirSync(join(folder, 'orders'))).toHaveLength(3);
  const [prune] = await run('prune-after-drill.yml', 'prune', { needs });
  // The newest of the day stays, and the oldest of all while there are fewer days than rules ask for.
  expect(prune).toMatchObject({ conclusion: 'success', outputs: { 'kept-count': '2', 'removed-count': '1' } });
  expect(JSON.parse(prune?.outputs.removed ?? '')).toEqual([between?.outputs['backup-id']]);
  expect(readdirSync(join(folder, 'orders'))).toEqual([oldest, drill?.outputs['backup-id']]);
}, 120_000);

it('the matrix backs up each database by the name of its secret, and judges them together', async () => {
  const backups = await run('backup-matrix.yml', 'backup');
  expect(backups.map(({ conclusion }) => conclusion)).toEqual(['success', 'success']);
  expect(readManifest('billing', backups[1]?.outputs['backup-id'] ?? '').server.database).toBe('billing');
  const [freshness] = await run('backup-matrix.yml', 'freshness');
  expect(freshness).toMatchObject({ conclusion: 'success' });
  const rows = JSON.parse(freshness?.outputs.sources ?? '') as { source: string }[];
  expect([...new Set(rows.map(({ source }) => source))]).toEqual(['billing', 'orders']);
});

it('a restore shows its plan first, and then swaps what was named', async () => {
  await pg.psql('DELETE FROM deposit', 'orders');
  const inputs = { backup: 'latest', mode: 'new-database', swap: true, confirm: 'orders', 'only-plan': false };
  const given = { inputs, needs: { plan: { result: 'success', outputs: {} } }, adjust: withoutApplication };
  const [plan] = await run('restore.yml', 'plan', given);
  expect(plan).toMatchObject({ conclusion: 'success', outputs: { database: '' } });
  expect(await pg.psql('SELECT count(*) FROM deposit', 'orders')).toBe('0');
  const [wrong] = await run('restore.yml', 'plan', { ...given, inputs: { ...inputs, confirm: 'billing' } });
  expect(wrong).toMatchObject({ conclusion: 'failure' });
  expect(rulesOf(wrong, 'fail')).toEqual(['restore-confirm']);
  const [restored] = await run('restore.yml', 'restore', given);
  expect(restored).toMatchObject({ conclusion: 'success', outputs: { database: 'orders' } });
  expect(await pg.psql('SELECT count(*) FROM deposit', 'orders')).toBe('1000');
}, 120_000);

async function makeBucket({ endpoint, region, accessKeyId, secretAccessKey }: Rgw): Promise<void> {
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
}

interface Ran {
  readonly conclusion: string;
  readonly outputs: Readonly<Record<string, string>>;
}

/** Runs a job of an example, once for each entry of its matrix. */
async function run(file: string, job: string, given: Partial<JobRun> = {}): Promise<Ran[]> {
  const { workflow } = examples.find(({ name }) => name === file) ?? {};
  if (workflow?.jobs[job] === undefined) throw new Error(`${file} has no job ${job}.`);
  const entries = workflow.jobs[job].strategy?.matrix.include ?? [{}];
  const recipient = workflow.env.LIFEBOAT_AGE_RECIPIENTS && {
    LIFEBOAT_AGE_RECIPIENTS: await identityToRecipient(identity),
  };
  const ran: Ran[] = [];
  for (const matrix of entries) {
    const env = { ...environment, ...recipient };
    const options = { secrets, matrix, env, others, adjust, ...given };
    const { conclusion, steps } = await runWorkflowJob(`workflows-examples/${file}`, job, options);
    ran.push({ conclusion, outputs: checkedStep(steps).outputs });
  }
  return ran;
}

const others: NonNullable<JobRun['others']> = {
  'aws-actions/configure-aws-credentials': (given) => {
    expect(given['role-to-assume']).toMatch(/^arn:aws:iam::\d{12}:role\/lifeboat-/);
    if (rgw === undefined) return {};
    return { env: { AWS_ACCESS_KEY_ID: rgw.accessKeyId, AWS_SECRET_ACCESS_KEY: rgw.secretAccessKey } };
  },
};

function adjust(step: StepOptions): StepOptions {
  const lowered = { 'min-size': '1KB', ...(step.action === 'verify-freshness' && { 'min-free-space': '0%' }) };
  const changed = Object.entries(lowered).filter(([name]) => name === 'min-free-space' || name in (step.with ?? {}));
  return { ...step, with: { ...step.with, ...Object.fromEntries(changed) }, timeoutMs: HOUR_MS };
}

/** There is no application to stop, to start and to ask. */
function withoutApplication(step: StepOptions): StepOptions {
  const { with: given, ...rest } = adjust(step);
  const { 'health-url': _, before, after, ...others } = given ?? {};
  const commands = before === undefined && after === undefined ? {} : { before: 'true', after: 'true' };
  return { ...rest, with: { ...others, ...commands } };
}

/** The one step of ours: it left nothing behind, told no secret, and its inputs were all known. */
function checkedStep(steps: readonly StepRun[]): { outputs: Readonly<Record<string, string>> } {
  const [result, ...more] = steps.map((step) => step.result).filter((one) => one !== undefined);
  if (result === undefined || more.length > 0) throw new Error('An example runs one action of ours in each job.');
  expect(result.orphans).toEqual([]);
  expect(result.summary).not.toBe('');
  for (const secret of ['hunter22', identity]) expect(result.log + result.summary).not.toContain(secret);
  expect(result.annotations.filter(({ message }) => message.startsWith('Unexpected input'))).toEqual([]);
  return result;
}

function rulesOf(ran: Ran | undefined, status: string): string[] {
  const findings = JSON.parse(ran?.outputs.findings ?? '[]') as { rule: string; status: string; subject?: string }[];
  const here = findings.filter(({ subject }) => subject === undefined || subject.startsWith('file:'));
  return here.filter((finding) => finding.status === status).map(({ rule }) => rule);
}

function readManifest(source: string, id: string): Manifest {
  const place = join(folder, source, id);
  expect(
    readdirSync(place)
      .filter((name) => !name.endsWith('.json'))
      .every((name) => name.endsWith('.zst.age')),
  ).toBe(true);
  return Manifest.parse(JSON.parse(readFileSync(join(place, 'manifest.json'), 'utf8')));
}
