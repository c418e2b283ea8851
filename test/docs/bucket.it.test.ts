import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectLegalHoldCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Action, type ActionName, actions } from '../../src/actions/index.ts';
import { undelete } from '../../src/commands/undelete.ts';
import type { Report } from '../../src/core/report.ts';
import { openStore } from '../../src/stores/registry.ts';
import { sourceFiles } from '../house/source-files.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import type { Rgw } from '../servers/rgw.ts';
import { rgwForTests, whyNoRgw } from '../servers/rgw-for-tests.ts';
import { worldForTests } from '../worlds.ts';
import { blockAfter, readDocument } from './documents.ts';

// The policies of docs/S3.md, as they are, put on real buckets: each action runs as a user that may do nothing else.

const page = readDocument('docs/S3.md');
const run = randomBytes(4).toString('hex');
const names = Object.keys(actions) as ActionName[];
type Role = ActionName | 'undelete';
const roles: readonly Role[] = [...names, 'undelete'];

const Policy = z.strictObject({
  Version: z.literal('2012-10-17'),
  Statement: z.array(z.strictObject({ Effect: z.literal('Allow'), Action: z.array(z.string()), Resource: z.string() })),
});

const policyOf = (name: Role) => Policy.parse(JSON.parse(blockAfter(page, `policy: ${name}`)));

describe('the policies', () => {
  it.each(roles)('%s has one, for the bucket and the prefix of the page', (name) => {
    for (const { Resource } of policyOf(name).Statement)
      expect(Resource).toMatch(/^arn:aws:s3:::acme-backups(\/prod\/.*)?$/);
  });

  it('together name every permission that the store asks for, and none besides', () => {
    const asked = new Set(
      sourceFiles('src/stores/s3*.ts').flatMap(({ text }) => text.match(/(?<=')s3:[A-Z]\w+(?=')/g) ?? []),
    );
    // Written with the lock that a store URL asks for: the page names it below the policy of backup.
    asked.delete('s3:PutObjectRetention');
    // S3 asks for it when a version is named; in the program it is one call.
    asked.add('s3:DeleteObjectVersion');
    const granted = new Set(roles.flatMap((name) => policyOf(name).Statement.flatMap(({ Action }) => Action)));
    expect([...granted].toSorted()).toEqual([...asked].toSorted());
    expect(page.text).toContain('`s3:PutObjectRetention` and `s3:GetObjectRetention`');
  });

  it('let only prune delete a backup', () => {
    const mayDelete = (name: Role) =>
      policyOf(name)
        .Statement.filter(({ Action }) => Action.some((action) => action.startsWith('s3:Delete')))
        .map(({ Resource }) => Resource);
    expect(Object.fromEntries(roles.map((name) => [name, mayDelete(name)]))).toEqual({
      backup: ['arn:aws:s3:::acme-backups/prod/*/*/in-progress.json'],
      'verify-freshness': [],
      'restore-drill': [],
      restore: ['arn:aws:s3:::acme-backups/prod/*-before-restore/*/in-progress.json'],
      prune: ['arn:aws:s3:::acme-backups/prod/*'],
      doctor: ['arn:aws:s3:::acme-backups/prod/.lifeboat-doctor-*'],
      undelete: [],
    });
  });
});

