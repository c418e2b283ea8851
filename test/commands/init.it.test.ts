import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CreateBucketCommand,
  GetBucketLifecycleConfigurationCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Action, type ActionName, actions } from '../../src/actions/index.ts';
import { init } from '../../src/commands/init.ts';
import type { World } from '../../src/core/ports.ts';
import type { Report } from '../../src/core/report.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import type { Rgw } from '../servers/rgw.ts';
import { rgwForTests, whyNoRgw } from '../servers/rgw-for-tests.ts';
import { worldForTests } from '../worlds.ts';

const base = mkdtempSync(join(tmpdir(), 'lifeboat-init-'));
let pg: TestPostgres;

beforeAll(async () => {
  pg = await startPostgres();
});

afterAll(async () => {
  await pg?.stop();
  rmSync(base, { recursive: true, force: true });
});

interface Place {
  readonly repository: string;
  readonly secrets: string;
  readonly store: string;
}

function newPlace(): Place {
  const folder = mkdtempSync(join(base, 'place-'));
  const repository = join(folder, 'repository');
  const store = join(folder, 'store');
  mkdirSync(join(repository, '.git'), { recursive: true });
  mkdirSync(store);
  return { repository, secrets: join(folder, 'secrets'), store: `file://${store}` };
}

async function setUp(place: Place, given: Record<string, string> = {}, changes: Partial<World> = {}): Promise<Report> {
  const raw = {
    source: 'orders',
    store: place.store,
    output: place.repository,
    'secrets-dir': place.secrets,
    ...given,
  };
  return init(raw, worldForTests({}, changes).world);
}

function filesIn(folder: string): string[] {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true });
  return all
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .toSorted();
}

const snapshot = (folder: string) =>
  Object.fromEntries(filesIn(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));

/** A database with everything that a role has to be allowed on its own. */
async function makeDatabase(name: string): Promise<void> {
  await pg.psql(`CREATE ROLE ${name}_app LOGIN; CREATE DATABASE ${name} OWNER ${name}_app`);
  await pg.psql(`REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC`);
  await pg.psql(
    `CREATE TABLE orders AS SELECT generate_series(1, 500) AS id;
     CREATE TABLE secured (id serial); ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
     SELECT lo_from_bytea(0, 'a large object')`,
    name,
    `${name}_app`,
  );
}

const run = (name: ActionName, raw: Record<string, string>) =>
  (actions[name] as Action).run(raw, worldForTests().world);
const bad = ({ findings }: Report, ...expected: string[]) =>
  findings
    .filter(({ status, rule }) => status !== 'pass' && !expected.includes(rule))
    .map(({ rule, status, message }) => `${status} ${rule}: ${message}`);

/** What the machine of a test may lack. */
const MACHINE = ['free-space', 'scratch-room', 'scratch-isolation', 'scratch-server', 'runner-program'];

it('writes everything, and nothing of a secret into the repository', async () => {
  const place = newPlace();
  const report = await setUp(place);
  expect(bad(report, ...MACHINE)).toEqual([]);
  expect(filesIn(place.repository)).toEqual([
    '.github/workflows/lifeboat-backup.yml',
    '.github/workflows/lifeboat-doctor.yml',
    '.github/workflows/lifeboat-drill-and-prune.yml',
    '.github/workflows/lifeboat-freshness.yml',
    '.github/workflows/lifeboat-restore.yml',
    'lifeboat/role.sql',
  ]);
  expect(filesIn(place.secrets)).toEqual(['orders.age-key']);
  const keyFile = join(place.secrets, 'orders.age-key');
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  const key = readFileSync(keyFile, 'utf8');
  const [, recipient = ''] = /^# public key: (age1\w+)$/m.exec(key) ?? [];
  const [secret = ''] = /^AGE-SECRET-KEY-1\w+$/m.exec(key) ?? [];
  const all = Object.values(snapshot(place.repository)).join('\n');
  expect(all).toContain(`LIFEBOAT_AGE_RECIPIENTS: ${recipient}\n`);
  expect(secret).not.toBe('');
  expect(all + JSON.stringify(report)).not.toContain(secret);
  expect(report.tables[0]?.rows.map(([, step]) => step)).toContain(`gh secret set LIFEBOAT_AGE_IDENTITY < ${keyFile}`);
});

it('has every job run where it is told to', async () => {
  const place = newPlace();
  await setUp(place, { 'runs-on': 'self-hosted db-host', check: 'false' });
  const lines = Object.values(snapshot(place.repository)).flatMap((text) => text.match(/^ +runs-on: .*$/gm) ?? []);
  expect(lines.length).toBeGreaterThan(4);
  expect(new Set(lines)).toEqual(new Set(['    runs-on: [self-hosted, db-host]']));
});

