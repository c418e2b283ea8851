import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prune } from '../../src/actions/prune.ts';
import { verifyFreshness } from '../../src/actions/verify-freshness.ts';
import type { Store } from '../../src/core/ports.ts';
import type { Report } from '../../src/core/report.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { openStore } from '../../src/stores/registry.ts';
import { fakeWorld, idAt, keysOf, putBackup, putDrill } from '../fixtures.ts';
import type { Rgw } from '../servers/rgw.ts';
import { rgwForTests, whyNoRgw } from '../servers/rgw-for-tests.ts';
import { leaveUpload } from '../stores/leave-upload.ts';

const HOUR_MS = 3_600_000;
const started = new Date();
const night = (back: number) => new Date(Math.floor(started.getTime() / 1000) * 1000 - (12 + back * 24) * HOUR_MS);
const key = (back: number, name: string) => `orders/${idAt(night(back))}/${name}`;
const folder = mkdtempSync(join(tmpdir(), 'lifeboat-judging-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Four nightly backups, the newest drilled, as a real store keeps them. */
async function fill(url: string): Promise<Store> {
  const store = await openStore(url, { env: process.env, forbidden: [], stallMs: 60_000, now: () => new Date() });
  const model = memoryStore({ location: store.location });
  for (const back of [3, 2, 1, 0]) putBackup(model, night(back));
  await putDrill(model, { source: 'orders', id: idAt(night(0)) }, new Date(started.getTime() - HOUR_MS));
  for (const name of await keysOf(model)) await store.put(name, await model.get(name));
  return store;
}

const bad = ({ findings }: Report) =>
  findings.filter(({ status }) => status !== 'pass').map(({ rule, status }) => `${rule} ${status}`);

function run(
  store: Store,
  action: 'verify' | 'prune',
  raw: Record<string, string> = {},
  hoursLater = 0,
): Promise<Report> {
  const now = new Date(started.getTime() + hoursLater * HOUR_MS);
  const open = { ...raw, store: store.location, source: 'orders' };
  // An action closes the stores it was lent; this one is used again.
  const lent = new Proxy<Store>(store, {
    get: (target, name) => (name === 'close' ? async () => {} : boundTo(target, Reflect.get(target, name, target))),
  });
  const world = fakeWorld({ [store.location]: lent }, now);
  return action === 'verify' ? verifyFreshness(open, world) : prune({ 'keep-last': '2', ...open }, world);
}

function boundTo(target: Store, value: unknown): unknown {
  return typeof value === 'function' ? value.bind(target) : value;
}

async function passesAndPrunes(store: Store): Promise<void> {
  expect(
    bad(await run(store, 'verify', { 'read-data': '100%', 'max-drill-age': '8d', 'min-free-space': '0%' })),
  ).toEqual([]);
  const report = await run(store, 'prune');
  expect(bad(report)).toEqual([]);
  expect(report.outputs['removed-count']).toBe('2');
  expect(new Set((await keysOf(store)).map((name) => name.split('/')[1]))).toEqual(
    new Set([idAt(night(0)), idAt(night(1))]),
  );
}

describe('in a folder', () => {
  it('backups are judged, read and pruned', async () => {
    await passesAndPrunes(await fill(`file://${folder}/store`));
  });

  it('flipped bits are found when bytes are read', async () => {
    const store = await fill(`file://${folder}/flipped`);
    await store.remove([key(0, 'database.dump.zst')]);
    await store.put(key(0, 'database.dump.zst'), Readable.from([Buffer.alloc(1_000)]));
    expect(bad(await run(store, 'verify', { 'read-data': 'newest', 'min-free-space': '0%' }))).toEqual([
      'artifact-corrupt fail',
    ]);
  });

  it('a folder that does not exist is unknown, and not empty', async () => {
    const url = `file://${folder}/nowhere`;
    const store = await openStore(url, { env: process.env, forbidden: [], stallMs: 60_000, now: () => new Date() });
    expect((await run(store, 'prune')).verdict).toBe('unknown');
    expect((await run(store, 'verify')).verdict).toBe('unknown');
  });
});

describe.skipIf(whyNoRgw() !== undefined)('in an object store', () => {
  const buckets = {
    versioned: `judged-${randomBytes(4).toString('hex')}`,
    locking: `locked-${randomBytes(4).toString('hex')}`,
  };
  let rgw: Rgw;
  let client: S3Client;
  let stop = async () => {};

  beforeAll(async () => {
    ({ rgw, stop } = await rgwForTests());
    process.env.AWS_ACCESS_KEY_ID = rgw.accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = rgw.secretAccessKey;
    client = new S3Client({ endpoint: rgw.endpoint, region: rgw.region, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: buckets.versioned }));
    await client.send(
      new PutBucketVersioningCommand({ Bucket: buckets.versioned, VersioningConfiguration: { Status: 'Enabled' } }),
    );
    await client.send(new CreateBucketCommand({ Bucket: buckets.locking, ObjectLockEnabledForBucket: true }));
  });

  afterAll(() => stop());

  const urlOf = (bucket: string, prefix: string) => `s3://${bucket}/${prefix}?endpoint=${rgw.endpoint}&path-style=true`;

  it('backups are pruned with all their versions', async () => {
    await passesAndPrunes(await fill(urlOf(buckets.versioned, 'whole')));
    const left = await client.send(
      new ListObjectVersionsCommand({ Bucket: buckets.versioned, Prefix: `whole/orders/${idAt(night(3))}` }),
    );
    expect([left.Versions ?? [], left.DeleteMarkers ?? []]).toEqual([[], []]);
  });

  it('a manifest behind a delete marker is found, and the rest of that backup is left alone', async () => {
    const store = await fill(urlOf(buckets.versioned, 'hidden'));
    await client.send(new DeleteObjectCommand({ Bucket: buckets.versioned, Key: `hidden/${key(2, 'manifest.json')}` }));
    expect(bad(await run(store, 'verify'))).toEqual(['backup-hidden fail']);
    expect(bad(await run(store, 'prune', {}, 48))).toEqual(['backup-hidden fail']);
    expect(await store.head(key(2, 'database.dump.zst'))).toBeDefined();
    expect(await store.head(key(3, 'database.dump.zst'))).toBeUndefined();
  });

  it('a lock on one object keeps the whole backup', async () => {
    const store = await fill(urlOf(buckets.locking, 'locked'));
    const Retention = { Mode: 'GOVERNANCE', RetainUntilDate: new Date(started.getTime() + 24 * HOUR_MS) } as const;
    const Key = `locked/${key(3, 'database.dump.zst')}`;
    await client.send(new PutObjectRetentionCommand({ Bucket: buckets.locking, Key, Retention }));
    const report = await run(store, 'prune');
    expect(bad(report)).toEqual([]);
    expect(report.tables[0]?.rows.map((row) => row[4])).toEqual(['kept', 'kept', 'removed', 'keep']);
    expect(await store.head(key(3, 'manifest.json'))).toBeDefined();
    expect(await store.head(key(2, 'manifest.json'))).toBeUndefined();
  });

  it('the upload of a killed process goes once it was quiet for a day', { timeout: 60_000 }, async () => {
    const url = urlOf(buckets.versioned, 'killed');
    const store = await fill(url);
    await leaveUpload(url, key(5, 'database.dump.zst'));
    const open = () => Array.fromAsync(store.openUploads('orders/'));
    await run(store, 'prune', {}, 20);
    expect(await open()).toHaveLength(1);
    await run(store, 'prune', {}, 30);
    expect(await open()).toEqual([]);
  });
});
