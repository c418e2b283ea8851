import { chmodSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Contender,
  cell,
  dumpThroughGzip,
  gunzipIntoPsql,
  type Measured,
  measure,
  medianOf,
} from './contender.ts';
import { makeEqualTables } from './database.ts';
import type { Bench } from './main.ts';

const JOBS = ['1', '2', '4'] as const;
const PSQL = 'gunzip | psql into a fresh database of a running server';
/** MB a second that each pg_dump gives when it is held back; each connection to the store gives an eighth. */
const RATE = 16;
const STORE_RATE = RATE / 8;

/**
 * One stream against several: backup to S3 and drill from it with `jobs` 1, 2 and 4, as fast as this machine can,
 * and with each pg_dump and each connection to the store held to a rate, as more cores or a slower network would
 * have it.
 */
export async function benchStreams(bench: Bench): Promise<void> {
  await makeEqualTables(bench.pg, 'equal', bench.gigabytes);
  const file = `${bench.folder}/equal.sql.gz`;
  dumpThroughGzip(bench.pg, 'equal', file);
  await compare(bench, 'as fast as it goes', {
    database: 'equal',
    endpoint: bench.rgw.endpoint,
    baseline: [gunzipIntoPsql(PSQL, bench.pg, file)],
  });
  // Held back, a third of it takes as long.
  await makeEqualTables(bench.pg, 'third', bench.gigabytes / 3);
  const slow = await slowProxy(Number(new URL(bench.rgw.endpoint).port), STORE_RATE);
  try {
    const flags = ['--tools-prefix', slowTools(bench), '--tools-host', '127.0.0.1'];
    const title = `pg_dump at ${RATE} MB/s, S3 at ${STORE_RATE} MB/s a connection`;
    await compare(bench, title, { database: 'third', endpoint: slow.url, dumpFlags: flags });
  } finally {
    slow.close();
  }
}

interface Setting {
  readonly database: string;
  readonly endpoint: string;
  readonly dumpFlags?: readonly string[];
  /** What the drills are measured against as well. */
  readonly baseline?: readonly Contender[];
}

async function compare(bench: Bench, title: string, setting: Setting): Promise<void> {
  const { pg, keys, rounds, rgw } = bench;
  const { database, endpoint, dumpFlags = [], baseline = [] } = setting;
  const store = `s3://bench/${database}?endpoint=${encodeURIComponent(endpoint)}&region=${rgw.region}&path-style=true`;
  const contenders = JOBS.flatMap((count) => {
    const where = ['--source', `streams-${count}`, '--store', store, '--jobs', count];
    const env = { LIFEBOAT_DATABASE_URL: pg.urlOf(database) };
    return [
      { name: `backup ${count}`, lifeboat: ['backup', ...where, ...dumpFlags], env },
      { name: `drill ${count}`, lifeboat: ['restore-drill', ...where] },
    ];
  });
  const measured = await measure([...contenders, ...baseline], rounds, keys);
  console.log(`\n| Streams, ${title} | Median (s) | Against one stream | Peak of node (MB) |\n|---|---:|---:|---:|`);
  print(measured);
}

function print(measured: ReadonlyMap<string, Measured>): void {
  for (const work of ['backup', 'drill']) {
    for (const count of JOBS) {
      const name = `${work} ${count}`;
      const ratio = (medianOf(measured, name) / medianOf(measured, `${work} 1`)).toFixed(2);
      const { peakMb = 0 } = measured.get(name) ?? {};
      console.log(`| ${work}, ${count} | ${medianOf(measured, name).toFixed(1)} | ${ratio} | ${peakMb} |`);
    }
  }
  if (!measured.has(PSQL)) return;
  const against = (count: string) => (medianOf(measured, `drill ${count}`) / medianOf(measured, PSQL)).toFixed(2);
  console.log(`| ${cell(PSQL)} | ${medianOf(measured, PSQL).toFixed(1)} | | |`);
  console.log(`\nDrill against ${PSQL}: ${JOBS.map((count) => `${against(count)} with jobs ${count}`).join(', ')}.`);
}

/** A wrapper of the database's programs that holds each pg_dump to the rate. */
function slowTools({ folder, pg }: Bench): string {
  const path = join(folder, 'slow-tools');
  const throttle = `${process.execPath} ${join(import.meta.dirname, 'throttle.ts')} ${RATE}`;
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