it('changes nothing the second time', async () => {
  const place = newPlace();
  await setUp(place);
  const before = { ...snapshot(place.repository), ...snapshot(place.secrets) };
  const report = await setUp(place);
  expect(bad(report, ...MACHINE)).toEqual([]);
  expect({ ...snapshot(place.repository), ...snapshot(place.secrets) }).toEqual(before);
  expect(
    report.findings.filter(({ rule, message }) => rule === 'setup-written' && / was written/.test(message)),
  ).toEqual([]);
});

it('writes nothing at all where something else lies, until it is told to', async () => {
  const place = newPlace();
  const mine = join(place.repository, '.github/workflows/lifeboat-freshness.yml');
  mkdirSync(join(place.repository, '.github/workflows'), { recursive: true });
  writeFileSync(mine, 'mine');
  await expect(setUp(place)).rejects.toMatchObject({ code: 'guard-refused', message: expect.stringContaining(mine) });
  expect(filesIn(place.repository)).toEqual(['.github/workflows/lifeboat-freshness.yml']);
  expect(() => statSync(place.secrets)).toThrow('ENOENT');
  await setUp(place, { force: 'true' });
  expect(readFileSync(mine, 'utf8')).toContain('Written by `lifeboat init`');
  const key = snapshot(place.secrets);
  await setUp(place, { force: 'true', schedule: '5 5 * * *' });
  expect(snapshot(place.secrets)).toEqual(key);
});

it('shows what it would write, and writes nothing', async () => {
  const place = newPlace();
  const report = await setUp(place, { 'dry-run': 'true' });
  expect(report.findings.map(({ message }) => message).join('\n')).toContain('lifeboat-backup.yml would be written');
  expect(filesIn(place.repository)).toEqual([]);
  expect(() => statSync(place.secrets)).toThrow('ENOENT');
});

it('refuses to keep a key in a repository', async () => {
  const place = newPlace();
  const refused = { code: 'guard-refused', hint: expect.stringContaining('--secrets-dir') };
  await expect(setUp({ ...place, secrets: join(place.repository, 'keys') })).rejects.toMatchObject(refused);
  expect(filesIn(place.repository)).toEqual([]);
});

it('asks for what is missing where somebody sits, and says it elsewhere', async () => {
  const place = newPlace();
  const nobody = setUp(place, { source: '', store: '' }, { ask: undefined });
  await expect(nobody).rejects.toMatchObject({
    message: '`source` and `store` must be given: nobody is here to be asked.',
  });
  const asked: string[] = [];
  const answers = ['invoices', place.store, 'no', '7 4 * * *'];
  const ask = async (question: string) => {
    asked.push(question);
    return answers[asked.length - 1] ?? '';
  };
  await setUp(place, { source: '', store: '' }, { ask });
  expect(asked).toHaveLength(4);
  const workflow = snapshot(place.repository)['.github/workflows/lifeboat-backup.yml'];
  expect(workflow).toContain('source: invoices');
  expect(workflow).toContain("- cron: '7 4 * * *'");
  expect(workflow).not.toContain('LIFEBOAT_AGE_RECIPIENTS');
});

it('the SQL makes a role with which the doctor finds nothing amiss and a backup and its drill work', async () => {
  const place = newPlace();
  await makeDatabase('shop');
  await setUp(place, { 'database-role': "lifeboat's own" });
  const sql = snapshot(place.repository)['lifeboat/role.sql'] ?? '';
  await pg.psql(sql, 'shop');
  await pg.psql(sql, 'shop');
  const url = pg.urlOf('shop', "lifeboat's own");
  const key = readFileSync(join(place.secrets, 'orders.age-key'), 'utf8');
  const recipients = /public key: (age1\w+)/.exec(key)?.[1] ?? '';
  const encrypted = { 'age-recipients': recipients, 'age-identity': key };
  const found = await run('doctor', { store: place.store, 'database-url': url, ...encrypted });
  expect(bad(found, ...MACHINE)).toEqual([]);
  const made = await run('backup', {
    source: 'orders',
    store: place.store,
    'database-url': url,
    'age-recipients': recipients,
  });
  expect(bad(made)).toEqual([]);
  const drill = await run('restore-drill', { source: 'orders', store: place.store, 'age-identity': key });
  expect(drill.outputs.proof).toBe('proven');
});

