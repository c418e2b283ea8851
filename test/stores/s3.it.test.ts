import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LifecycleRule } from '../../src/core/ports.ts';
import { openStore } from '../../src/stores/registry.ts';
import { inChunks, type Subject, storeContract } from '../contracts/store.contract.ts';
import type { Rgw } from '../servers/rgw.ts';
import { rgwForTests, whyNoRgw } from '../servers/rgw-for-tests.ts';
import { leaveUpload } from './leave-upload.ts';

const MIB = 1024 * 1024;
const run = randomBytes(4).toString('hex');
const buckets = { plain: `plain-${run}`, versioned: `versioned-${run}`, locking: `locking-${run}` };
let rgw: Rgw;
let client: S3Client;
let stop = async () => {};

describe.skipIf(whyNoRgw() !== undefined)('s3', () => {
  beforeAll(async () => {
    ({ rgw, stop } = await rgwForTests());
    process.env.AWS_ACCESS_KEY_ID = rgw.accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = rgw.secretAccessKey;
    client = new S3Client({ endpoint: rgw.endpoint, region: rgw.region, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: buckets.plain }));
    await client.send(new CreateBucketCommand({ Bucket: buckets.versioned }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket: buckets.versioned, VersioningConfiguration }));
    await client.send(new CreateBucketCommand({ Bucket: buckets.locking, ObjectLockEnabledForBucket: true }));
  });

  afterAll(() => stop());

  storeContract('s3, plain bucket', () => open(buckets.plain));
  storeContract('s3, versioned bucket', () => open(buckets.versioned));
  storeContract('s3, bucket with object lock', () => open(buckets.locking));

  describe('on a real gateway', () => {
    it('says that a bucket does not exist', async () => {
      const { store } = await open('no-such-bucket');
      const failure = { code: 'store-missing', hint: expect.stringContaining('Create the bucket') };
      await expect(store.listFolders()).rejects.toMatchObject(failure);
      await expect(Array.fromAsync(store.list('db/'))).rejects.toMatchObject(failure);
      await expect(store.put('db/one', Readable.from(['x']))).rejects.toMatchObject(failure);
      await expect(store.remove(['db/one'])).rejects.toMatchObject(failure);
    });

    it.each([
      ['AWS_SECRET_ACCESS_KEY', 'SignatureDoesNotMatch'],
      ['AWS_ACCESS_KEY_ID', 'InvalidAccessKeyId'],
    ])('says that %s is wrong', async (name, code) => {
      const right = process.env[name];
      process.env[name] = 'wrong';
      try {
        const { store } = await open(buckets.plain);
        await expect(store.listFolders()).rejects.toMatchObject({
          code: 'store-denied',
          message: expect.stringContaining(code),
          hint: expect.stringContaining(name),
        });
      } finally {
        process.env[name] = right;
      }
    });

    it('says that nobody may write into the bucket of somebody else', async () => {
      const Policy = JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Deny', Principal: '*', Action: 's3:PutObject', Resource: 'arn:aws:s3:::*' }],
      });
      await client.send(new CreateBucketCommand({ Bucket: `denied-${run}` }));
      await client.send(new PutBucketPolicyCommand({ Bucket: `denied-${run}`, Policy }));
      const { store } = await open(`denied-${run}`);
      for (const size of [1, 20 * MIB]) {
        await expect(store.put('db/one', Readable.from([Buffer.alloc(size)]))).rejects.toMatchObject({
          code: 'store-denied',
          hint: expect.stringContaining('`s3:PutObject`'),
        });
      }
      expect(await Array.fromAsync(store.openUploads(''))).toEqual([]);
    });

    it('has the rules of the bucket that reach its keys, and no other', async () => {
      const bucket = `rules-${run}`;
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      const prod = await openStore(`s3://${bucket}/prod?endpoint=${rgw.endpoint}&path-style=true`, {
        env: process.env,
        forbidden: [],
        stallMs: 60_000,
        now: () => new Date(),
      });
      expect(await prod.lifecycle()).toEqual([]);
      const rule = (ID: string, Prefix: string, rest: object) => ({
        ID,
        Status: 'Enabled' as const,
        Filter: { Prefix },
        ...rest,
      });
      const Rules = [
        rule('elsewhere', 'logs/', { Expiration: { Days: 1 } }),
        rule('above', 'pro', { Expiration: { Days: 30 } }),
        rule('below', 'prod/orders/', { NoncurrentVersionExpiration: { NoncurrentDays: 90 } }),
        { ...rule('off', 'prod/', { Expiration: { Days: 1 } }), Status: 'Disabled' as const },
      ];
      await client.send(
        new PutBucketLifecycleConfigurationCommand({ Bucket: bucket, LifecycleConfiguration: { Rules } }),
      );
      const found = ((await prod.lifecycle()) ?? []).toSorted((a, b) => a.name.localeCompare(b.name));
      expect(found).toMatchObject([
        { name: 'above', prefix: '', expires: { afterDays: 30 } },
        { name: 'below', prefix: 'orders/', expires: undefined },
      ]);
      await prod.close();
    });

    it('finds out that this gateway honours the condition of a write, and ignores it where the object comes in parts', async () => {
      const { store } = await open(buckets.plain);
      await store.put('.x/1/in-progress.json', Readable.from(['probe']));
      expect(await store.traits('.x/1/in-progress.json')).toMatchObject({
        conditionalWrites: { whole: 'honoured', inParts: 'ignored' },
        clockOffsetSeconds: expect.any(Number),
      });
      expect(await store.lockTraits()).toEqual({ isPossible: false, byDefault: undefined });
      expect(await (await open(buckets.locking)).store.lockTraits()).toEqual({
        isPossible: true,
        byDefault: undefined,
      });
    });

    it('locks what the URL says it shall lock, until the day it says', { timeout: 30_000 }, async () => {
      const { store } = await open(buckets.locking, '&object-lock=governance:1d');
      await store.put('db/id/database.dump', Readable.from([randomBytes(20 * MIB)]));
      await store.put('db/id/in-progress.json', Readable.from(['{}']));
      const [lock, ...others] = await store.locks('db/');
      expect(others).toEqual([]);
      expect(lock?.key).toBe('db/id/database.dump');
      expect(Math.round(((lock?.until?.getTime() ?? 0) - Date.now()) / 3_600_000)).toBe(24);
    });

    it('leaves the marker of a locked object, which would come back without it', async () => {
      const { store, hide, lock } = await open(buckets.locking);
      await store.put('db/one', Readable.from(['one']));
      await lock?.('db/one', null);
      await hide?.('db/one');
      expect(await store.locks('db/')).toEqual([{ key: 'db/one', until: null }]);
      expect(await store.remove(['db/one'])).toMatchObject([{ key: 'db/one' }]);
      expect(await store.head('db/one')).toBeUndefined();
      expect((await Array.fromAsync(store.hidden('db/'))).map(({ key }) => key)).toEqual(['db/one']);
    });

    it('keeps what a key of the store encrypts', { timeout: 30_000 }, async () => {
      const { store } = await open(buckets.plain, '&sse=aws:kms&sse-kms-key-id=testkey-1');
      for (const [key, size] of [
        ['db/small', 1000],
        ['db/large', 20 * MIB],
      ] as const) {
        const bytes = randomBytes(size);
        const { tag } = await store.put(key, inChunks(bytes));
        expect((await buffer(await store.get(key))).equals(bytes)).toBe(true);
        expect(await store.head(key)).toMatchObject({ tag, bytes: size });
      }
    });

    it('gives up, and says so, when the gateway goes away in the middle', { timeout: 60_000 }, async () => {
      const relay = await startRelay(rgw.endpoint);
      const url = `s3://${buckets.plain}/relay-${run}?endpoint=${relay.endpoint}&path-style=true`;
      const context = { env: process.env, forbidden: [], stallMs: 8_000, now: () => new Date() };
      const store = await openStore(url, context);
      let sent = 0;
      const body = new Readable({ read: () => body.push(randomBytes(MIB)) });
      const onBytes = (bytes: number) => {
        sent += bytes;
        if (sent > 8 * MIB) relay.cut();
      };
      await expect(store.put('db/one', body, { onBytes })).rejects.toMatchObject({ code: 'store-unavailable' });
      expect(body.destroyed).toBe(true);
      await relay.mend();
      expect(await store.head('db/one')).toBeUndefined();
      // The abort could not get through either; the next run finds what stayed behind.
      for await (const upload of store.openUploads('')) await upload.abort();
      expect(await Array.fromAsync(store.openUploads(''))).toEqual([]);
      await relay.close();
    });
  });
});

