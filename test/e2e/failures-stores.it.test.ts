import { execFileSync } from 'node:child_process';
import { readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeS3, s3Error } from '../servers/fake-s3.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import type { Rgw } from '../servers/rgw.ts';
import { rgwForTests, whyNoRgw } from '../servers/rgw-for-tests.ts';
import { smallDisk, whyNoDisk } from './failures-disk.ts';
import { type Expected, type Failed, failingStep, filesIn, newFolder } from './failures-step.ts';
import type { Job } from './runner.ts';

const noDisk = whyNoDisk();
const noRgw = whyNoRgw();
const SECRET = 'n0tTheRealSecret+Key/0123456789abcdefghi';

let pg: TestPostgres;

beforeAll(async () => {
  pg = await startPostgres();
  await pg.psql('CREATE DATABASE shop');
  // Compresses badly: its dump is larger than a small disk.
  await pg.psql(
    "CREATE TABLE orders AS SELECT g AS id, encode(sha512(g::text::bytea), 'hex') AS note FROM generate_series(1, 100000) g",
    'shop',
  );
});

afterAll(async () => {
  await pg?.stop();
});

type Given = Record<string, string>;

/** A backup that must fail, into the store given. */
async function failingBackup(given: Given | ((job: Job) => Given), expected: Expected, env = {}): Promise<Failed> {
  const failed = await failingStep(
    (job) => ({
      action: 'backup',
      env,
      with: { source: 'shop', 'database-url': pg.urlOf('shop'), ...(typeof given === 'function' ? given(job) : given) },
    }),
    expected,
  );
  expect(await pg.psql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'lifeboat%'")).toBe('0');
  return failed;
}

describe('the URL of a store', () => {
  it.each([
    ['is a path', '/srv/backups', /The store URL "\/srv\/backups" is not a URL/, /Write `file:\/\/\/srv\/backups`/],
    [
      'has two slashes',
      'file://backups/x',
      /"file:\/\/backups\/x" names a host/,
      /Write three slashes: `file:\/\/\/backups\/x`/,
    ],
    ['is the root', 'file:///', /is the root of the file system/, /Name a folder of its own/],
    ['has another scheme', 'gs://bucket/x', /has the unknown scheme `gs:`/, /`s3:\/\/bucket\/prefix/],
    ['names no bucket', 's3:///prefix', /names no bucket/, /`s3:\/\/bucket\/prefix/],
    [
      'has a parameter nobody knows',
      's3://bucket/x?regoin=eu',
      /unknown query parameter `regoin`/,
      /Allowed: `region`, /,
    ],
    [
      'has a class that cannot be read',
      's3://bucket/x?storage-class=GLACIER',
      /`storage-class=GLACIER`/,
      /Use `GLACIER_IR`/,
    ],
    ['has a lock nobody understands', 's3://bucket/x?object-lock=30d', /`object-lock=30d`/, /`governance:30d`/],
  ])('%s', async (_, store, message, hint) => {
    await failingBackup({ store }, { message, hint });
  });

  it('holds credentials', async () => {
    await failingBackup(
      { store: `s3://AKIAEXAMPLE:${SECRET}@bucket/x` },
      {
        message: /"s3:\/\/\*\*\*@bucket\/x" .*holds credentials/,
        hint: /Take credentials out: they come from the AWS default chain/,
        secrets: [SECRET],
      },
    );
  });

  it('is not there at all', async () => {
    await failingBackup({}, { message: /`store` is missing\. .*`file:\/\/\/srv\/backups`/, hint: /table of inputs/ });
  });

  it.each([
    ['the workspace', (job: Job) => `file://${job.workspace}/backups`],
    ['RUNNER_TEMP', (job: Job) => `file://${job.temp}/backups`],
  ])('leads into %s', async (_, storeOf) => {
    await failingBackup((job) => ({ store: storeOf(job) }), {
      message: /The store file:\/\/.*\/backups is inside /,
      hint: /The next job empties that folder/,
    });
  });

  it('leads into the workspace by a link', async () => {
    const link = join(newFolder(), 'link');
    await failingBackup(
      (job) => {
        symlinkSync(job.workspace, link);
        return { store: `file://${link}/backups` };
      },
      { message: /is inside /, hint: /The next job empties that folder/ },
    );
  });
});

describe('the inputs', () => {
  it('are not all known', async () => {
    await failingBackup(
      { store: 'file:///nonexistent/x', 'databse-url': 'postgresql://u:geheim@h/x' },
      {
        message: /`databse-url` is no input here. Did you mean `database-url`\? There are .*`database-url`/,
        hint: /table of inputs/,
        secrets: ['geheim'],
      },
    );
  });

  it('come from a variable that nobody reads', async () => {
    await failingBackup(
      { store: 'file:///nonexistent/x' },
      { message: /LIFEBOAT_STORES in the environment is no variable/, hint: /There are .*LIFEBOAT_STORE,/ },
      { LIFEBOAT_STORES: 'x' },
    );
  });

  it('must be in the step when they are a choice', async () => {
    await failingBackup(
      { store: 'file:///nonexistent/x' },
      { message: /LIFEBOAT_SCHEMA_ONLY in the environment is no variable/, hint: /must be in the step/ },
      { LIFEBOAT_SCHEMA_ONLY: 'true' },
    );
  });

  it('are no numbers, durations, shares', async () => {
    await failingBackup(
      {
        store: 'file:///nonexistent/x',
        'lock-timeout': '30',
        'max-size-deviation': '0.5',
        'schema-only': 'yes',
        'min-size': '5 apples',
      },
      {
        message: /`schema-only` cannot be "yes".*`lock-timeout` cannot be "30"/s,
        hint: /table of inputs/,
      },
    );
  });
});

describe.skipIf(noDisk)('a folder', () => {
  it('is on a disk that gets full', async () => {
    const disk = smallDisk(4);
    await failingBackup(
      { store: `file://${disk.path}/store` },
      { message: /no space left on device/i, hint: /Free space on that file system, or prune older backups/ },
    );
    expect(filesIn(disk.path)).toEqual([]);
  });

  it('is on a disk that gets full, and the other store keeps its copy', async () => {
    const disk = smallDisk(4);
    const folder = newFolder();
    const { result } = await failingBackup(
      { store: `file://${disk.path}/store\nfile://${folder}` },
      {
        rule: 'store-copy',
        status: 'fail',
        message: new RegExp(`file://${disk.path}/store holds no copy of this backup: .*no space left on device`, 'i'),
        hint: /Free space on that file system/,
      },
    );
    expect(result.outputs.locations).toBe(`file://${folder}/shop/${result.outputs['backup-id']}`);
    expect(readdirSync(join(folder, 'shop', result.outputs['backup-id'] ?? ''))).toContain('manifest.json');
    expect(filesIn(disk.path)).toEqual([]);
  });

  it('is on a disk that is mounted read-only', async () => {
    const disk = smallDisk(4);
    disk.readOnly();
    await failingBackup(
      { store: `file://${disk.path}/store` },
      { message: /read-only file system/i, hint: /remount it for writing/ },
    );
  });
});

it('cannot judge a folder that is not there', async () => {
  const folder = `${newFolder()}/mnt/backups`;
  await failingStep(
    { action: 'verify-freshness', with: { source: 'shop', store: `file://${folder}` } },
    { rule: 'store-readable', message: new RegExp(folder), hint: /mount|folder/ },
  );
});

describe('a bucket behind an endpoint', () => {
  const credentials = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: SECRET };
  const at = (endpoint: string) => `s3://bucket/x?endpoint=${endpoint}&path-style=true`;

  it('that nobody listens at', async () => {
    await failingBackup(
      { store: at('http://127.0.0.1:1') },
      {
        message: /s3:\/\/bucket\/x\?endpoint=http:\/\/127\.0\.0\.1:1.*ECONNREFUSED/,
        hint: /Check the endpoint/,
        secrets: [SECRET],
      },
      credentials,
    );
  });

  it('that says that the session has expired', async () => {
    const server = await fakeS3(() => s3Error(400, 'ExpiredToken', 'The provided token has expired.'));
    try {
      await failingBackup(
        { store: at(server.endpoint) },
        {
          message: /The provided token has expired/,
          hint: /The session must outlive the job: raise `role-duration-seconds`/,
          secrets: [SECRET, 'sess10n-t0ken'],
        },
        { ...credentials, AWS_SESSION_TOKEN: 'sess10n-t0ken' },
      );
    } finally {
      await server.close();
    }
  });

  it('without any credentials', async () => {
    await failingBackup(
      { store: at('http://127.0.0.1:1') },
      { message: /credentials/i, hint: /aws-actions\/configure-aws-credentials/ },
      { AWS_EC2_METADATA_DISABLED: 'true', HOME: newFolder() },
    );
  });
});

