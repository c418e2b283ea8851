import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { backup } from '../../src/actions/backup.ts';
import { restoreDrill } from '../../src/actions/restore-drill.ts';
import { list } from '../../src/commands/list.ts';
import { pin } from '../../src/commands/pin.ts';
import { undelete } from '../../src/commands/undelete.ts';
import type { Report } from '../../src/core/report.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import type { Rgw } from '../servers/rgw.ts';
import { rgwForTests, whyNoRgw } from '../servers/rgw-for-tests.ts';
import { worldForTests } from '../worlds.ts';

// Somebody has the keys of the bucket, and deletes backups or writes garbage over them.

const scratchDir = `/var/tmp/lbr-${process.pid}`;
let rgw: Rgw;
let stop = async () => {};
let server: TestPostgres;
let client: S3Client;
let bucket: string;
let store: string;

describe.skipIf(whyNoRgw() !== undefined)('a bucket with versions, in the hands of somebody else', () => {
  beforeAll(async () => {
    ({ rgw, stop } = await rgwForTests());
    process.env.AWS_ACCESS_KEY_ID = rgw.accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = rgw.secretAccessKey;
    client = new S3Client({ endpoint: rgw.endpoint, region: rgw.region, forcePathStyle: true });
    server = await startPostgres();
    await server.psql('CREATE DATABASE shop');
    await server.psql(
      'CREATE TABLE orders (id bigserial PRIMARY KEY, note text); INSERT INTO orders (note) SELECT md5(i::text) FROM generate_series(1, 5000) i;',
      'shop',
    );
  });
  afterAll(async () => {
    await server?.stop();
    await stop();
    rmSync(scratchDir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    bucket = `ransom-${randomBytes(4).toString('hex')}`;
    store = `s3://${bucket}/prod?endpoint=${rgw.endpoint}&path-style=true`;
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
  });

  const world = () => worldForTests().world;

  async function takeBackup(): Promise<string> {
    const raw = { source: 'shop', store, 'database-url': server.urlOf('shop') };
    return (await backup(raw, world())).outputs['backup-id'] ?? '';
  }

  async function keys(): Promise<string[]> {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    return Contents.map(({ Key = '' }) => Key);
  }

  const overwrite = (Key: string, Body: Buffer) => client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
  const remove = (Key: string) => client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));

  async function versions(): Promise<string[]> {
    const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    return Versions.map(({ VersionId = '' }) => VersionId);
  }

  /** A moment of the store's clock with nothing written within a second of it. */
  async function quietMoment(): Promise<string> {
    await delay(1_100);
    const moment = new Date().toISOString();
    await delay(1_100);
    return moment;
  }

  it('shows what was there, brings it back whole, and a drill proves it', { timeout: 180_000 }, async () => {
    const first = await takeBackup();
    await quietMoment(); // ids of one second are in no order
    const second = await takeBackup();
    expect(
      await restoreDrill({ source: 'shop', store, backup: first, 'scratch-dir': scratchDir }, world()),
    ).toMatchObject({
      outputs: { proof: 'proven' },
    });
    await pin({ backup: second, reason: 'before the release', store }, world());
    const before = await quietMoment();
    const bytes = await versions();

    // Garbage over the first, of the same length where that would be noticed least; the second deleted; then the rest.
    for (const key of (await keys()).filter((one) => one.includes(first))) await overwrite(key, randomBytes(200));
    const Objects = (await keys()).map((Key) => ({ Key }));
    await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
    expect(await list({ store }, world())).toMatchObject({ verdict: 'fail' });

    const past = await list({ store, 'as-of': before }, world());
    expect(past.verdict).toBe('pass');
    expect(rowsOf(past)).toMatchObject([
      { id: second, copies: [{ state: 'complete', pinnedUntil: null }], major: server.major },
      { id: first, copies: [{ state: 'complete', proof: 'proven' }] },
    ]);

    const deleted = await list({ store, deleted: 'true' }, world());
    expect(deleted.verdict).toBe('warn');
    expect(rowsOf(deleted)).toMatchObject([
      { id: second, left: { found: 3, of: 3 } },
      { id: first, left: { found: 3, of: 3 } },
    ]);

    const plan = await undelete({ id: first, store, 'dry-run': 'true' }, world());
    expect(plan.verdict).toBe('pass');
    expect(await keys()).toEqual([]);

    for (const id of [first, second]) {
      expect(await undelete({ id, store }, world())).toMatchObject({ verdict: 'pass' });
      const drill = await restoreDrill({ source: 'shop', store, backup: id, 'scratch-dir': scratchDir }, world());
      expect(drill).toMatchObject({ verdict: 'pass', outputs: { proof: 'proven' } });
    }
    expect(rowsOf(await list({ store }, world()))).toMatchObject([
      { id: second, copies: [{ proof: 'proven', pinnedUntil: null }] },
      { id: first, copies: [{ proof: 'proven' }] },
    ]);
    // The garbage stays, as evidence; and what is back is no longer lost.
    expect(await versions()).toEqual(expect.arrayContaining(bytes));
    expect(rowsOf(await list({ store, deleted: 'true' }, world()))).toEqual([]);
    expect(await undelete({ id: first, store }, world())).toMatchObject({
      findings: [{ status: 'pass', message: expect.stringContaining('nothing had to be brought back') }],
    });
  });

  it('tells garbage of the right length from what was written, and takes the manifest last', async () => {
    const id = await takeBackup();
    const dump = (await keys()).find((key) => key.endsWith('database.dump.zst')) ?? '';
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: dump }));
    await overwrite(dump, randomBytes(Contents[0]?.Size ?? 0));
    await remove(dump.replace('database.dump.zst', 'manifest.json'));
    expect(await undelete({ id, store }, world())).toMatchObject({ verdict: 'pass' });
    const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: dump }));
    expect(Versions.map(({ ETag }) => ETag)).toEqual([Versions[2]?.ETag, Versions[1]?.ETag, Versions[2]?.ETag]);
    expect(Versions[0]?.ETag).not.toBe(Versions[1]?.ETag);
  });

  it('changes nothing where an artifact is lost for good, and says where else to look', async () => {
    const id = await takeBackup();
    const dump = (await keys()).find((key) => key.endsWith('database.dump.zst')) ?? '';
    for (const key of await keys()) await remove(key);
    const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: dump }));
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: dump, VersionId: Versions[0]?.VersionId }));
    const deleted = await list({ store, deleted: 'true' }, world());
    expect(rowsOf(deleted)).toMatchObject([{ id, left: { found: 2, of: 3 } }]);
    expect(await undelete({ id, store }, world())).toMatchObject({
      verdict: 'fail',
      findings: [{ rule: 'backup-undeleted', message: expect.stringContaining('database.dump.zst') }],
    });
    expect(await keys()).toEqual([]);
  });

  it('refuses where there are no versions, and names what else there is', async () => {
    const plain = `plain-${randomBytes(4).toString('hex')}`;
    await client.send(new CreateBucketCommand({ Bucket: plain }));
    const url = `s3://${plain}?endpoint=${rgw.endpoint}&path-style=true`;
    const id = '20261121T031500Z-3f9a1c';
    await expect(undelete({ id, store: url }, world())).rejects.toMatchObject({
      code: 'backup-not-found',
      hint: expect.stringMatching(/snapshot of the disk, or another store/),
    });
    expect(await undelete({ id, source: 'shop', store: url }, world())).toMatchObject({ verdict: 'fail' });
    const asked = await list({ store: url, deleted: 'true' }, world());
    expect(asked).toMatchObject({
      verdict: 'unknown',
      findings: [{ message: expect.stringContaining('no versions') }],
    });
  });
});

function rowsOf({ outputs }: Report): unknown {
  return JSON.parse(outputs.backups ?? 'null');
}
