// `npm run scale`: judges and prunes large stores, streams a large dump, and prints tables; ends with 1 when a limit
// was missed. Needs Ceph's programs for the S3 half; without them it is left out, said.
//
//   npm run scale -- [--backups 10000] [--sources 1000] [--gigabytes 20] [--only file|s3|stream]
//
// 0 backups or 0 sources leave that half of the stores out.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { parseStoreUrl } from '../../src/stores/store-url.ts';
import { lifeboat } from '../hostile/lifeboat.ts';
import { startPostgres } from '../servers/postgresql.ts';
import { missingPrograms, startRgw, stopRgw } from '../servers/rgw.ts';
import { type CountingProxy, countingProxy } from './counting-proxy.ts';
import { discardingS3 } from './discarding-s3.ts';
import { databaseOf, dumpOf, GIB } from './endless-dump.ts';
import { fill, intoBucket, intoFolder, type Shape, sourceName } from './fill.ts';

const { values } = parseArgs({
  options: {
    backups: { type: 'string', default: '10000' },
    sources: { type: 'string', default: '1000' },
    gigabytes: { type: 'string', default: '20' },
    only: { type: 'string', default: '' },
  },
});
const [backups, sources, gigabytes] = [Number(values.backups), Number(values.sources), Number(values.gigabytes)];
/** The row that the figure is asked for, and two smaller ones: together they show how cost grows. */
const thirds = (most: number) => [most / 4, most / 2, most];
const shapes: Shape[] = [
  ...thirds(backups).map((count) => ({ sources: 1, backups: Math.round(count) })),
  ...thirds(sources).map((count) => ({ sources: Math.round(count), backups: 30 })),
].filter((shape) => shape.sources * shape.backups > 0);
/** For judging one source, in seconds. */
const LIMIT_SECONDS = 3;
/** For judging one source, and for a dump of any size, in MB. The others are printed. */
const LIMIT_MB = 200;
/** Twice as much may take so many times as long: what grows with the square takes four times. */
const LIMIT_GROWTH = 2.6;
/** A shorter run is mostly starting up, and its growth means nothing. */
const LONG_ENOUGH_SECONDS = 2;

const JUDGE_ONE = 'judge one source';

const missed: string[] = [];
/** Of each action, what the next smaller store took; of one kind of store. */
const last = new Map<string, { total: number; seconds: number }>();
const folder = mkdtempSync('/var/tmp/lifeboat-scale-');
const wants = (what: string) => values.only === '' || values.only === what;

try {
  if (wants('file')) await judgeFolders();
  if (wants('s3')) await judgeBuckets();
  if (wants('stream')) await stream();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(missed.length === 0 ? '\nEvery limit was kept.' : `\nLimits that were missed:\n${missed.join('\n')}`);
process.exitCode = missed.length === 0 ? 0 : 1;

interface Place {
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
  readonly proxy?: CountingProxy;
}

async function judgeFolders(): Promise<void> {
  heading('file');
  last.clear();
  for (const [at, shape] of shapes.entries()) {
    const base = join(folder, String(at));
    await fill(shape, new Date(), `file://${base}`, intoFolder(base));
    await judge(shape, { url: `file://${base}`, env: {} });
    rmSync(base, { recursive: true });
  }
}

async function judgeBuckets(): Promise<void> {
  const missing = missingPrograms();
  if (missing.length > 0) return console.log(`S3 was left out: ${missing.join(', ')} are not here.`);
  const rgw = await startRgw(join(folder, 'rgw'));
  // It outlives this process otherwise.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stopRgw(rgw.dir).finally(() => process.exit(1)));
  }
  const proxy = await countingProxy(rgw.endpoint);
  try {
    heading('S3 (Ceph RGW)');
    last.clear();
    const { accessKeyId, secretAccessKey, region } = rgw;
    const credentials = { accessKeyId, secretAccessKey };
    const client = new S3Client({ endpoint: rgw.endpoint, region, forcePathStyle: true, credentials });
    await client.send(new CreateBucketCommand({ Bucket: 'scale' }));
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    const query = `region=${region}&path-style=true&endpoint=${encodeURIComponent(proxy.endpoint)}`;
    for (const [at, shape] of shapes.entries()) {
      const url = `s3://scale/${at}?${query}`;
      await fill(shape, new Date(), parseStoreUrl(url).location, intoBucket(client, 'scale', String(at)));
      await judge(shape, { url, env, proxy });
    }
  } finally {
    await proxy.close();
    await stopRgw(rgw.dir);
  }
}

function heading(store: string): void {
  console.log(`\n${store}\n| Sources x backups | Action | Seconds | MB | List pages | Other lists | GET | DELETE |`);
  console.log('|---|---|---:|---:|---:|---:|---:|---:|');
}