describe.skipIf(whyNoRgw() !== undefined)('on a real gateway', () => {
  const keys = new Map<Role, { accessKeyId: string; secretAccessKey: string }>();
  let rgw: Rgw;
  let client: S3Client;
  let pg: TestPostgres;
  let stop = async () => {};

  beforeAll(async () => {
    [{ rgw, stop }, pg] = await Promise.all([rgwForTests(), startPostgres()]);
    const { endpoint, region, accessKeyId, secretAccessKey } = rgw;
    client = new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
    for (const name of roles) keys.set(name, await makeUser(rgw, userOf(name)));
    await pg.psql('CREATE DATABASE orders');
    await pg.psql('CREATE TABLE orders AS SELECT generate_series(1, 1000) AS id', 'orders');
  });

  afterAll(async () => {
    client?.destroy();
    await Promise.all([pg?.stop(), stop()]);
  });

  const urlOf = (bucket: string, rest = '') =>
    `s3://${bucket}/prod?region=${rgw.region}&path-style=true&endpoint=${rgw.endpoint}${rest}`;

  function become(name: Role): void {
    process.env.AWS_ACCESS_KEY_ID = keys.get(name)?.accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = keys.get(name)?.secretAccessKey;
  }

  /** Runs an action with the credentials of its own user. */
  async function act(
    name: ActionName,
    store: string,
    given: Record<string, string> = {},
    as: Role = name,
  ): Promise<Report> {
    become(as);
    const action: Action = actions[name];
    const { world } = worldForTests();
    const source = name === 'doctor' ? {} : { source: 'orders' };
    return await action.run({ ...source, store, ...given }, world);
  }

  const backUp = (store: string) => act('backup', store, { 'database-url': pg.urlOf('orders') });
  const notPassed = ({ findings }: Report) =>
    findings.filter(({ status }) => status !== 'pass').map(({ rule }) => rule);

  const keysIn = (store: string) => keysBelow(store, 'orders/');

  async function keysBelow(store: string, prefix: string): Promise<string[]> {
    process.env.AWS_ACCESS_KEY_ID = rgw.accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = rgw.secretAccessKey;
    const opened = await openStore(store, { env: {}, forbidden: [], stallMs: 60_000, now: () => new Date() });
    try {
      return (await Array.fromAsync(opened.list(prefix))).map(({ key }) => key);
    } finally {
      await opened.close();
    }
  }

  async function makeBucket(kind: 'plain' | 'versioned' | 'locking', adjust = (text: string) => text): Promise<string> {
    const Bucket = `docs-${kind}-${randomBytes(3).toString('hex')}-${run}`;
    await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: kind === 'locking' }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    if (kind === 'versioned') await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    const Statement = roles.flatMap((name) =>
      policyOf(name).Statement.map((one) => ({ ...one, Principal: { AWS: [`arn:aws:iam:::user/${userOf(name)}`] } })),
    );
    const policy = adjust(JSON.stringify({ Version: '2012-10-17', Statement }).replaceAll('acme-backups', Bucket));
    await client.send(new PutBucketPolicyCommand({ Bucket, Policy: policy }));
    return Bucket;
  }

  it.each(['plain', 'versioned', 'locking'] as const)(
    'every action does its work under its policy, on a %s bucket',
    async (kind) => {
      const store = urlOf(await makeBucket(kind));
      const older = await backUp(store);
      expect(notPassed(older)).toEqual([]);
      const newer = await backUp(store);
      expect(await keysIn(store)).not.toContainEqual(expect.stringContaining('in-progress.json'));
      const freshness = await act('verify-freshness', store, { 'read-data': 'newest', 'max-drill-age': '8d' });
      expect(notPassed(freshness)).toEqual(['drill-missing']);
      expect(notPassed(await act('restore-drill', store))).toEqual([]);
      expect(notPassed(await act('verify-freshness', store, { 'max-drill-age': '8d' }))).toEqual([]);
      const target = { 'target-url': pg.urlOf('orders'), mode: 'replace', confirm: 'orders' };
      expect(notPassed(await act('restore', store, target))).toEqual([]);
      const pruned = await act('prune', store, { 'keep-last': '1' });
      expect(notPassed(pruned)).toEqual([]);
      // Two backups of one second are told apart by chance.
      const gone = JSON.parse(pruned.outputs.removed ?? '[]') as string[];
      expect(gone).toHaveLength(1);
      expect([older, newer].map(({ outputs }) => outputs['backup-id'])).toContain(gone[0]);
    },
    120_000,
  );

  it.each([
    ['doctor', 'versioned', ['lifecycle']],
    ['doctor', 'plain', ['lifecycle', 'store-traits']],
    ['doctor', 'locking', ['lifecycle']],
    // What the policy of backups does not allow is asked and said, and nothing of it is needed.
    ['backup', 'versioned', ['lifecycle']],
  ] as const)(
    'a doctor with the policy of %s finds nothing amiss in a %s bucket, and leaves nothing',
    async (name, kind, wished) => {
      const store = urlOf(await makeBucket(kind));
      const report = await act('doctor', store, {}, name);
      const found = report.findings.filter(
        ({ subject = '', status }) => subject.startsWith('s3:') && status !== 'pass',
      );
      expect(found.map(({ rule, status }) => `${rule} ${status}`).toSorted()).toEqual(
        wished.map((rule) => `${rule} warn`),
      );
      expect(await keysBelow(store, '')).toEqual([]);
    },
  );

  it('a backup needs no right to delete; the mark then stays', async () => {
    const bucket = await makeBucket('versioned', (text) => text.replaceAll('/prod/*/*/in-progress.json', '/nothing'));
    expect(notPassed(await backUp(urlOf(bucket)))).toEqual([]);
    expect(await keysIn(urlOf(bucket))).toContainEqual(expect.stringContaining('in-progress.json'));
    expect(notPassed(await act('restore-drill', urlOf(bucket)))).toEqual([]);
  });

  it('locked backups stay, though a drill without the lock writes beside them', async () => {
    const more = await makeBucket('locking', (text) =>
      text.replace('"s3:PutObject"', '"s3:PutObject","s3:PutObjectRetention","s3:GetObjectRetention"'),
    );
    expect(notPassed(await backUp(urlOf(more, '&object-lock=governance:1d')))).toEqual([]);
    await backUp(urlOf(more, '&object-lock=governance:1d'));
    // With the URL as drills use it.
    expect(notPassed(await act('restore-drill', urlOf(more)))).toEqual([]);
    const pruned = await act('prune', urlOf(more), { 'keep-last': '1' });
    expect(pruned.findings).toContainEqual(expect.objectContaining({ rule: 'prune-locked', numbers: { backups: 1 } }));
    expect(pruned.outputs['removed-count']).toBe('0');
  });

  it('prune sees a legal hold', async () => {
    const bucket = await makeBucket('locking');
    const store = urlOf(bucket);
    const ids = [await backUp(store), await backUp(store)].map(({ outputs }) => outputs['backup-id'] ?? '').toSorted();
    const LegalHold = { Status: 'ON' } as const;
    const Key = `prod/orders/${ids[0]}/manifest.json`;
    // Whoever wrote an object owns it here, and nobody else has the right.
    const { endpoint, region } = rgw;
    const credentials = keys.get('backup') ?? { accessKeyId: '', secretAccessKey: '' };
    const owner = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    await owner.send(new PutObjectLegalHoldCommand({ Bucket: bucket, Key, LegalHold }));
    owner.destroy();
    await act('restore-drill', store);
    expect((await act('prune', store, { 'keep-last': '1' })).outputs['removed-count']).toBe('0');
  });

  it('a drill may write nothing but its record, and a backup may not delete a manifest', async () => {
    const store = urlOf(await makeBucket('plain'));
    const id = (await backUp(store)).outputs['backup-id'] ?? '';
    const as = async (name: ActionName) => {
      process.env.AWS_ACCESS_KEY_ID = keys.get(name)?.accessKeyId;
      process.env.AWS_SECRET_ACCESS_KEY = keys.get(name)?.secretAccessKey;
      return await openStore(store, { env: {}, forbidden: [], stallMs: 60_000, now: () => new Date() });
    };
    const drill = await as('restore-drill');
    await expect(drill.put(`orders/${id}/pin-forever.json`, Readable.from(['{}']))).rejects.toMatchObject({
      code: 'store-denied',
    });
    const backup = await as('backup');
    const left = await backup.remove([`orders/${id}/manifest.json`]).catch((error: unknown) => error);
    expect(JSON.stringify(left)).toContain('AccessDenied');
    expect(await keysIn(store)).toContain(`orders/${id}/manifest.json`);
  });

  it.each([
    ['and writes the bytes once more', 0, (text: string) => text],
    [
      'and takes the deletions away where it may',
      1,
      (text: string) => text.replace('"s3:GetObjectVersion"', '"s3:GetObjectVersion","s3:DeleteObjectVersion"'),
    ],
  ])('undelete does its work under its policy, %s', async (_, versions, adjust) => {
    const bucket = await makeBucket('versioned', adjust);
    const store = urlOf(bucket);
    const id = (await backUp(store)).outputs['backup-id'] ?? '';
    const Key = `prod/orders/${id}/database.dump.zst`;
    for (const key of await keysIn(store))
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: `prod/${key}` }));
    become('undelete');
    expect(notPassed(await undelete({ id, store }, worldForTests().world))).toEqual([]);
    expect(notPassed(await act('restore-drill', store))).toEqual([]);
    const { Versions, DeleteMarkers = [] } = await client.send(
      new ListObjectVersionsCommand({ Bucket: bucket, Prefix: Key }),
    );
    expect([Versions?.length, DeleteMarkers.length]).toEqual(versions === 1 ? [1, 0] : [2, 1]);
  });

  it('takes the lifecycle rule of the page', async () => {
    const Bucket = await makeBucket('plain');
    const LifecycleConfiguration = JSON.parse(blockAfter(page, 'lifecycle')) as { Rules: [] };
    const given = new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration });
    await expect(client.send(given)).resolves.toMatchObject({ $metadata: { httpStatusCode: 200 } });
  });
});

function userOf(name: Role): string {
  return `docs-${name}-${run}`;
}

async function makeUser({ dir }: Rgw, uid: string) {
  const made = { accessKeyId: randomBytes(10).toString('hex'), secretAccessKey: randomBytes(20).toString('hex') };
  const cluster = ['-c', join(dir, 'ceph.conf'), '-n', 'client.rgw.a', '-k', join(dir, 'rgw.keyring')];
  const user = ['user', 'create', `--uid=${uid}`, `--display-name=${uid}`];
  const access = [`--access-key=${made.accessKeyId}`, `--secret=${made.secretAccessKey}`];
  await promisify(execFile)('radosgw-admin', [...cluster, ...user, ...access], { timeout: 90_000 });
  return made;
}
