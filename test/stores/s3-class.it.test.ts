import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  CreateBucketCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backup } from '../../src/actions/backup.ts';
import { prune } from '../../src/actions/prune.ts';
import { restoreDrill } from '../../src/actions/restore-drill.ts';
import { verifyFreshness } from '../../src/actions/verify-freshness.ts';
import { openStore } from '../../src/stores/registry.ts';
import { S3Access } from '../../src/stores/s3-access.ts';
import { setStorageClass } from '../../src/stores/s3-class.ts';
import { parseStoreUrl, type S3Place } from '../../src/stores/store-url.ts';
import { type S3Proxy, type S3Request, s3Proxy } from '../faults/s3-proxy.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { type Rgw, startRgw, stopRgw } from '../servers/rgw.ts';
import { whyNoRgw } from '../servers/rgw-for-tests.ts';
import { worldForTests } from '../worlds.ts';

const MIB = 1024 * 1024;
const run = randomBytes(4).toString('hex');
const buckets = { plain: `plain-${run}`, versioned: `versioned-${run}` };
const context = { env: process.env, forbidden: [], stallMs: 60_000, now: () => new Date() };
const { world } = worldForTests();
let rgw: Rgw;
let client: S3Client;
let proxy: S3Proxy;
/** Objects that answer as those of an archive class do, as the proxy sees them. */
let frozen: (one: S3Request) => boolean = () => false;

