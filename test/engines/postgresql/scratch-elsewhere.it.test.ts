import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Scratch, ScratchRequest } from '../../../src/core/ports.ts';
import { drillDatabase, drillMark } from '../../../src/engines/postgresql/drill-mark.ts';
import { anyClient } from '../../../src/engines/postgresql/programs.ts';
import { createMissingRoles } from '../../../src/engines/postgresql/restore-roles.ts';
import { withScratch } from '../../../src/engines/postgresql/scratch.ts';
import { refuseForeignOwners } from '../../../src/engines/postgresql/scratch-role.ts';
import { openSession } from '../../../src/engines/postgresql/session.ts';
import { postgresProxy } from '../../faults/postgres-proxy.ts';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { scratchRequest, silent, type TakenBackup, takeBackup } from './backup-fixture.ts';

const base = join('/var/tmp', `lbe-${process.pid}`);
let source: TestPostgres;
let other: TestPostgres;
let backup: TakenBackup;

beforeAll(async () => {
  source = await startPostgres();
  other = await startPostgres();
  await source.psql('CREATE ROLE shop LOGIN SUPERUSER; CREATE ROLE reader; CREATE DATABASE shop OWNER shop;');
  await source.psql(
    `CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 100);
    ALTER TABLE orders OWNER TO shop; GRANT SELECT ON orders TO reader;`,
    'shop',
  );
  await other.psql('CREATE ROLE reader LOGIN CREATEDB; CREATE DATABASE lifeboat_drill_of_somebody;');
  backup = await takeBackup(source, 'shop');
});
afterAll(async () => {
  await source?.stop();
  await other?.stop();
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function there<T>(use: (scratch: Scratch) => Promise<T>, given: Partial<ScratchRequest> = {}): Promise<T> {
  const request = scratchRequest(backup, base, { scratchUrl: other.url, ...given });
  return withScratch(request, { env: process.env, log: silent }, use);
}

const roles = () =>
  other.psql(`SELECT rolname, rolcanlogin, rolsuper, rolcreatedb FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1`);
const databases = () => other.psql('SELECT datname FROM pg_database ORDER BY 1');

it('restores into a database of its own, and takes back all it made', async () => {
  const before = [await roles(), await databases()];
  const { found, during } = await there(async (scratch) => {
    const findings = await scratch.restore(backup.open);
    expect(findings[0]).toMatchObject({ rule: 'roles-restored', numbers: { created: 1 } });
    expect(scratch.notIsolated).toHaveLength(1);
    return { found: await scratch.readFacts('fingerprints'), during: await roles() };
  });
  expect(found.tables).toEqual(backup.facts?.tables);
  expect(found.schema).toEqual(backup.facts?.schema);
  expect(during).toContain('shop|f|f|f');
  expect(during).toContain('reader|t|f|t');
  expect([await roles(), await databases()]).toEqual(before);
});

it('takes back all it made when the drill breaks off', async () => {
  const before = [await roles(), await databases()];
  const broken = there(async (scratch) => {
    await scratch.restore(backup.open);
    throw new Error('broke');
  });
  await expect(broken).rejects.toThrow('broke');
  expect([await roles(), await databases()]).toEqual(before);
});

it('drops no database of its own name that does not bear its mark', async () => {
  const { drillId } = scratchRequest(backup, base, {});
  await other.psql(`CREATE DATABASE ${drillDatabase(drillId)}`);
  const refused = there((scratch) => scratch.restore(backup.open), { drillId });
  await expect(refused).rejects.toThrow('already exists');
  expect(await databases()).toContain(drillDatabase(drillId));
  await other.psql(`DROP DATABASE ${drillDatabase(drillId)}`);
});

it('removes what a killed drill left, and nothing without its mark', async () => {
  const dead = drillMark('dead').replace(/"startTime":"\d+"/, '"startTime":"1"');
  const mark = (text: string) => `'${text.replaceAll("'", "''")}'`;
  await other.psql(`CREATE DATABASE lifeboat_drill_dead; COMMENT ON DATABASE lifeboat_drill_dead IS ${mark(dead)};
    CREATE ROLE left_behind; COMMENT ON ROLE left_behind IS ${mark(dead)};`);
  await other.psql(`CREATE DATABASE lifeboat_drill_live;
    COMMENT ON DATABASE lifeboat_drill_live IS ${mark(drillMark('live'))};`);
  await there(async () => {});
  expect((await databases()).split('\n')).toEqual([
    'lifeboat_drill_live',
    'lifeboat_drill_of_somebody',
    'postgres',
    'template0',
    'template1',
  ]);
  expect(await roles()).not.toContain('left_behind');
});

it('removes a database that was made and not marked yet, by the role of its name, and no other', async () => {
  const before = [await roles(), await databases()];
  const dead = drillMark('dead').replace(/"startTime":"\d+"/, '"startTime":"1"');
  await other.psql(`CREATE ROLE lifeboat_drill_unmarked; CREATE DATABASE lifeboat_drill_unmarked;
    COMMENT ON ROLE lifeboat_drill_unmarked IS '${dead}';`);
  await there(async () => {});
  expect([await roles(), await databases()]).toEqual(before);
});

it('gives up a server that falls silent while rows are restored, and waits for nothing there', async () => {
  const before = [await roles(), await databases()];
  const proxy = await postgresProxy(other.port);
  onTestFinished(() => proxy.close());
  const scratchUrl = other.url.replace(`:${other.port}/`, `:${proxy.port}/`);
  const silenced = there(
    (scratch) =>
      scratch.restore(async (artifact) => {
        if (artifact.role === 'dump') proxy.fallSilent();
        return backup.open(artifact);
      }),
    { scratchUrl, stallMs: 2_000, drillId: '20261121T031500Z-000001' },
  );
  await expect(silenced).rejects.toMatchObject({
    code: 'scratch-failed',
    message: expect.stringMatching(/gave no answer for 2s/),
    hint: expect.stringMatching(/`stall-timeout`/),
  });
  expect(await databases()).toContain('lifeboat_drill_20261121t031500z_000001');
  await other.psql(
    'DROP DATABASE lifeboat_drill_20261121t031500z_000001 WITH (FORCE); DROP ROLE lifeboat_drill_20261121t031500z_000001, shop;',
  );
  expect([await roles(), await databases()]).toEqual(before);
});

it('goes on as long as the server answers, though no byte of the restore moves', async () => {
  const slow = there(
    async (scratch) => {
      await scratch.restore(backup.open);
      const slept = await scratch.assert('slept', 'SELECT pg_sleep(5) IS NOT NULL');
      return slept.status;
    },
    { stallMs: 2_000 },
  );
  expect(await slow).toBe('pass');
});

it('takes back all it made when the server is restarted under it', async () => {
  const before = [await roles(), await databases()];
  const broken = there(async (scratch) => {
    await scratch.restore(backup.open);
    await other.restart('fast');
    throw new Error('broke');
  });
  await expect(broken).rejects.toThrow('broke');
  expect([await roles(), await databases()]).toEqual(before);
});

it.each([
  { how: 'its system identifier', change: { host: 'elsewhere', port: 1 } },
  { how: 'its address', change: { systemIdentifier: '1' } },
  { how: 'another name of its host', change: { systemIdentifier: null, host: 'localhost' } },
])('refuses a server that a backup comes from, by $how', async ({ change }) => {
  const known = { ...backup.manifest.server, ...change };
  const refused = there(async () => {}, { scratchUrl: source.url, knownServers: [known] });
  await expect(refused).rejects.toMatchObject({ code: 'guard-refused' });
  const allowed = there(async () => 'went on', { knownServers: [backup.manifest.server] });
  expect(await allowed).toBe('went on');
});

/** A stand-in for `docker exec`: another environment, none of our files, a `/tmp` that stays from call to call. */
function container(before = ''): { toolsPrefix: string[]; toolsHost: string; files(): string[] } {
  const folder = join(base, 'container');
  mkdirSync(join(folder, 'tmp'), { recursive: true });
  const hide = `mount --bind ${folder}/tmp /tmp; mount -t tmpfs none /var/tmp; cd /; exec "$@"`;
  const map = process.getuid?.() === 0 ? '' : '--map-root-user ';
  const path = `PATH=${other.clientDir}:/usr/bin:/bin`;
  const lines = ['#!/bin/sh', before, `exec env -i ${path} unshare ${map}-m -- sh -c '${hide}' sh "$@"`];
  writeFileSync(join(folder, 'exec'), `${lines.join('\n')}\n`);
  chmodSync(join(folder, 'exec'), 0o755);
  return {
    toolsPrefix: [join(folder, 'exec')],
    toolsHost: `127.0.0.1:${other.port}`,
    files: () => readdirSync(join(folder, 'tmp')),
  };
}

/** Rows of one table only: the foreign keys into the other cannot be restored. */
async function takePartial(jobs: number): Promise<TakenBackup> {
  await source.psql(
    `CREATE TABLE IF NOT EXISTS customers (id int PRIMARY KEY, name text);
     CREATE TABLE IF NOT EXISTS parcels (id int PRIMARY KEY, customer int REFERENCES customers, next int REFERENCES parcels);
     INSERT INTO customers VALUES (1) ON CONFLICT DO NOTHING; INSERT INTO parcels VALUES (1, 1, 1) ON CONFLICT DO NOTHING;
     ALTER DATABASE shop SET default_transaction_read_only = on;`,
    'shop',
  );
  const taken = await takeBackup(source, 'shop', { scope: 'tables', tables: ['parcels'], jobs });
  await source.psql('ALTER DATABASE shop RESET default_transaction_read_only', 'postgres');
  return taken;
}

it.each([{ jobs: 1 }, { jobs: 2 }])(
  'restores a part by programs that run elsewhere, streams: $jobs',
  async ({ jobs }) => {
    const partial = await takePartial(jobs);
    const { files, ...connection } = container();
    const request = {
      ...scratchRequest(partial, base, { scratchUrl: 'postgresql://postgres@db:1/postgres' }),
      connection,
    };
    const found = await withScratch(request, { env: process.env, log: silent }, async (scratch) => {
      const findings = await scratch.restore(partial.open);
      expect(findings).toContainEqual(expect.objectContaining({ rule: 'left-out', numbers: { foreignKeys: 1 } }));
      return scratch.readFacts('fingerprints');
    });
    expect(found.tables).toEqual(partial.facts?.tables);
    const keys = found.schema.filter(({ identity }) => identity.includes('_fkey'));
    expect(keys.map(({ identity }) => identity)).toEqual([expect.stringContaining('parcels_next_fkey')]);
    expect(files()).toEqual([]);
  },
);

it.each([
  {
    what: 'its program ends',
    before: `case "$*" in *--exit-on-error*) echo 'Error response from daemon: gone' >&2; exit 137;; esac`,
  },
  {
    what: 'it takes no list',
    before: `case "$*" in *mktemp*) set -- sh -c 'mktemp() { return 1; }; eval "$0"' "$3" ;; esac`,
  },
])('disproves nothing when $what behind the prefix', async ({ before }) => {
  const partial = await takePartial(1);
  const { files, ...connection } = container(before);
  const request = {
    ...scratchRequest(partial, base, { scratchUrl: 'postgresql://postgres@db:1/postgres' }),
    connection,
  };
  const restored = withScratch(request, { env: process.env, log: silent }, (scratch) => scratch.restore(partial.open));
  await expect(restored).rejects.toMatchObject({
    code: 'scratch-failed',
    hint: expect.stringContaining('tools-prefix'),
  });
  expect(files()).toEqual([]);
});

/** A database that a role of its own owns, as an application makes it; `more` is run by a superuser. */
async function takeOrdinary(name: string, more = ''): Promise<TakenBackup> {
  await source.psql(`CREATE DATABASE ${name} OWNER app`);
  await source.psql(
    `SET ROLE app; CREATE SCHEMA sales; CREATE TYPE mood AS ENUM ('good', 'bad');
     CREATE TABLE sales.bills (id serial PRIMARY KEY, mood mood DEFAULT 'good', total numeric CHECK (total > 0));
     INSERT INTO sales.bills (total) SELECT generate_series(1, 100);
     CREATE FUNCTION sales.sum() RETURNS numeric LANGUAGE sql AS 'SELECT sum(total) FROM sales.bills';
     CREATE MATERIALIZED VIEW sales.total AS SELECT sales.sum() AS total;
     CREATE POLICY own ON sales.bills USING (total > 10); ALTER TABLE sales.bills ENABLE ROW LEVEL SECURITY;
     ALTER DEFAULT PRIVILEGES IN SCHEMA sales GRANT SELECT ON TABLES TO reader;
     GRANT USAGE ON SCHEMA sales TO reader; GRANT SELECT ON sales.bills TO reader, auditor;
     SELECT lo_from_bytea(0, 'hello'); RESET ROLE; ${more}`,
    name,
  );
  return takeBackup(source, name);
}

describe('by a role that is no superuser', () => {
  beforeAll(async () => {
    await source.psql('CREATE ROLE app LOGIN; CREATE ROLE auditor');
    await other.psql('CREATE ROLE driller LOGIN CREATEDB CREATEROLE; CREATE ROLE weak LOGIN');
  });
  const drillAs = <T>(user: string, of: TakenBackup, use: (scratch: Scratch) => Promise<T>) =>
    there(use, { scratchUrl: other.urlOf('postgres', user), manifest: of.manifest, facts: of.facts });

  it('restores what its own roles own, and takes back all it made', async () => {
    const before = [await roles(), await databases()];
    const ordinary = await takeOrdinary('ordinary');
    const found = await drillAs('driller', ordinary, async (scratch) => {
      const findings = await scratch.restore(ordinary.open);
      expect(findings.filter(({ status }) => status !== 'pass')).toEqual([]);
      expect(await scratch.assert('rows', 'SELECT count(*) = 100 FROM sales.bills')).toMatchObject({ status: 'pass' });
      return scratch.readFacts('fingerprints');
    });
    const { roles: _, settings: __, ...expected } = ordinary.facts ?? raise();
    expect(found).toMatchObject({ ...expected, sequences: [{ name: 'sales.bills_id_seq' }] });
    expect([await roles(), await databases()]).toEqual(before);
  });

  it('refuses before it restores anything what it could not give to its owners', async () => {
    const before = [await roles(), await databases()];
    const foreign = await takeOrdinary('foreign_owned', 'ALTER TABLE sales.bills OWNER TO reader');
    const refused = drillAs('driller', foreign, (scratch) => scratch.restore(foreign.open));
    await expect(refused).rejects.toMatchObject({
      code: 'scratch-failed',
      message: expect.stringMatching(/holds objects of reader, and the role driller of `scratch-url`/),
      hint: expect.stringContaining('GRANT "reader" TO "driller"'),
    });
    expect([await roles(), await databases()]).toEqual(before);
  });

  it('refuses a role that may not make what is needed', async () => {
    const refused = drillAs('weak', backup, (scratch) => scratch.restore(backup.open));
    await expect(refused).rejects.toMatchObject({
      code: 'scratch-failed',
      message: 'The role weak of `scratch-url` may not create databases and create roles.',
      hint: expect.stringContaining('ALTER ROLE "weak" CREATEDB CREATEROLE'),
    });
  });

  it('disproves nothing by what only a superuser may restore', async () => {
    const before = [await roles(), await databases()];
    const needy = await takeOrdinary('needy', 'CREATE EXTENSION file_fdw');
    const denied = drillAs('driller', needy, (scratch) => scratch.restore(needy.open));
    await expect(denied).rejects.toMatchObject({
      code: 'scratch-failed',
      message: expect.stringMatching(/denied: .*permission denied to create extension "file_fdw"/),
      hint: expect.stringContaining('superuser'),
    });
    expect([await roles(), await databases()]).toEqual(before);
  });
});

/** Who creates a role is from 16 on no member of it by that alone. */
it('gives objects to roles that it created, also where that takes a grant', async () => {
  const later = await startPostgres({ major: 18 });
  try {
    await later.psql('CREATE ROLE driller LOGIN CREATEDB CREATEROLE');
    const client = await anyClient({ url: later.urlOf('postgres', 'driller') }, process.env);
    const session = await openSession(client, { applicationName: 'lifeboat' });
    expect(await createMissingRoles(session, ['app', 'driller'], drillMark('here'))).toBe(1);
    await session.execute('CREATE DATABASE theirs OWNER app');
    await refuseForeignOwners(session, [{ id: 1, line: '', what: 'TABLE public t app' }]);
    const foreign = refuseForeignOwners(session, [{ id: 1, line: '', what: 'TABLE public t postgres' }]);
    await expect(foreign).rejects.toMatchObject({ code: 'scratch-failed' });
    await session.execute('DROP DATABASE theirs WITH (FORCE)');
    await session.execute('DROP ROLE app');
    await session.close();
  } finally {
    await later.stop();
  }
});

function raise(): never {
  throw new Error('This cannot be missing here.');
}
