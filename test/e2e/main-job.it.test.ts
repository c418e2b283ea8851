import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import type { Rgw } from '../servers/rgw.ts';
import { rgwForTests, whyNoRgw } from '../servers/rgw-for-tests.ts';
import { filesIn } from './failures-step.ts';
import { type Seen, watchChildren } from './main-job-processes.ts';
import { Job, type StepResult } from './runner.ts';

const noRgw = whyNoRgw();
const PASSWORD = 'corr3ct/horse#battery';
const ROLE_PASSWORD = 'clerks-own-passw0rd';

let pg: TestPostgres;
let identity: string;
let recipient: string;
let url: string;

beforeAll(async () => {
  pg = await startPostgres();
  const hba = join(pg.dataDir, 'pg_hba.conf');
  writeFileSync(hba, `host all dba 127.0.0.1/32 scram-sha-256\n${readFileSync(hba, 'utf8')}`);
  await pg.psql(`
    CREATE ROLE dba LOGIN SUPERUSER PASSWORD '${PASSWORD}';
    CREATE ROLE clerk LOGIN PASSWORD '${ROLE_PASSWORD}';
    SELECT pg_reload_conf();
    CREATE DATABASE shop OWNER clerk`);
  await pg.psql(
    `CREATE TABLE customers (id int PRIMARY KEY, email text UNIQUE);
     CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers, total numeric);
     CREATE TABLE wallets (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers, cents bigint CHECK (cents >= 0));
     INSERT INTO customers SELECT g, g || '@example.com' FROM generate_series(1, 5000) g;
     INSERT INTO orders SELECT g, 1 + g % 5000, g FROM generate_series(1, 60000) g;
     INSERT INTO wallets SELECT g, g, g * 100 FROM generate_series(1, 5000) g;
     ALTER TABLE orders OWNER TO clerk; GRANT SELECT ON customers TO clerk;
     ALTER DATABASE shop SET work_mem = '8MB'`,
    'shop',
  );
  identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
  url = `postgresql://dba:${encodeURIComponent(PASSWORD)}@127.0.0.1:${pg.port}/shop`;
});

afterAll(async () => {
  await pg?.stop();
});

