import { existsSync, statSync } from 'node:fs';
import {
  type Contender,
  cell,
  dumpThroughGzip,
  gunzipIntoPsql,
  isInstalled,
  type Measured,
  measure,
  medianOf,
  printTimes,
} from './contender.ts';
import { makeDatabase } from './database.ts';
import type { Bench } from './main.ts';

const COUNTS = 'lifeboat backup, counts';
const NO_FACTS = 'lifeboat backup, no facts';
const STREAMS = 'lifeboat backup, counts, 2 streams';
const LIMIT = 'pg_dump -Fc -Z0 >/dev/null (the limit of one dump process)';
const LINE = 'pg_dump -Fc -Z0 | zstd -3 -T0 | aws s3 cp -';
const TO_FILE = 'runbook: pg_dump -Fc to a file, pg_restore -l, aws s3 cp';
const GZIP = 'runbook: pg_dump | gzip, gunzip -t, aws s3 cp';
const RESTIC = 'pg_dump -Fc -Z0 | restic backup --stdin';
const DRILL = 'lifeboat restore-drill, fetch to verdict';
const DRILL_STREAMS = 'lifeboat restore-drill, fetch to verdict, 2 streams';
const PSQL = 'gunzip | psql into a fresh database of a running server';

/** Debian's own: a wrapper on the PATH that first looks for a Python would only flatter us. */
const AWS = existsSync('/usr/bin/aws') ? '/usr/bin/aws' : 'aws';

interface Ratio {
  readonly measured: string;
  readonly against: string;
  /** Highest ratio that is aimed at. */
  readonly reach?: number;
}

const RATIOS: readonly Ratio[] = [
  { measured: COUNTS, against: LIMIT, reach: 1.6 },
  { measured: COUNTS, against: LINE, reach: 1.1 },
  { measured: NO_FACTS, against: LINE, reach: 1.0 },
  { measured: COUNTS, against: TO_FILE, reach: 0.45 },
  { measured: COUNTS, against: GZIP, reach: 0.33 },
  { measured: COUNTS, against: RESTIC },
  { measured: STREAMS, against: COUNTS, reach: 1.0 },
  { measured: DRILL, against: PSQL, reach: 0.75 },
  { measured: DRILL_STREAMS, against: PSQL, reach: 0.75 },
  { measured: DRILL_STREAMS, against: DRILL, reach: 1.0 },
];

/** Backup to S3 and drill from it, against the lines of shell that they replace. */
export async function benchMainJob(bench: Bench): Promise<void> {
  const { pg, folder, rounds, keys, gigabytes } = bench;
  await makeDatabase(pg, 'bench', gigabytes);
  const backups = [...ours(bench), ...theirs(bench)];
  const env = { ...keys, LIFEBOAT_DATABASE_URL: pg.urlOf('bench'), RESTIC_PASSWORD: 'bench' };
  const backed = await measure(backups, rounds, env);
  printTimes('Backup', backed);
  // The baseline of the drill and of the size, whether or not there is an `aws` to upload it with.
  dumpThroughGzip(pg, 'bench', `${folder}/f.sql.gz`);
  const drilled = await measure(drills(bench), rounds, keys);
  printTimes('Drill', drilled);
  printRatios(new Map([...backed, ...drilled]));
  printSize(backed, statSync(`${folder}/f.sql.gz`).size);
}

const storeOf = ({ s3Parameters }: Bench) => `s3://bench/backups?${s3Parameters}`;

function ours(bench: Bench): Contender[] {
  const backup = (source: string) => ['backup', '--json', '--source', source, '--store', storeOf(bench)];
  return [
    { name: LIMIT, shell: `${bench.pg.clientDir}/pg_dump -Fc -Z0 -d '${bench.pg.urlOf('bench')}' >/dev/null` },
    { name: COUNTS, lifeboat: backup('bench') },
    { name: NO_FACTS, lifeboat: [...backup('bench-none'), '--facts', 'none'] },
    { name: STREAMS, lifeboat: [...backup('bench-streams'), '--jobs', '2'] },
  ];
}

function theirs({ pg, rgw, folder }: Bench): Contender[] {
  const aws = `${AWS} --endpoint-url ${rgw.endpoint} --region ${rgw.region} s3 cp`;
  const dump = `${pg.clientDir}/pg_dump -d '${pg.urlOf('bench')}'`;
  const restic = `restic -q -r s3:${rgw.endpoint}/bench/restic-$(cat ${folder}/round)`;
  const contenders: (Contender & { program: string })[] = [
    { program: AWS, name: LINE, shell: `${dump} -Fc -Z0 | zstd -q -3 -T0 | ${aws} - s3://bench/line` },
    {
      program: AWS,
      name: TO_FILE,
      shell: `${dump} -Fc > ${folder}/f.dump && ${pg.clientDir}/pg_restore -l ${folder}/f.dump >/dev/null && ${aws} ${folder}/f.dump s3://bench/file`,
    },
    {
      program: AWS,
      name: GZIP,
      shell: `${dump} | gzip > ${folder}/f.sql.gz && gunzip -t ${folder}/f.sql.gz && ${aws} ${folder}/f.sql.gz s3://bench/gzip`,
    },
    {
      program: 'restic',
      name: RESTIC,
      // A repository that has seen these rows stores none of them again.
      prepare: `date +%s%N > ${folder}/round; ${restic} init --repository-version 2`,
      shell: `${dump} -Fc -Z0 | ${restic} backup --stdin --stdin-filename bench.dump`,
    },
  ];
  for (const program of new Set(contenders.map((one) => one.program))) {
    if (!isInstalled(program)) console.log(`${program} is not on the PATH: its lines are left out.`);
  }
  return contenders.filter(({ program }) => isInstalled(program));
}

function drills(bench: Bench): Contender[] {
  const { pg, folder } = bench;
  const drill = (source: string) => ['restore-drill', '--source', source, '--store', storeOf(bench)];
  return [
    { name: DRILL, lifeboat: drill('bench') },
    { name: DRILL_STREAMS, lifeboat: [...drill('bench-streams'), '--jobs', '2'] },
    gunzipIntoPsql(PSQL, pg, `${folder}/f.sql.gz`),
  ];
}

function printRatios(measured: ReadonlyMap<string, Measured>): void {
  console.log('\n| Measured | Against | Ratio of the medians | To reach |\n|---|---|---:|---:|');
  for (const { measured: one, against, reach } of RATIOS) {
    if (!measured.has(one) || !measured.has(against)) continue;
    const ratio = (medianOf(measured, one) / medianOf(measured, against)).toFixed(2);
    console.log(`| ${cell(one)} | ${cell(against)} | ${ratio} | ${reach === undefined ? '' : `≤ ${reach}`} |`);
  }
}

function printSize(measured: ReadonlyMap<string, Measured>, gzipBytes: number): void {
  const report = JSON.parse(measured.get(COUNTS)?.stdout ?? '') as { outputs: { bytes: string } };
  const ours = Number(report.outputs.bytes);
  const [mb, other] = [ours, gzipBytes].map((bytes) => `${(bytes / 1e6).toFixed(0)} MB`);
  console.log(`| stored bytes of ${COUNTS}: ${mb} | .sql.gz: ${other} | ${(ours / gzipBytes).toFixed(2)} | ≤ 0.7 |`);
}