/** Passes connections on to the gateway until it is cut. */
async function startRelay(endpoint: string) {
  const { hostname, port } = new URL(endpoint);
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) return void client.destroy();
    const gateway = connect(Number(port), hostname);
    for (const socket of [client, gateway]) sockets.add(socket.on('error', () => {}));
    client.pipe(gateway).pipe(client);
  });
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const own = typeof address === 'object' && address !== null ? address.port : 0;
  const mend = async () => {
    isCut = false;
  };
  const close = async () => {
    cut();
    server.close();
  };
  return { endpoint: `http://127.0.0.1:${own}`, cut, mend, close };
}

async function open(bucket: string, query = ''): Promise<Subject> {
  const prefix = `tests/${randomBytes(4).toString('hex')}`;
  const url = `s3://${bucket}/${prefix}?endpoint=${rgw.endpoint}&path-style=true${query}`;
  const store = await openStore(url, { env: process.env, forbidden: [], stallMs: 60_000, now: () => new Date() });
  const target = (key: string) => ({ Bucket: bucket, Key: `${prefix}/${key}` });
  return {
    store,
    leaveUpload: (key) => leaveUpload(url, key),
    setLifecycle: async (rules) => {
      const Rules = rules.map((rule) => s3RuleOf(rule, prefix));
      const LifecycleConfiguration = { Rules };
      await client.send(new PutBucketLifecycleConfigurationCommand({ Bucket: bucket, LifecycleConfiguration }));
    },
    ...(bucket !== buckets.plain && {
      hide: async (key) => void (await client.send(new DeleteObjectCommand(target(key)))),
      overwrite: async (key, Body) => void (await client.send(new PutObjectCommand({ ...target(key), Body }))),
    }),
    ...(bucket === buckets.locking && {
      lock: async (key, until) => {
        if (until === null) {
          await client.send(new PutObjectLegalHoldCommand({ ...target(key), LegalHold: { Status: 'ON' } }));
        } else {
          const Retention = { Mode: 'COMPLIANCE', RetainUntilDate: until } as const;
          await client.send(new PutObjectRetentionCommand({ ...target(key), Retention }));
        }
      },
    }),
  };
}

function s3RuleOf({ name, prefix, expires, abortsUploadsAfterDays: days }: LifecycleRule, root: string) {
  return {
    ID: name,
    Status: 'Enabled' as const,
    Filter: { Prefix: `${root}/${prefix}` },
    ...(expires !== undefined && 'afterDays' in expires && { Expiration: { Days: expires.afterDays } }),
    ...(days !== undefined && { AbortIncompleteMultipartUpload: { DaysAfterInitiation: days } }),
  };
}