function newFolder(): string {
  const folder = mkdtempSync('/var/tmp/lifeboat-main-job-');
  execFileSync('chmod', ['755', folder]);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function newJob(secrets: readonly string[], env: Record<string, string> = {}): Job {
  const job = new Job({ secrets, env });
  onTestFinished(() => job.end());
  return job;
}

/** Backups are dated in whole seconds. */
async function nextSecond(): Promise<void> {
  await delay(1_050 - (Date.now() % 1_000));
}

function expectGreen(result: StepResult, verdict = 'pass'): void {
  expect(result.exitCode, result.log).toBe(0);
  expect(result.outputs.verdict, result.log).toBe(verdict);
  expect(result.orphans).toEqual([]);
  expect(result.summary).toMatch(/^## ✅ pass: /);
  expect(JSON.parse(readFileSync(result.outputs['report-path'] ?? '', 'utf8'))).toMatchObject({ format: 1, verdict });
}

/** Each chart has a table with the same numbers below it. */
function expectChartsWithTables(summary: string): void {
  const parts = summary.split('```mermaid').slice(1);
  expect(parts.length).toBeGreaterThan(0);
  for (const part of parts) {
    const [chart = '', rest = ''] = part.split('```');
    const bars = /bar \[(.*)\]/.exec(chart)?.[1]?.split(', ') ?? [];
    const table = rest.slice(0, rest.indexOf('</details>'));
    expect(table).toContain('The same as a table');
    for (const bar of bars) expect(table).toMatch(new RegExp(`\\| +${bar.replace('.', '\\.')} \\|`));
  }
}

describe.skipIf(noRgw)('the main job, encrypted, in a folder and a bucket at once', () => {
  let rgw: Rgw;
  let stop: () => Promise<void>;
  let client: S3Client;

  beforeAll(async () => {
    ({ rgw, stop } = await rgwForTests());
    const { endpoint, region, accessKeyId, secretAccessKey } = rgw;
    client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
    await client.send(new CreateBucketCommand({ Bucket: 'main-job' }));
  });

  afterAll(async () => {
    client?.destroy();
    await stop?.();
  });

  async function keysInBucket(): Promise<string[]> {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'main-job', Prefix: 'team/' }));
    return Contents.map(({ Key = '' }) => Key.slice('team/'.length)).toSorted();
  }

  it('backs up, judges, drills and prunes, and shows no secret to anybody', async () => {
    const folder = newFolder();
    const scratch = join(newFolder(), 'scratch');
    const secret = rgw.secretAccessKey;
    const env = { AWS_ACCESS_KEY_ID: rgw.accessKeyId, AWS_SECRET_ACCESS_KEY: secret };
    const job = newJob([url, identity, secret], env);
    const store = `file://${folder}\ns3://main-job/team?endpoint=${rgw.endpoint}&path-style=true`;
    const results: StepResult[] = [];
    const step = async (action: string, given: Record<string, string>) => {
      const result = await job.runStep({ action, with: { source: 'shop', store, ...given } });
      results.push(result);
      return result;
    };
    const backup = {
      'database-url': url,
      'age-recipients': recipient,
      'role-passwords': 'true',
      labels: 'team=payments',
    };

    const { result: pruned, seen } = await watchChildren([pg.pid, ...rgw.pids], async () => {
      const first = await step('backup', backup);
      expectGreen(first);
      await nextSecond();
      const pinned = await step('backup', { ...backup, pin: 'before the move to 17', 'pin-for': '8w' });
      expectGreen(pinned);
      await nextSecond();
      const newest = await step('backup', backup);
      expectGreen(newest);
      expectBackup(newest, folder);
      expectChartsWithTables(newest.summary);
      expect(await keysInBucket()).toEqual(filesIn(folder));

      const drill = await step('restore-drill', {
        'age-identity': identity,
        'scratch-dir': scratch,
        'max-duration': '5m',
        'max-data-loss': '1h',
        assertions: 'wallets add up: SELECT sum(cents) = 1250250000 FROM wallets',
      });
      expectGreen(drill);
      expect(drill.outputs).toMatchObject({ proof: 'proven', 'backup-id': newest.outputs['backup-id'] });
      for (const keys of [filesIn(folder), await keysInBucket()]) expect(keys).toContain(drill.outputs['record-key']);

      const fresh = await step('verify-freshness', {
        'max-age': '1h',
        'min-backups': '3',
        'read-data': '100%',
        'min-free-space': '1%',
      });
      expectGreen(fresh);
      expect(fresh.outputs['newest-backup-id']).toBe(newest.outputs['backup-id']);

      const pruning = await step('prune', { 'keep-last': '1' });
      expectGreen(pruning);
      expect(JSON.parse(pruning.outputs.removed ?? '')).toEqual([first.outputs['backup-id']]);
      expect(JSON.parse(pruning.outputs.kept ?? '').toSorted()).toEqual(
        [pinned.outputs['backup-id'], newest.outputs['backup-id']].toSorted(),
      );
      expect(pruning.summary).toContain('| kept | pinned until 20');
      return pruning;
    });

    expect(Number(pruned.outputs['freed-bytes'])).toBeGreaterThan(0);
    const names = readdirSync(join(folder, 'shop'));
    expect(names).toHaveLength(2);
    expect([...new Set((await keysInBucket()).map((key) => key.split('/')[1]))].toSorted()).toEqual(names.toSorted());
    expectNoSecretSaid(results, job, [PASSWORD, identity, secret, ROLE_PASSWORD]);
    expectNoSecretInChildren(seen, secret);
    expect(filesIn(scratch)).toEqual([]);
    // RUNNER_TEMP holds the reports, whose paths are outputs, and nothing else.
    const reports = results.map(({ outputs }) => outputs['report-path']?.slice(job.temp.length + 1)).toSorted();
    expect(filesIn(job.temp).filter((file) => !file.startsWith('_runner_file_commands'))).toEqual(reports);
    expect(filesIn(job.workspace)).toEqual([]);
    expectRolePasswords(join(folder, 'shop', results[2]?.outputs['backup-id'] ?? ''));
  }, 60_000);

  function expectBackup({ outputs, summary }: StepResult, folder: string): void {
    const place = join(folder, 'shop', outputs['backup-id'] ?? '');
    const manifest = readFileSync(join(place, 'manifest.json'));
    expect(outputs['manifest-sha256']).toBe(createHash('sha256').update(manifest).digest('hex'));
    const { artifacts, labels } = JSON.parse(manifest.toString()) as { artifacts: { bytes: number }[]; labels: object };
    expect(outputs.bytes).toBe(String(artifacts.reduce((sum, { bytes }) => sum + bytes, 0)));
    expect(Number(outputs['duration-seconds'])).toBeGreaterThanOrEqual(0);
    expect(labels).toEqual({ team: 'payments' });
    expect(outputs.locations?.split('\n')).toEqual([
      `file://${place}`,
      `s3://main-job/team/shop/${outputs['backup-id']}?endpoint=${rgw.endpoint}`,
    ]);
    expect(readdirSync(place).toSorted()).toEqual([
      'database.dump.zst.age',
      'facts.json.zst.age',
      'globals.sql.zst.age',
      'manifest.json',
    ]);
    expect(summary).toContain(outputs['backup-id']);
  }

  function expectRolePasswords(place: string): void {
    const key = join(newFolder(), 'key');
    writeFileSync(key, identity, { mode: 0o600 });
    const globals = execFileSync('bash', ['-c', `age -d -i ${key} ${place}/globals.sql.zst.age | zstd -dc`], {
      encoding: 'utf8',
    });
    expect(globals).toMatch(/ALTER ROLE clerk .*PASSWORD 'SCRAM-SHA-256\$/);
  }
});

