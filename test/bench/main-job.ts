// `npm run bench`: backup to S3 and restore drill against the shell lines they replace, on one database, in
// alternation, with medians and ratios. Needs `aws` on the PATH for the S3 baselines; without it they are left out, said.
//
//   npm run bench -- [--gigabytes 1.5] [--rounds 3] [--only lifeboat]
//
// One large table holds most of its rows, which no stream can share: see streams.ts for what streams are for.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startPostgres } from '../servers/postgresql.ts';
import { startRgw, stopRgw } from '../servers/rgw.ts';

const { values } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '1.5' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
  },
});
const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'lifeboat-bench-'));
const hasAws = spawnsFine('aws', ['--version']);

const pg = await startPostgres({
  settings: { shared_buffers: '512MB', max_wal_size: '8GB', checkpoint_timeout: '1h' },
});
const rgw = await startRgw(join(folder, 'rgw'));
try {
  await run();
} finally {
  await stopRgw(rgw.dir);
  await pg.stop();
  rmSync(folder, { recursive: true, force: true });
}

interface Contender {
  readonly name: string;
  /** Shell line, or arguments for the command line of Lifeboat. */
  readonly shell?: string;
  readonly lifeboat?: readonly string[];
}

async function run(): Promise<void> {
  await makeDatabase(Number(values.gigabytes));
  const { accessKeyId, secretAccessKey, region, endpoint } = rgw;
  const s3 = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  await s3.send(new CreateBucketCommand({ Bucket: 'bench' }));
  const url = pg.urlOf('bench');
  const bin = pg.clientDir;
  const store = `s3://bench/backups?endpoint=${encodeURIComponent(endpoint)}&region=${region}&path-style=true`;
  const aws = `aws --endpoint-url ${endpoint} --region ${region} s3 cp`;
  const backups: Contender[] = [
    { name: 'pg_dump -Fc -Z0 >/dev/null (the limit)', shell: `${bin}/pg_dump -Fc -Z0 -d '${url}' >/dev/null` },
    { name: 'lifeboat backup, counts', lifeboat: ['backup', '--source', 'bench', '--store', store] },
    {
      name: 'lifeboat backup, no facts',
      lifeboat: ['backup', '--source', 'bench-none', '--store', store, '--facts', 'none'],
    },
    {
      name: 'lifeboat backup, counts, 2 streams',
      lifeboat: ['backup', '--source', 'bench-streams', '--store', store, '--jobs', '2'],
    },
    ...(hasAws ? awsBaselines(bin, url, aws) : []),
  ];
  if (!hasAws) console.log('aws is not on the PATH: the baselines that upload are left out.');
  const backupTimes = await measure('Backup', backups, { LIFEBOAT_DATABASE_URL: url });
  ratios(backupTimes, 'lifeboat backup, counts');
  ratios(backupTimes, 'lifeboat backup, no facts');
  ratios(backupTimes, 'lifeboat backup, counts, 2 streams');
  execFileSync('bash', ['-c', `${bin}/pg_dump -d '${url}' | gzip > ${folder}/dump.sql.gz`]);
  const drills: Contender[] = [
    {
      name: 'lifeboat restore-drill, fetch to verdict',
      lifeboat: ['restore-drill', '--source', 'bench', '--store', store],
    },
    {
      name: 'lifeboat restore-drill, fetch to verdict, 2 streams',
      lifeboat: ['restore-drill', '--source', 'bench-streams', '--store', store, '--jobs', '2'],
    },
    {
      name: 'gunzip | psql into a running server',
      shell: `${bin}/psql -qX -d '${pg.url}' -c 'DROP DATABASE IF EXISTS r' -c 'CREATE DATABASE r' && gunzip -c ${folder}/dump.sql.gz | ${bin}/psql -qX -d '${pg.urlOf('r')}' >/dev/null`,
    },
  ];
  const drillTimes = await measure('Drill', drills, {});
  for (const { name, lifeboat } of drills) if (lifeboat !== undefined) ratios(drillTimes, name);
}

