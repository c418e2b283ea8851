import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import type { Rgw } from '../servers/rgw.ts';
import { type Bucket, bucketFiles, copyPrefix, folderFiles, s3Parameters } from './bytes-in-store.ts';
import { mountDisk } from './disk.ts';
import type { Run } from './program.ts';
import { type Action, keysOf, makeSite, type Site, type StoreKind } from './site.ts';

const BUCKET = 'faults';
const BASE = 'base';
/** The same with more backups: something to prune. */
const BASE_OF_SEVERAL = 'base-of-several';
const SEVERAL = 3;
/** Sparse: room for a scratch server as it is estimated, not as it is used. */
const DISK_MIB = 4096;

/** Servers, a database and one good backup in each kind of store: what every fault begins with. */
export interface Ground {
  /** How long an undisturbed run takes, in milliseconds; moments are chosen within it. */
  readonly usualMs: Readonly<Record<Action, number>>;
  /** @param several whether its store holds three backups instead of one */
  newSite(kind: StoreKind, several?: boolean): Promise<Site>;
  /** A server to restore into that no backup comes from: always the same one, started when it is first asked for. */
  elsewhere(): Promise<TestPostgres>;
  stop(): Promise<void>;
}

/** Rows enough for an upload of several parts and a dump that can be met in its middle. */
const DATABASE = `
  CREATE TABLE orders AS
    SELECT g AS id, md5(g::text) || md5((g + 1)::text) AS note, g % 977 AS customer FROM generate_series(1, 600000) g;
  CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL UNIQUE);
  INSERT INTO customers SELECT g, 'customer ' || g FROM generate_series(0, 976) g;
  ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers;
  CREATE TABLE moving AS SELECT g AS id, 0 AS generation, repeat('x', 40) AS filler FROM generate_series(1, 20000) g;
  CREATE TABLE generation AS SELECT 0 AS number;
`;

interface Servers {
  readonly server: TestPostgres;
  readonly folder: string;
  readonly rgw: Rgw | undefined;
  readonly bucket: Bucket | undefined;
}

/** Starts everything. Without `rgw`, only folders are stores. */
export async function prepareGround(rgw: Rgw | undefined): Promise<Ground> {
  const server = await startPostgres();
  const folder = mkdtempSync('/var/tmp/lifeboat-faults-');
  chmodSync(folder, 0o755); // a scratch server of root runs as somebody else
  let other: Promise<TestPostgres> | undefined;
  // What was committed survives a crash of it, as on servers of users.
  const elsewhere = () => {
    other ??= startPostgres({ settings: { synchronous_commit: 'on' } });
    return other;
  };
  const stop = async () => {
    await (await other)?.stop();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    // Pruning happens within this process.
    Object.assign(process.env, keysOf(rgw));
    await server.psql('CREATE DATABASE shop');
    await server.psql(DATABASE, 'shop');
    const servers = { server, folder, rgw, bucket: rgw === undefined ? undefined : await makeBucket(rgw) };
    const usualMs = await makeBase(servers);
    let made = 0;
    const prepared = new Map<StoreKind, Promise<void>>();
    const newSite = async (kind: StoreKind, several = false) => {
      // Only when first asked for: most faults need one backup.
      if (several && !prepared.has(kind)) prepared.set(kind, makeSeveral(servers, kind));
      await (several && prepared.get(kind));
      return copyBase(servers, kind, { from: several ? BASE_OF_SEVERAL : BASE, name: `site-${++made}` });
    };
    return { usualMs, newSite, elsewhere, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function makeBucket({ endpoint, region, accessKeyId, secretAccessKey }: Rgw): Promise<Bucket> {
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  return { client, name: BUCKET, parameters: s3Parameters(endpoint) };
}

/** The good backup that every site begins with, in each kind of store, and how long it and its drill take. */
async function makeBase(servers: Servers): Promise<Record<Action, number>> {
  const folder = join(servers.folder, BASE);
  const path = join(folder, 'store');
  mkdirSync(path, { recursive: true });
  const { bucket } = servers;
  if (bucket !== undefined) {
    const inBucket = await makeSite({ ...servers, folder, store: bucketFiles(bucket, BASE) });
    await mustPass(inBucket.start('backup'));
  }
  const site = await makeSite({ ...servers, folder, store: folderFiles(path) });
  const backup = await mustPass(site.start('backup'));
  const drill = await mustPass(site.start('restore-drill'));
  const verify = await mustPass(site.start('verify-freshness'));
  const prune = await mustPass(site.start('prune'));
  return { backup, 'restore-drill': drill, 'verify-freshness': verify, prune };
}

async function makeSeveral(servers: Servers, kind: StoreKind): Promise<void> {
  const site = await copyBase(servers, kind, { from: BASE, name: BASE_OF_SEVERAL });
  for (let backups = 1; backups < SEVERAL; backups += 1) await mustPass(site.start('backup'));
}

/** @returns how long it took, in milliseconds */
async function mustPass(run: Run): Promise<number> {
  const { code, signal, seconds, log } = await run.ended;
  if (code === 0) return seconds * 1000;
  throw new Error(`An undisturbed run ended with ${code ?? signal}:\n${log}`);
}

async function copyBase(
  servers: Servers,
  kind: StoreKind,
  { from: base, name }: { from: string; name: string },
): Promise<Site> {
  const folder = join(servers.folder, name);
  mkdirSync(folder);
  if (kind === 's3') {
    if (servers.bucket === undefined) throw new Error('There is no bucket.');
    await copyPrefix(servers.bucket, base, name);
    return makeSite({ ...servers, folder, store: bucketFiles(servers.bucket, name) });
  }
  const disk = kind === 'disk' ? mountDisk(folder, DISK_MIB) : undefined;
  if (disk !== undefined) chmodSync(disk.path, 0o755);
  const [from, to] = [join(servers.folder, base, 'store'), join(disk?.path ?? folder, 'store')];
  if (disk === undefined) linkTree(from, to);
  // Durable, as a backup that was made before is.
  else execFileSync('bash', ['-c', 'cp -r "$1" "$2" && sync -f "$2"', 'cp', from, to]);
  return makeSite({ ...servers, folder, store: folderFiles(to), disk });
}

/** Hard links: objects are written once and never changed, so a copy costs nothing. */
function linkTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkTree(source, target);
    else linkSync(source, target);
  }
}