function expectNoSecretSaid(results: readonly StepResult[], job: Job, secrets: readonly string[]): void {
  const forms = secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]);
  expect([...job.masks.values]).toEqual(expect.arrayContaining([PASSWORD, encodeURIComponent(PASSWORD)]));
  for (const { log, summary, outputs, state } of results) {
    const report = readFileSync(outputs['report-path'] ?? '', 'utf8');
    for (const text of [log, summary, report, JSON.stringify(outputs), JSON.stringify(state)]) {
      for (const form of forms) expect(text).not.toContain(form);
    }
  }
}

/** The database's password is in the environment of libpq's programs, where it has to be, and nowhere else. */
function expectNoSecretInChildren(seen: readonly Seen[], s3Secret: string): void {
  const programs = new Set(seen.map(({ program }) => program));
  expect([...programs]).toEqual(expect.arrayContaining(['psql', 'pg_dump', 'pg_restore', 'zstd', 'postgres']));
  const isStep = ({ cmdline }: Seen) => /\/dist\/[a-z-]+\.js$/.test(cmdline);
  for (const one of seen) {
    for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), identity, s3Secret])
      expect(one.cmdline).not.toContain(secret);
  }
  for (const { environ, cmdline } of seen.filter((one) => !isStep(one))) {
    expect(environ, cmdline).not.toMatch(/^(INPUT_|LIFEBOAT_|AWS_|GITHUB_)/m);
    for (const secret of [identity, s3Secret]) expect(environ).not.toContain(secret);
    if (!/\b(psql|pg_dump|pg_dumpall)\b/.test(cmdline)) expect(environ, cmdline).not.toContain(PASSWORD);
  }
}

describe('sources that hold a part', () => {
  const sources = [
    { source: 'shop-wallets', given: { tables: 'wallets\ncustomers' }, scope: 'tables', rows: 10_000 },
    { source: 'shop-wallets-only', given: { tables: 'public.wal*' }, scope: 'tables', rows: 5_000 },
    { source: 'shop-schema', given: { 'schema-only': 'true' }, scope: 'schema', rows: 0 },
    { source: 'shop-data', given: { 'data-only': 'true' }, scope: 'data', rows: 70_000 },
  ];

  it.each(sources)('$source is backed up, judged and drilled by itself', async ({ source, given, scope, rows }) => {
    const folder = newFolder();
    const scratch = join(newFolder(), 'scratch');
    const job = newJob([url]);
    const common = { source, store: `file://${folder}` };
    const backup = await job.runStep({ action: 'backup', with: { ...common, 'database-url': url, ...given } });
    expectGreen(backup);
    const manifest = JSON.parse(
      readFileSync(join(folder, source, backup.outputs['backup-id'] ?? '', 'manifest.json'), 'utf8'),
    );
    expect(manifest).toMatchObject({ scope, totals: { rows } });
    const drill = await job.runStep({ action: 'restore-drill', with: { ...common, 'scratch-dir': scratch } });
    expectGreen(drill);
    expect(drill.outputs.proof).toBe('proven');
    expectGreen(
      await job.runStep({ action: 'verify-freshness', with: { ...common, 'max-age': '2h', 'min-free-space': '1%' } }),
    );
    expect(filesIn(scratch)).toEqual([]);
  });

  it('are judged together, each with its own finding', async () => {
    const folder = newFolder();
    const job = newJob([url]);
    const store = `file://${folder}`;
    const backup = (source: string, given: Record<string, string>) =>
      job.runStep({ action: 'backup', with: { source, store, 'database-url': url, ...given } });
    await Promise.all([backup('shop', {}), backup('shop-wallets', { tables: 'wallets' })]);
    const judged = await job.runStep({
      action: 'verify-freshness',
      with: { store, expect: 'shop\nshop-wallets\nledger', 'max-age': '2h', 'min-free-space': '1%' },
    });
    expect(judged).toMatchObject({ exitCode: 1, outputs: { verdict: 'fail' } });
    const failed = JSON.parse(judged.outputs.findings ?? '').filter((one: { status: string }) => one.status === 'fail');
    expect(failed).toMatchObject([{ rule: 'backup-missing', message: expect.stringContaining('ledger') }]);
    const rows = JSON.parse(judged.outputs.sources ?? '') as { source: string }[];
    expect(rows.map((row) => row.source)).toEqual(expect.arrayContaining(['shop', 'shop-wallets', 'ledger']));
  });
});