function awsBaselines(bin: string, url: string, aws: string): Contender[] {
  return [
    {
      name: 'pg_dump -Fc -Z0 | zstd -3 -T0 | aws s3 cp -',
      shell: `${bin}/pg_dump -Fc -Z0 -d '${url}' | zstd -q -3 -T0 | ${aws} - s3://bench/line`,
    },
    {
      name: 'runbook: pg_dump -Fc to a file, pg_restore -l, aws s3 cp',
      shell: `${bin}/pg_dump -Fc -d '${url}' > ${folder}/f.dump && ${bin}/pg_restore -l ${folder}/f.dump >/dev/null && ${aws} ${folder}/f.dump s3://bench/file`,
    },
    {
      name: 'runbook: pg_dump | gzip, gunzip -t, aws s3 cp',
      shell: `${bin}/pg_dump -d '${url}' | gzip > ${folder}/f.sql.gz && gunzip -t ${folder}/f.sql.gz && ${aws} ${folder}/f.sql.gz s3://bench/gzip`,
    },
  ];
}

async function makeDatabase(gigabytes: number): Promise<void> {
  const rows = Math.round(gigabytes * 1_750_000);
  console.log(`Making a database of about ${gigabytes} GB (${rows} events).`);
  await pg.psql('CREATE DATABASE bench');
  await pg.psql(
    `CREATE TABLE events (id bigint PRIMARY KEY, kind text, body jsonb, note text, amount numeric(12,2), at timestamptz);
     INSERT INTO events SELECT g, 'kind ' || g % 50,
         jsonb_build_object('user', g % 10000, 'path', '/shop/' || md5((g % 5000)::text), 'ip', '10.0.' || g % 250 || '.' || g % 199, 'tags', jsonb_build_array('a', g % 7)),
         repeat('some words that repeat in every note ', 6) || md5(g::text), g % 100000 / 100.0, '2026-01-01'::timestamptz + g * interval '1 second'
       FROM generate_series(1, ${rows}) g;
     CREATE INDEX ON events (kind); CREATE INDEX ON events (at);
     CREATE TABLE items AS SELECT g AS id, g % 1000 AS product, md5(g::text) AS code FROM generate_series(1, ${rows}) g;
     ALTER TABLE items ADD PRIMARY KEY (id); CREATE INDEX ON items (code); VACUUM ANALYZE`,
    'bench',
  );
  console.log(`Database: ${await pg.psql("SELECT pg_size_pretty(pg_database_size('bench'))")}`);
}

/** Runs the contenders in alternation and prints each one's median, in seconds. */
async function measure(
  title: string,
  offered: readonly Contender[],
  env: Record<string, string>,
): Promise<Map<string, number>> {
  const contenders = offered.filter(({ name }) => name.includes(values.only));
  const times = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  let peak = 0;
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const contender of contenders) {
      const { seconds, peakMb } = await time(contender, env);
      times.get(contender.name)?.push(seconds);
      if (contender.lifeboat !== undefined) peak = Math.max(peak, peakMb);
    }
  }
  console.log(`\n${title}: median of ${values.rounds} rounds; the node process took at most ${peak} MB`);
  const medians = new Map(
    [...times].map(([name, all]) => [name, all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0]),
  );
  for (const [name, seconds] of medians)
    console.log(
      `  ${seconds.toFixed(2).padStart(7)} s  ${name}   (${times
        .get(name)
        ?.map((one) => one.toFixed(1))
        .join(', ')})`,
    );
  return medians;
}

async function time(
  { shell, lifeboat }: Contender,
  env: Record<string, string>,
): Promise<{ seconds: number; peakMb: number }> {
  const keys = { AWS_ACCESS_KEY_ID: rgw.accessKeyId, AWS_SECRET_ACCESS_KEY: rgw.secretAccessKey };
  const [program, args] =
    lifeboat === undefined
      ? ['bash', ['-euo', 'pipefail', '-c', shell ?? '']]
      : [process.execPath, [join(root, 'dist/cli.js'), ...lifeboat]];
  const startedAt = performance.now();
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...keys, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  let peakMb = 0;
  const look = setInterval(() => {
    peakMb = Math.max(peakMb, peakOf(child.pid));
  }, 100);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(look);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${said}`);
  return { seconds: (performance.now() - startedAt) / 1000, peakMb };
}

/** Highest resident memory so far, in MB, by the kernel's count. */
function peakOf(pid: number | undefined): number {
  try {
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Math.round(Number(peak ?? 0) / 1024); // a process that has ended and was not waited for has none
  } catch {
    return 0; // ended between two looks
  }
}

function ratios(medians: ReadonlyMap<string, number>, ours: string): void {
  const mine = medians.get(ours) ?? 0;
  console.log(`  ${ours}, against`);
  for (const [name, seconds] of medians)
    if (!name.startsWith('lifeboat')) console.log(`    ${(mine / seconds).toFixed(2)}  ${name}`);
}

function spawnsFine(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
