// `npm run bench`: what backup and drill cost, beside the shell lines they replace, on one database, in alternation,
// with medians and ratios. `aws` and `restic` are contenders where they are installed; it says which were not.
//
//   npm run bench -- [--gigabytes 1.5] [--rounds 3] [--only main-job|memory|refusal|streams]
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { type Rgw, startRgw, stopRgw } from '../servers/rgw.ts';
import { benchMainJob } from './main-job.ts';
import { benchMemory } from './memory.ts';
import { benchRefusal } from './refusal.ts';
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

const all = { 'main-job': benchMainJob, memory: benchMemory, refusal: benchRefusal, streams: benchStreams };

const { values } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '1.5' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
  },
});
// Not /tmp: that is memory on many machines.
const folder = mkdtempSync('/var/tmp/lifeboat-bench-');
const pg = await startPostgres({
  settings: { shared_buffers: '512MB', max_wal_size: '8GB', checkpoint_timeout: '1h' },
});
const rgw = await startRgw(join(folder, 'rgw'));
// They outlive this process otherwise.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void stop().finally(() => process.exit(1)));
try {
  const { accessKeyId, secretAccessKey, region, endpoint } = rgw;
  const s3 = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  await s3.send(new CreateBucketCommand({ Bucket: 'bench' }));
  const s3Parameters = `endpoint=${encodeURIComponent(endpoint)}&region=${region}&path-style=true`;
  const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const [gigabytes, rounds] = [Number(values.gigabytes), Number(values.rounds)];
  console.log(`PostgreSQL ${await pg.psql('SHOW server_version')}, Node ${process.version}, ${rounds} rounds.`);
  for (const [name, bench] of Object.entries(all)) {
    if (values.only === '' || values.only === name) {
      await bench({ pg, rgw, s3Parameters, keys, folder, gigabytes, rounds });
    }
  }
} finally {
  await stop();
}

async function stop(): Promise<void> {
  await stopRgw(rgw.dir);
  await pg.stop();
  rmSync(folder, { recursive: true, force: true });
}
