// One stream against several: backup to S3 and drill from it with `jobs` 1, 2 and 4, in alternation, as fast as this
// machine can, and with each pg_dump and each connection to the store held to a rate, as more cores or a slower
// network would have it.
//
//   node test/bench/streams.ts [--gigabytes 0.5] [--rounds 3] [--rate 16] [--jobs 1,2,4]
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { startPostgres } from '../servers/postgresql.ts';
import { startRgw, stopRgw } from '../servers/rgw.ts';

const { values } = parseArgs({
  options: {
    gigabytes: { type: 'string', default: '0.5' },
    rounds: { type: 'string', default: '3' },
    rate: { type: 'string', default: '16' },
    jobs: { type: 'string', default: '1,2,4' },
  },
});
const jobs = values.jobs.split(',');
const folder = mkdtempSync(join(tmpdir(), 'lifeboat-bench-'));
const pg = await startPostgres({ settings: { shared_buffers: '512MB', max_wal_size: '8GB' } });
const rgw = await startRgw(join(folder, 'rgw'));
try {
  await makeDatabase(Number(values.gigabytes));
  const { accessKeyId, secretAccessKey, region, endpoint } = rgw;
  const s3 = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  await s3.send(new CreateBucketCommand({ Bucket: 'bench' }));
  const slow = await slowProxy(Number(new URL(endpoint).port), Number(values.rate) / 8);
  await compare('as fast as it goes', endpoint, []);
  const slowDump = ['--tools-prefix', slowTools(), '--tools-host', '127.0.0.1'];
  await compare(
    `pg_dump at ${values.rate} MB/s, S3 at ${Number(values.rate) / 8} MB/s a connection`,
    slow.url,
    slowDump,
  );
  slow.close();
} finally {
  await stopRgw(rgw.dir);
  await pg.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Eight tables of one size, what several streams are for, and rows that stay half as large when compressed. */
async function makeDatabase(gigabytes: number): Promise<void> {
  const rows = Math.round((gigabytes * 2_600_000) / 8);
  await pg.psql('CREATE DATABASE bench');
  for (let at = 1; at <= 8; at++) {
    await pg.psql(
      `CREATE TABLE events_${at} AS SELECT g AS id, 'kind ' || g % 50 AS kind, md5(g::text) || md5('${at}' || g) || md5(g || '${at}') || md5('x' || g * ${at}) AS note,
         '2026-01-01'::timestamptz + g * interval '1 second' AS at FROM generate_series(1, ${rows}) g;
       ALTER TABLE events_${at} ADD PRIMARY KEY (id); CREATE INDEX ON events_${at} (at)`,
      'bench',
    );
  }
  await pg.psql('VACUUM ANALYZE', 'bench');
  console.log(`Database: ${await pg.psql("SELECT pg_size_pretty(pg_database_size('bench'))")}`);
}

async function compare(title: string, endpoint: string, dumpFlags: readonly string[]): Promise<void> {
  const store = `s3://bench/backups?endpoint=${encodeURIComponent(endpoint)}&region=${rgw.region}&path-style=true`;
  const times = new Map<string, number[]>();
  const peaks = new Map<string, number>();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const count of jobs) {
      const where = ['--source', `bench-${count}`, '--store', store, '--jobs', count];
      for (const [name, flags] of [
        ['backup', ['backup', ...where, ...dumpFlags]],
        ['drill', ['restore-drill', ...where]],
      ] as const) {
        const key = `${name} ${count}`;
        const { seconds, peakMb } = await time(flags);
        times.set(key, [...(times.get(key) ?? []), seconds]);
        peaks.set(key, Math.max(peaks.get(key) ?? 0, peakMb));
      }
    }
  }
  console.log(`\n${title}: medians of ${values.rounds} rounds`);
  for (const name of ['backup', 'drill']) {
    const one = median(times.get(`${name} ${jobs[0]}`) ?? []);
    for (const count of jobs) {
      const seconds = median(times.get(`${name} ${count}`) ?? []);
      const share = (seconds / one).toFixed(2);
      const peak = peaks.get(`${name} ${count}`) ?? 0;
      console.log(
        `  ${name} with ${count} jobs: ${seconds.toFixed(1)} s, ${share} of ${jobs[0]}; node at most ${peak} MB`,
      );
    }
  }
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
}

async function time(flags: readonly string[]): Promise<{ seconds: number; peakMb: number }> {
  const env = {
    ...{ PATH: process.env.PATH, HOME: process.env.HOME, LIFEBOAT_DATABASE_URL: pg.urlOf('bench') },
    ...{ AWS_ACCESS_KEY_ID: rgw.accessKeyId, AWS_SECRET_ACCESS_KEY: rgw.secretAccessKey },
  };
  const own = flags[0] === 'backup' ? env : { ...env, LIFEBOAT_DATABASE_URL: undefined };
  const startedAt = performance.now();
  const command = [join(import.meta.dirname, '../../dist/cli.js'), ...flags];
  const child = spawn(process.execPath, command, { env: own, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000);
    });
  }
  let peakMb = 0;
  const look = setInterval(() => {
    peakMb = Math.max(peakMb, peakOf(child.pid));
  }, 100);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(look);
  if (code !== 0) throw new Error(`${flags.join(' ')} ended with ${code}: ${said}`);
  return { seconds: (performance.now() - startedAt) / 1000, peakMb };
}

/** Highest resident memory so far, in MB, by the kernel's count. */
function peakOf(pid: number | undefined): number {
  try {
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Math.round(Number(peak ?? 0) / 1024);
  } catch {
    return 0; // ended between two looks
  }
}

/** A wrapper of the database's programs that holds each pg_dump to the rate. */
function slowTools(): string {
  const path = join(folder, 'slow-tools');
  const throttle = `${process.execPath} ${join(import.meta.dirname, 'throttle.ts')} ${values.rate}`;
  writeFileSync(
    path,
    `#!/bin/bash
set -o pipefail
export PATH=${pg.clientDir}:/usr/bin:/bin PGHOST=127.0.0.1 PGPORT=${pg.port} PGUSER=postgres
case "$*" in pg_dump*--version*) ;; 'pg_dump '*) "$@" | ${throttle}; exit ;; esac
exec "$@"
`,
  );
  chmodSync(path, 0o755);
  return path;
}

/** Before the store; each connection gives so many megabytes a second. */
async function slowProxy(port: number, rate: number): Promise<{ url: string; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    client.pipe(upstream);
    upstream.pipe(limited(rate)).pipe(client);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {}); // the other end says so to the program that is measured
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { url: `http://127.0.0.1:${address.port}`, close };
}

function limited(rate: number): Transform {
  return new Transform({
    async transform(chunk: Buffer, _encoding, done) {
      await sleep(chunk.length / (rate * 1000));
      done(null, chunk);
    },
  });
}
