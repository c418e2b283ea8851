import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender } from './contender.ts';
import type { Bench } from './main.ts';

/** Debian's own: a wrapper on the PATH that first looks for a Python would only flatter us. */
export const AWS = existsSync('/usr/bin/aws') ? '/usr/bin/aws' : 'aws';
/** The database that is restored into, and the one the backups are of. */
export const LIVE = 'shop';
export const SOURCE = 'restores';

/** One procedure of the runbooks: their commands, and what is typed instead. */
export interface Procedure {
  readonly name: string;
  readonly runbook: Omit<Contender, 'name'>;
  readonly lifeboat: Omit<Contender, 'name'>;
  /** What their commands leave to the person who types. */
  readonly without: string;
  /** Whether the live database is made anew before each of both. */
  readonly touches?: boolean;
}

export const storesOf = ({ folder, s3Parameters }: Bench) => ({
  file: `file://${folder}/store`,
  s3: `s3://bench/restores?${s3Parameters}`,
});

const IGNORES_ERRORS = 'psql goes on after errors and exits with 0';

/** The lines of the runbooks, with names and paths put in. */
function linesOf({ pg }: Bench) {
  const bin = pg.clientDir;
  const psql = (database: string) => `${bin}/psql -X -d '${pg.urlOf(database)}'`;
  const count = (database: string) =>
    `${psql(database)} -c 'SELECT count(*) FROM events' && ${psql(database)} -c 'SELECT count(*) FROM items'`;
  return {
    ...{ bin, psql, count },
    anew: `${psql('postgres')} -c 'DROP DATABASE ${LIVE}' && ${psql('postgres')} -c 'CREATE DATABASE ${LIVE}'`,
    upkeep: `${psql(LIVE)} -c 'REINDEX DATABASE ${LIVE}' && ${psql(LIVE)} -c 'ANALYZE'`,
    safety: `${bin}/pg_dump -d '${pg.urlOf(LIVE)}' | gzip > before.sql.gz`,
    into: (database: string) => `${bin}/pg_restore -d '${pg.urlOf(database)}'`,
    home: (program: string) => `${bin}/${program} --maintenance-db='${pg.url}'`,
  };
}

const shell = ({ folder }: Bench, line: string) => ({ shell: `cd ${folder} && ${line}` });

function restore({ folder }: Bench, store: string, source: string, ...more: readonly string[]) {
  const target = ['--target-url-file', join(folder, 'target.url')];
  return { lifeboat: ['restore', '--source', source, '--store', store, ...target, ...more] };
}

const CONFIRMED = ['--confirm', LIVE];
const CRITICAL = ['--critical-tables', 'public.events', '--critical-tables', 'public.items'];
const DROP_FIRST = ['--mode', 'replace', '--drop-first', '--safety-backup=false', ...CONFIRMED];
const REPLACE = ['--mode', 'replace', ...CONFIRMED, ...CRITICAL];
const ONE_TABLE = ['--tables', 'public.items', '--into-schema', 'restore_temp', ...CONFIRMED];

export function proceduresAnew(bench: Bench): Procedure[] {
  const { file, s3 } = storesOf(bench);
  const { rgw } = bench;
  const { psql, anew, count, upkeep, into, home } = linesOf(bench);
  return [
    {
      name: 'drop, create, `psql < backup.sql`',
      runbook: shell(
        bench,
        `${home('dropdb')} ${LIVE} && ${home('createdb')} ${LIVE} && ${psql(LIVE)} < f.sql >/dev/null`,
      ),
      lifeboat: restore(bench, file, 'one', ...DROP_FIRST),
      without: `comparison, ANALYZE; ${IGNORES_ERRORS}`,
    },
    {
      name: 'drop, create, `gunzip | psql`',
      runbook: shell(bench, `${anew} && gunzip -c f.sql.gz | ${psql(LIVE)} >/dev/null`),
      lifeboat: restore(bench, file, 'one', ...DROP_FIRST),
      without: `comparison, ANALYZE; ${IGNORES_ERRORS}`,
    },
    {
      name: 'drop, create, `gunzip` to a file, `pg_restore --jobs=4`',
      runbook: shell(bench, `${anew} && gunzip -c f.dump.gz > restore.dump && ${into(LIVE)} --jobs=4 restore.dump`),
      lifeboat: restore(bench, file, 'streams', ...DROP_FIRST, '--jobs', '4'),
      without: 'comparison, ANALYZE; room for the unzipped dump',
    },
    {
      name: 'drop, create, `pg_restore`, counts, REINDEX, ANALYZE',
      runbook: shell(bench, `${anew} && ${into(LIVE)} < f.dump && ${count(LIVE)} && ${upkeep}`),
      lifeboat: restore(bench, file, 'one', ...DROP_FIRST, '--reindex', ...CRITICAL),
      without: 'comparison (counts are shown, compared with nothing)',
    },
    {
      name: 'from the bucket: `aws s3 cp` to a file, drop, create, `pg_restore`',
      runbook: shell(
        bench,
        `${AWS} --endpoint-url ${rgw.endpoint} --region ${rgw.region} s3 cp --quiet s3://bench/f.dump got.dump && ${anew} && ${into(LIVE)} < got.dump`,
      ),
      lifeboat: restore(bench, s3, 'one', ...DROP_FIRST),
      without: 'comparison, ANALYZE, checksum of what was fetched; room for the dump',
    },
  ];
}