describe.skipIf(whyNoRgw() !== undefined)('storage classes', () => {
  beforeAll(async () => {
    rgw = await startRgw(mkdtempSync(join(tmpdir(), 'lifeboat-rgw-class-')), ['STANDARD_IA', 'GLACIER']);
    process.env.AWS_ACCESS_KEY_ID = rgw.accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = rgw.secretAccessKey;
    client = new S3Client({ endpoint: rgw.endpoint, region: rgw.region, forcePathStyle: true });
    for (const Bucket of Object.values(buckets)) await client.send(new CreateBucketCommand({ Bucket }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket: buckets.versioned, VersioningConfiguration }));
    proxy = await s3Proxy(rgw.endpoint, (one) =>
      one.operation === 'GetObject' && frozen(one)
        ? { do: 'answer', status: 403, code: 'InvalidObjectState' }
        : undefined,
    );
  });
  afterAll(async () => {
    await proxy?.close();
    client?.destroy();
    if (rgw !== undefined) await stopRgw(rgw.dir);
  });

  const urlOf = (bucket: string, endpoint = rgw.endpoint) =>
    `s3://${bucket}/prod?endpoint=${encodeURIComponent(endpoint)}&region=${rgw.region}&path-style=true`;

  const classOf = async (bucket: string, key: string) =>
    (await client.send(new HeadObjectCommand({ Bucket: bucket, Key: `prod/${key}` }))).StorageClass ?? 'STANDARD';

  it.each([
    ['in one piece', 3 * MIB, undefined],
    ['that was uploaded in parts', 20 * MIB, undefined],
    ['too large for one copy, in parts', 20 * MIB, 6 * MIB],
  ])('moves an object %s, bytes unchanged', async (what, size, mostAtOnce) => {
    const store = await openStore(urlOf(buckets.plain), context);
    const key = `a/${what.replaceAll(' ', '+')} ü`;
    const bytes = randomBytes(size);
    await store.put(key, Readable.from([bytes]), { expectedBytes: size });
    const access = new S3Access(parseStoreUrl(urlOf(buckets.plain)) as S3Place, context);
    await setStorageClass(access, key, 'STANDARD_IA', mostAtOnce);
    expect(await classOf(buckets.plain, key)).toBe('STANDARD_IA');
    const read = await buffer(await store.get(key));
    const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');
    expect(sha256(read)).toBe(sha256(bytes));
    const [listed] = await Array.fromAsync(store.list(key));
    expect(listed).toMatchObject({ bytes: size, storageClass: 'STANDARD_IA' });
    await store.remove([key]);
    access.client.destroy();
    await store.close();
  });

  it('leaves one version only in a bucket that keeps them', async () => {
    const store = await openStore(urlOf(buckets.versioned), context);
    await store.put('a/one', Readable.from(['x'.repeat(1000)]));
    await store.setStorageClass?.('a/one', 'STANDARD_IA');
    const { Versions } = await client.send(new ListObjectVersionsCommand({ Bucket: buckets.versioned }));
    expect(Versions?.map(({ StorageClass }) => StorageClass)).toEqual(['STANDARD_IA']);
    await store.close();
  });

  it('says that the store does not know a class, and changes nothing', async () => {
    const store = await openStore(urlOf(buckets.plain), context);
    await store.put('a/two', Readable.from(['x']));
    await expect(store.setStorageClass?.('a/two', 'NO_SUCH')).rejects.toMatchObject({ code: 'store-denied' });
    expect(await classOf(buckets.plain, 'a/two')).toBe('STANDARD');
    await store.close();
  });

  describe('of backups', () => {
    let pg: TestPostgres;
    const ids: string[] = [];
    const day = 86_400_000;
    /** As if it were days later. */
    const later = (days: number) => worldForTests({}, { now: () => new Date(Date.now() + days * day) }).world;

    beforeAll(async () => {
      pg = await startPostgres();
      await pg.psql('CREATE DATABASE shop');
      await pg.psql('CREATE TABLE orders AS SELECT g AS id FROM generate_series(1, 1000) g', 'shop');
      const given = { source: 'shop', store: urlOf(buckets.plain, proxy.endpoint), 'database-url': pg.urlOf('shop') };
      for (let at = 0; at < 3; at += 1) ids.push((await backup(given, world)).outputs['backup-id'] ?? '');
      ids.sort();
      const drilled = await restoreDrill({ source: 'shop', store: given.store, backup: ids[1] ?? '' }, world);
      expect(drilled.outputs.proof).toBe('proven');
    });
    afterAll(() => pg?.stop());

    const pruned = (raw: Record<string, string> = {}) =>
      prune(
        {
          ...{ source: 'shop', store: urlOf(buckets.plain, proxy.endpoint), 'keep-last': '10' },
          ...{ 'archive-after': '30d', 'archive-class': 'GLACIER', ...raw },
        },
        later(60),
      );
    const archived = (report: Awaited<ReturnType<typeof prune>>) =>
      report.findings.filter(({ rule }) => rule === 'prune-archived').map(({ status, message }) => [status, message]);

    it('shows first what would move, and moves nothing', async () => {
      const report = await pruned({ 'dry-run': 'true' });
      expect(archived(report)).toEqual([['pass', expect.stringMatching(/1 backup, .* would be moved to GLACIER/)]]);
      expect(await classOf(buckets.plain, `shop/${ids[0]}/database.dump.zst`)).toBe('STANDARD');
    });

    it('moves artifacts of what is old, but never the newest, the newest proven, or a record', async () => {
      expect(archived(await pruned())).toEqual([['pass', expect.stringMatching(/1 backup, .* was moved to GLACIER/)]]);
      for (const [at, id] of ids.entries())
        expect(await classOf(buckets.plain, `shop/${id}/database.dump.zst`), id).toBe(
          at === 0 ? 'GLACIER' : 'STANDARD',
        );
      expect(await classOf(buckets.plain, `shop/${ids[0]}/manifest.json`)).toBe('STANDARD');
      expect(archived(await pruned())).toEqual([['pass', expect.stringContaining('0 backups, 0 B, were moved')]]);
    });

    const thaw = (id = '') =>
      `aws s3api restore-object --endpoint-url ${proxy.endpoint} --bucket ${buckets.plain} --key 'prod/shop/${id}/`;

    it('makes a drill of what is frozen unknown, with the line that thaws it', async () => {
      frozen = ({ key }) => key.includes(ids[0] ?? '?') && !key.endsWith('.json');
      const report = await restoreDrill(
        { source: 'shop', store: urlOf(buckets.plain, proxy.endpoint), backup: ids[0] ?? '' },
        world,
      );
      const found = report.findings.find(({ rule }) => rule === 'bytes-archived');
      expect(found).toMatchObject({ status: 'unknown', hint: expect.stringContaining(thaw(ids[0])) });
      expect(report.outputs.proof).toBe('inconclusive');
    });

    it('lets drills at random choose what can be read', async () => {
      const store = await openStore(urlOf(buckets.plain, proxy.endpoint), context);
      const { readCatalog } = await import('../../src/core/catalog.ts');
      const { chooseBackup } = await import('../../src/core/backup-choice.ts');
      const catalog = await readCatalog(store, 'shop');
      const drawn = async (rank: number) =>
        (await chooseBackup(store, catalog, 'random', { now: new Date(), random: (below) => rank % below })).backup.id;
      expect(await Promise.all([0, 1, 2, 3].map(drawn))).toEqual([ids[1], ids[2], ids[1], ids[2]]);
      await store.close();
    });

    it('reads what can be read first, and calls the rest unknown', async () => {
      const verified = (share: string) =>
        verifyFreshness({ source: 'shop', store: urlOf(buckets.plain, proxy.endpoint), 'read-data': share }, world);
      const rules = async (share: string) =>
        (await verified(share)).findings.filter(({ rule }) => rule === 'bytes-archived');
      expect(await rules('60%')).toEqual([]);
      expect(await rules('100%')).toMatchObject([{ status: 'unknown', hint: expect.stringContaining(thaw(ids[0])) }]);
    });

    it('refuses a local store, before anything', async () => {
      const local = `file://${mkdtempSync('/var/tmp/lb-class-')}`;
      await expect(pruned({ store: local })).rejects.toMatchObject({
        code: 'invalid-input',
        message: expect.stringContaining('has no storage classes'),
      });
      await expect(pruned({ 'archive-class': '' })).rejects.toMatchObject({ code: 'invalid-input' });
    });
  });
});
