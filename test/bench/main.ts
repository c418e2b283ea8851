// `npm run bench`: what backup and drill cost, beside the shell lines they replace, on one database, in alternation,
// with medians and ratios. `aws` and `restic` are contenders where they are installed; it says which were not.
//
//   npm run bench -- [--gigabytes 1.5] [--rounds 3] [--only main-job|memory|refusal|restores|restores-anew|restores-beside|streams]
//
// Targets stand beside the ratios. A missed one is no failure of the command: what else a machine does decides too much.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { type Rgw, startRgw, stopRgw } from '../servers/rgw.ts';
import { isInstalled } from './contender.ts';
import { benchMainJob } from './main-job.ts';
import { benchMemory } from './memory.ts';
import { benchRefusal } from './refusal.ts';
import { benchRestoresAnew, benchRestoresBeside } from './restores.ts';
import { benchStreams } from './streams.ts';

/** What every benchmark works on: real servers of its own, an empty bucket, a folder. */
export interface Bench {
  readonly pg: TestPostgres;
  readonly rgw: Rgw;
  /** Parameters of an `s3:` URL of the bucket `bench`. */
  readonly s3Parameters: string;
  /** Keys of the bucket, for the environment. */
  readonly keys: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly gigabytes: number;
  readonly rounds: number;
}

const all = {
  'main-job': benchMainJob,
  memory: benchMemory,
  refusal: benchRefusal,
  'restores-anew': benchRestoresAnew,
  'restores-beside': benchRestoresBeside,
  streams: benchStreams,
};

const { values } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '1.5' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
  },
});
// Not /tmp: that is memory on many machines.
const folder = mkdtempSync('/var/tmp/lifeboat-bench-');
/** As durable as every server that teams run, and tuned as few are. The tests' own servers do not sync. */
const LIVE = {
  ...{ fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' },
  ...{ shared_buffers: '512MB', max_wal_size: '8GB', checkpoint_timeout: '1h' },
};
const pg = await startPostgres({ settings: LIVE });
const rgw = await startRgw(join(folder, 'rgw'));
// They outlive this process otherwise.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void stop().finally(() => process.exit(1)));
try {
  const { accessKeyId, secretAccessKey, region, endpoint } = rgw;
  const s3 = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  await s3.send(new CreateBucketCommand({ Bucket: 'bench' }));
  await uploadOnce(s3, { Bucket: 'bench', Key: 'first' });
  const s3Parameters = `endpoint=${encodeURIComponent(endpoint)}&region=${region}&path-style=true`;
  const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const [gigabytes, rounds] = [Number(values.gigabytes), Number(values.rounds)];
  console.log(await describeMachine(rounds));
  for (const [name, bench] of Object.entries(all)) {
    if (name.startsWith(values.only)) {
      await bench({ pg, rgw, s3Parameters, keys, folder, gigabytes, rounds });
    }
  }
} finally {
  await stop();
}

/** Ceph makes the pools of a new gateway with its first objects, for seconds that no contender should pay for. */
async function uploadOnce(s3: S3Client, object: { Bucket: string; Key: string }): Promise<void> {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(object));
  const part = { ...object, UploadId, PartNumber: 1 };
  const { ETag } = await s3.send(new UploadPartCommand({ ...part, Body: Buffer.alloc(1 << 20) }));
  const MultipartUpload = { Parts: [{ ETag, PartNumber: 1 }] };
  await s3.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload }));
}

/** What the numbers were measured on and with: a ratio travels, a second does not. */
async function describeMachine(rounds: number): Promise<string> {
  const model = cpus()[0]?.model ?? 'unknown';
  const programs = ['zstd', 'aws', 'restic', 'radosgw'].map(versionOf).filter((version) => version !== undefined);
  const server = await pg.psql('SHOW server_version');
  const when = new Date().toISOString().slice(0, 10);
  return `${when}, ${cpus().length} x ${model}, ${rounds} rounds. PostgreSQL ${server}; Node ${process.version}; ${programs.join('; ')}.`;
}

/** The first line that it says of itself; undefined when it is not installed. */
function versionOf(program: string): string | undefined {
  if (!isInstalled(program)) return undefined;
  const flag = program === 'restic' ? 'version' : '--version';
  return execFileSync(program, [flag], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0];
}

async function stop(): Promise<void> {
  await stopRgw(rgw.dir);
  await pg.stop();
  rmSync(folder, { recursive: true, force: true });
}