export function proceduresBeside(bench: Bench): Procedure[] {
  const { pg } = bench;
  const { file } = storesOf(bench);
  const { bin, psql, anew, count, upkeep, safety, into, home } = linesOf(bench);
  return [
    {
      name: 'restore beside, counts, swap by renaming',
      runbook: shell(
        bench,
        `${home('createdb')} ${LIVE}_restore && gunzip -c f.sql.gz | ${psql(`${LIVE}_restore`)} >/dev/null && ${count(`${LIVE}_restore`)} && ${psql('postgres')} -c 'ALTER DATABASE ${LIVE} RENAME TO ${LIVE}_old' -c 'ALTER DATABASE ${LIVE}_restore RENAME TO ${LIVE}'`,
      ),
      lifeboat: restore(bench, file, 'one', '--swap', ...CONFIRMED, ...CRITICAL),
      without: `comparison, owner, grants and settings of the database, ending connections, ANALYZE; ${IGNORES_ERRORS}`,
    },
    {
      name: 'dump of what is there, drop, create, `gunzip | psql`, counts',
      runbook: shell(bench, `${safety} && ${anew} && gunzip -c f.sql.gz | ${psql(LIVE)} >/dev/null && ${count(LIVE)}`),
      lifeboat: restore(bench, file, 'one', ...REPLACE),
      without: `reading the safety dump back, comparison, keeping the old database until the end, ANALYZE; ${IGNORES_ERRORS}`,
    },
    {
      name: 'the same with `pg_restore`, REINDEX, ANALYZE',
      runbook: shell(bench, `${safety} && ${anew} && ${into(LIVE)} < f.dump && ${count(LIVE)} && ${upkeep}`),
      lifeboat: restore(bench, file, 'one', ...REPLACE, '--reindex'),
      without: 'reading the safety dump back, comparison, keeping the old database until the end',
    },
    {
      name: 'one table: `grep -A 999999`, psql',
      runbook: shell(
        bench,
        `gunzip -c f.sql.gz | grep -A 999999 'CREATE TABLE public.items' > items.sql && ${psql(LIVE)} -c 'CREATE SCHEMA restore_temp' && ${psql(LIVE)} < items.sql > items.log 2>&1`,
      ),
      lifeboat: restore(bench, file, 'one', ...ONE_TABLE),
      without:
        'the table itself: the lines write into `public` and not into the new schema, where each fails on what is there; it exits with 0',
    },
    {
      name: 'one table: temporary database, `pg_restore -t`, `pg_dump -t` to a file',
      runbook: shell(
        bench,
        `${psql('postgres')} -c 'CREATE DATABASE ${LIVE}_temp' && ${into(`${LIVE}_temp`)} -t items < f.dump && ${bin}/pg_dump -t items -d '${pg.urlOf(`${LIVE}_temp`)}' > items.sql && ${psql('postgres')} -c 'DROP DATABASE ${LIVE}_temp'`,
      ),
      lifeboat: restore(bench, file, 'one', ...ONE_TABLE),
      without:
        'primary key and indexes of the table, comparison, rows beside the live ones, SQL that merges: it ends with a file to read',
    },
    {
      name: '`pg_restore --list`, against `--dry-run`',
      runbook: shell(bench, `${bin}/pg_restore --list f.dump > list.txt`),
      lifeboat: restore(bench, file, 'one', '--mode', 'replace', ...CONFIRMED, '--dry-run'),
      without: 'reading anything but the table of contents; what is in the target, roles, extensions, room, time',
      touches: false,
    },
  ];
}