describe.skipIf(noRgw)('a bucket of a gateway', () => {
  let rgw: Rgw;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    ({ rgw, stop } = await rgwForTests());
    const client = new S3Client({ endpoint: rgw.endpoint, region: rgw.region, forcePathStyle: true, credentials: rgw });
    await client.send(new CreateBucketCommand({ Bucket: 'failures' }));
    client.destroy();
    const user = [
      'user',
      'create',
      '--uid=stranger',
      '--display-name=Stranger',
      '--access-key=STRANGER',
      `--secret=${SECRET}`,
    ];
    execFileSync('radosgw-admin', [
      '-c',
      join(rgw.dir, 'ceph.conf'),
      '-n',
      'client.rgw.a',
      '-k',
      join(rgw.dir, 'rgw.keyring'),
      ...user,
    ]);
  });

  afterAll(() => stop?.());

  const at = (bucket: string) => `s3://${bucket}/x?endpoint=${rgw.endpoint}&path-style=true`;
  const keys = (id: string, secret: string) => ({ AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret });

  it('is missing', async () => {
    await failingBackup(
      { store: at('no-such-bucket') },
      {
        message: /s3:\/\/no-such-bucket\/x.*NoSuchBucket/,
        hint: /Create the bucket, or check its name/,
        secrets: [rgw.secretAccessKey],
      },
      keys(rgw.accessKeyId, rgw.secretAccessKey),
    );
  });

  it('belongs to somebody else', async () => {
    await failingBackup(
      { store: at('failures') },
      {
        message: /s3:ListBucket failed on s3:\/\/failures\/x.*AccessDenied/,
        hint: /Allow `s3:ListBucket`/,
        secrets: [SECRET],
      },
      keys('STRANGER', SECRET),
    );
  });

  it('does not know the secret', async () => {
    await failingBackup(
      { store: at('failures') },
      { message: /SignatureDoesNotMatch/, hint: /Check the access key and its secret/, secrets: [SECRET] },
      keys(rgw.accessKeyId, SECRET),
    );
  });

  it('does not know the access key', async () => {
    await failingBackup(
      { store: at('failures') },
      { message: /InvalidAccessKeyId/, hint: /Check the access key and its secret/, secrets: [SECRET] },
      keys('NOBODY', SECRET),
    );
  });

  it('is missing, and a folder keeps the copy', async () => {
    const folder = newFolder();
    const { result } = await failingBackup(
      { store: `file://${folder}\n${at('no-such-bucket')}` },
      {
        rule: 'store-copy',
        status: 'fail',
        message: /no-such-bucket\/x.* holds no copy of this backup: .*NoSuchBucket/,
        hint: /Create the bucket/,
      },
      keys(rgw.accessKeyId, rgw.secretAccessKey),
    );
    expect(filesIn(folder)).toContain(`shop/${result.outputs['backup-id']}/manifest.json`);
  });

  it.each(['verify-freshness', 'restore-drill', 'prune'])(
    'cannot be read by %s, which says so and changes nothing',
    async (action) => {
      const more = {
        'verify-freshness': {},
        'restore-drill': { 'scratch-dir': newFolder() },
        prune: { 'keep-last': '1' },
      }[action];
      const given = { source: 'shop', store: at('failures'), ...more };
      const isDrill = action === 'restore-drill';
      await failingStep(
        { action, with: given, env: keys('STRANGER', SECRET) },
        {
          rule: isDrill ? 'run-failed' : 'store-readable',
          message: /s3:ListBucket failed on s3:\/\/failures\/x.*AccessDenied/,
          hint: /Allow `s3:ListBucket`/,
          secrets: [SECRET],
        },
      );
    },
  );
});