async function judge(shape: Shape, place: Place): Promise<void> {
  const one = ['--source', sourceName(0)];
  const goes = Math.round(shape.backups / 10);
  const room = ['--min-free-space', '0%'];
  const actions: [string, string[]][] = [
    [JUDGE_ONE, ['verify-freshness', ...one, ...room, '--max-drill-age', '8d']],
    ['judge one, all listed', ['verify-freshness', ...one, ...room, '--min-backups', String(shape.backups)]],
    ...(shape.sources > 1 ? [['judge all', ['verify-freshness', ...room]] as [string, string[]]] : []),
    ['plan to prune', ['prune', ...one, '--keep-daily', '7', '--max-delete', '100%', '--dry-run']],
    ['prune a tenth', ['prune', ...one, '--keep-last', String(shape.backups - goes)]],
  ];
  for (const [name, args] of actions) await measure(shape, name, args, place);
}

async function measure(shape: Shape, name: string, args: readonly string[], { url, env, proxy }: Place): Promise<void> {
  proxy?.take();
  const startedAt = performance.now();
  const outcome = await lifeboat([...args, '--store', url], { env });
  const seconds = (performance.now() - startedAt) / 1000;
  const bad = outcome.findings.filter(({ status }) => status !== 'pass');
  if (outcome.code !== 0) throw new Error(`${args.join(' ')} ended with ${outcome.code}: ${JSON.stringify(bad)}`);
  const counts = proxy?.take();
  const counted = counts === undefined ? ['', '', '', ''] : [counts.list, counts.around, counts.get, counts.remove];
  const what = `${shape.sources} x ${shape.backups}`;
  const mb = Math.round(outcome.peakMegabytes);
  console.log(`| ${[what, name, seconds.toFixed(2), mb, ...counted].join(' | ')} |`);
  if (name === JUDGE_ONE) limit(`${what}, ${name}: ${mb} MB of ${LIMIT_MB}`, mb <= LIMIT_MB);
  if (name === JUDGE_ONE)
    limit(`${what}, ${name}: ${seconds.toFixed(2)} s of ${LIMIT_SECONDS}`, seconds <= LIMIT_SECONDS);
  judgeGrowth(shape, name, seconds);
}

function judgeGrowth(shape: Shape, name: string, seconds: number): void {
  const key = `${shape.sources === 1 ? 'backups' : 'sources'} ${name}`;
  const total = shape.sources * shape.backups;
  const before = last.get(key);
  last.set(key, { total, seconds });
  if (before === undefined || before.seconds < LONG_ENOUGH_SECONDS) return;
  const growth = seconds / before.seconds;
  const most = (LIMIT_GROWTH * total) / before.total / 2;
  limit(`${name}: ${growth.toFixed(1)} times as long for ${total / before.total} times as many`, growth <= most);
}

function limit(what: string, isKept: boolean): void {
  if (!isKept) missed.push(`- ${what}`);
}

async function stream(): Promise<void> {
  const pg = await startPostgres({ settings: { autovacuum: 'off' } });
  const s3 = await discardingS3();
  try {
    console.log('\nA dump streamed to an S3 that discards it, max-parts=1000, part size from the size of the database');
    console.log('| Dump | Seconds | MB | Stored | Parts | Part size |\n|---|---:|---:|---:|---:|---:|');
    const url = await databaseOf(gigabytes * GIB, pg, 'huge');
    for (const size of [0.1, 1.5, gigabytes]) {
      const binDir = dumpOf(size * GIB, mkdtempSync(join(folder, 'dump-')), pg.clientDir);
      const store = `s3://scale/${size}?region=us-east-1&path-style=true&max-parts=1000&endpoint=${encodeURIComponent(s3.endpoint)}`;
      const args = ['backup', '--source', 'huge', '--store', store, '--bin-dir', binDir, '--facts', 'none'];
      const env = { LIFEBOAT_DATABASE_URL: url, AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };
      const startedAt = performance.now();
      const made = await lifeboat(args, { env });
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      if (made.code !== 0) throw new Error(`backup ended with ${made.code}: ${made.stdout}${made.stderr}`);
      const { parts, bytes } = s3.largest();
      const [mb, mib] = [
        (of: number) => `${(of / 1e6).toFixed(0)} MB`,
        (of = 0) => `${(of / (1 << 20)).toFixed(0)} MiB`,
      ];
      const cells = [`${size} GiB`, seconds, Math.round(made.peakMegabytes), mb(bytes), parts.length, mib(parts[0])];
      console.log(`| ${cells.join(' | ')} |`);
      limit(`a dump of ${size} GiB: ${cells[2]} MB of ${LIMIT_MB}`, made.peakMegabytes <= LIMIT_MB);
    }
  } finally {
    await s3.close();
    await pg.stop();
  }
}
