import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, cell, isInstalled, type Measured, measure, median } from './contender.ts';
import { makeDatabase } from './database.ts';
import type { Bench } from './main.ts';
import { AWS, LIVE, type Procedure, proceduresAnew, proceduresBeside, SOURCE, storesOf } from './restore-procedures.ts';

/** Procedures of the runbooks that drop the database and make it anew, beside `lifeboat restore` on the same data. */
export async function benchRestoresAnew(bench: Bench): Promise<void> {
  await compare(bench, proceduresAnew(bench));
}

/** Those that leave what is there, or keep a copy of it. */
export async function benchRestoresBeside(bench: Bench): Promise<void> {
  await compare(bench, proceduresBeside(bench));
}

async function compare(bench: Bench, all: readonly Procedure[]): Promise<void> {
  await prepare(bench);
  const shown = all.filter(({ runbook }) => !runbook.shell?.includes(AWS) || isInstalled(AWS));
  const refresh = `${psql(bench)} -c 'DROP DATABASE IF EXISTS ${LIVE} WITH (FORCE)' -c 'CREATE DATABASE ${LIVE} TEMPLATE ${SOURCE} STRATEGY file_copy'; for one in $(${psql(bench)} -At -c "SELECT datname FROM pg_database WHERE datname ~ '^${LIVE}_'"); do ${psql(bench)} -c "DROP DATABASE $one"; done`;
  const contenders = shown.flatMap(({ name, runbook, lifeboat, touches = true }) => {
    const first = touches ? { prepare: refresh } : {};
    return [
      { name: `runbook: ${name}`, ...first, ...runbook },
      { name: `lifeboat: ${name}`, ...first, ...lifeboat },
    ];
  });
  const measured = await measure(contenders, bench.rounds, bench.keys);
  print(shown, measured);
}

const psql = ({ pg }: Bench, database = 'postgres') =>
  `${pg.clientDir}/psql -qX -v ON_ERROR_STOP=1 -d '${pg.urlOf(database)}'`;

/** The database, and a backup of each kind: the files of the runbooks, those of Lifeboat, here and in the bucket. */
async function prepare(bench: Bench): Promise<void> {
  const { pg, folder, rgw, keys } = bench;
  await pg.psql(`DROP DATABASE IF EXISTS ${SOURCE}`);
  await makeDatabase(pg, SOURCE, bench.gigabytes / 4);
  writeFileSync(join(folder, 'target.url'), pg.urlOf(LIVE), { mode: 0o600 });
  const dump = `${pg.clientDir}/pg_dump -d '${pg.urlOf(SOURCE)}'`;
  const upload = isInstalled(AWS)
    ? `&& ${AWS} --endpoint-url ${rgw.endpoint} --region ${rgw.region} s3 cp --quiet f.dump s3://bench/f.dump`
    : '';
  const shell = `mkdir -p ${folder}/store && cd ${folder} && ${dump} > f.sql && gzip -kf f.sql && ${dump} -Fc > f.dump && gzip -kf f.dump ${upload}`;
  const { file, s3 } = storesOf(bench);
  const backup = (source: string, store: string) => ['backup', '--source', source, '--store', store];
  const env = { LIFEBOAT_DATABASE_URL: pg.urlOf(SOURCE) };
  const made: Contender[] = [
    { name: 'files', shell },
    { name: 'one stream', lifeboat: backup('one', file), env },
    { name: 'streams', lifeboat: [...backup('streams', file), '--jobs', '4'], env },
    { name: 'bucket', lifeboat: backup('one', s3), env },
  ];
  await measure(made, 1, keys);
}

function print(shown: readonly Procedure[], measured: ReadonlyMap<string, Measured>): void {
  console.log('\n| Procedure | Runbook (s) | Lifeboat (s) | Ratio | What the commands of the runbook leave out |');
  console.log('|---|---:|---:|---:|---|');
  for (const { name, without } of shown) {
    const theirs = measured.get(`runbook: ${name}`)?.seconds ?? [];
    const ours = measured.get(`lifeboat: ${name}`)?.seconds ?? [];
    const ratio = (median(ours) / median(theirs)).toFixed(2);
    console.log(`| ${cell(name)} | ${each(theirs)} | ${each(ours)} | ${ratio} | ${cell(without)} |`);
  }
}

function each(seconds: readonly number[]): string {
  return seconds.map((one) => one.toFixed(1)).join(', ');
}