it('creates the role when told to, and keeps its URL where only this user reads it', async () => {
  const place = newPlace();
  await makeDatabase('real');
  // Passwords are asked for over TCP from here on, of this role.
  const hba = readFileSync(join(pg.dataDir, 'pg_hba.conf'), 'utf8');
  writeFileSync(join(pg.dataDir, 'pg_hba.conf'), `host all real_backup 127.0.0.1/32 scram-sha-256\n${hba}`);
  await pg.psql('SELECT pg_reload_conf()');
  const given = { 'database-url': pg.urlOf('real'), 'create-role': 'true', 'database-role': 'real_backup' };
  const report = await setUp(place, given);
  expect(bad(report, ...MACHINE)).toEqual([]);
  const urlFile = join(place.secrets, 'orders-database-url');
  expect(statSync(urlFile).mode & 0o777).toBe(0o600);
  const url = readFileSync(urlFile, 'utf8').trim();
  const password = /:([0-9a-f]{48})@/.exec(url)?.[1] ?? '';
  expect(password).not.toBe('');
  expect(JSON.stringify(report) + pg.log()).not.toContain(password);
  const made = await run('backup', { source: 'orders', store: place.store, 'database-url': url });
  expect(bad(made)).toEqual([]);
  const wrong = url.replace(password, 'wrong');
  await expect(run('backup', { source: 'orders', store: place.store, 'database-url': wrong })).rejects.toMatchObject({
    code: 'source-denied',
  });
  // Again: the password that is in a secret by now stays.
  await setUp(place, given);
  expect(readFileSync(urlFile, 'utf8').trim()).toBe(url);
  expect(bad(await run('backup', { source: 'orders', store: place.store, 'database-url': url }))).toEqual([]);
});

describe.skipIf(whyNoRgw() !== undefined)('on a real gateway', () => {
  const id = randomBytes(3).toString('hex');
  let rgw: Rgw;
  let client: S3Client;
  let stop = async () => {};

  beforeAll(async () => {
    ({ rgw, stop } = await rgwForTests());
    const { endpoint, region, accessKeyId, secretAccessKey } = rgw;
    client = new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
  });

  afterAll(async () => {
    client?.destroy();
    await stop();
  });

  async function makeUser(name: string): Promise<{ id: string; secret: string }> {
    const keys = { id: randomBytes(10).toString('hex'), secret: randomBytes(20).toString('hex') };
    const cluster = ['-c', join(rgw.dir, 'ceph.conf'), '-n', 'client.rgw.a', '-k', join(rgw.dir, 'rgw.keyring')];
    const user = ['user', 'create', `--uid=${name}`, `--display-name=${name}`];
    const access = [`--access-key=${keys.id}`, `--secret=${keys.secret}`];
    await promisify(execFile)('radosgw-admin', [...cluster, ...user, ...access], { timeout: 90_000 });
    return keys;
  }

  it('takes policy and rule as they are, and each job works under them', { timeout: 120_000 }, async () => {
    const place = newPlace();
    const Bucket = `init-${id}`;
    await makeDatabase('cloud');
    await client.send(new CreateBucketCommand({ Bucket }));
    const store = `s3://${Bucket}/live?region=${rgw.region}&path-style=true&endpoint=${rgw.endpoint}`;
    const principal = `arn:aws:iam:::user/lifeboat-${id}`;
    const report = await setUp({ ...place, store }, { principal, encrypt: 'false', check: 'false', 'keep-last': '1' });
    expect(bad(report)).toEqual([]);
    const written = snapshot(place.repository);
    const LifecycleConfiguration = JSON.parse(written['lifeboat/lifecycle.json'] ?? '');
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    const users = {
      backup: 'backup',
      'verify-freshness': 'read',
      'restore-drill': 'drill',
      restore: 'restore',
      prune: 'prune',
      doctor: 'doctor',
    };
    const keys = new Map<string, { id: string; secret: string }>();
    for (const [name, user] of Object.entries(users)) keys.set(name, await makeUser(`lifeboat-${id}-${user}`));
    await client.send(new PutBucketPolicyCommand({ Bucket, Policy: written['lifeboat/bucket-policy.json'] }));
    await client.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration }));
    const kept = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
    expect(kept.Rules?.[0]).toMatchObject({ Filter: { Prefix: 'live/' }, AbortIncompleteMultipartUpload: {} });
    const act = async (name: ActionName, given: Record<string, string> = {}) => {
      process.env.AWS_ACCESS_KEY_ID = keys.get(name)?.id;
      process.env.AWS_SECRET_ACCESS_KEY = keys.get(name)?.secret;
      const source = name === 'doctor' ? {} : { source: 'orders' };
      return bad(await run(name, { ...source, store, ...given }), ...MACHINE);
    };
    await pg.psql(written['lifeboat/role.sql'] ?? '', 'cloud');
    const database = { 'database-url': pg.urlOf('cloud', 'lifeboat') };
    expect(await act('doctor', database)).toEqual([]);
    expect(await act('backup', database)).toEqual([]);
    expect(await act('backup', database)).toEqual([]);
    expect(await act('restore-drill')).toEqual([]);
    expect(await act('restore', { 'target-url': pg.urlOf('cloud'), mode: 'replace', confirm: 'cloud' })).toEqual([]);
    expect(await act('verify-freshness', { 'max-drill-age': '1h' })).toEqual([]);
    expect(await act('prune', { 'keep-last': '1' })).toEqual([]);
    expect(await act('doctor', database)).toEqual([]);
    const workflow = written['.github/workflows/lifeboat-backup.yml'];
    expect(workflow).toContain('aws-access-key-id: ${{ secrets.LIFEBOAT_BACKUP_KEY_ID }}');
  });
});
