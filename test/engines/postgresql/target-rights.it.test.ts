import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { type TakenBackup, takeBackup } from './backup-fixture.ts';
import { databasesOf, dropDatabases, makeBase, propertiesOf, restoring } from './target-fixture.ts';

const base = makeBase();
let source: TestPostgres;
let server: TestPostgres;
let backup: TakenBackup;

beforeAll(async () => {
  source = await startPostgres();
  server = await startPostgres();
  await source.psql(`CREATE ROLE owner LOGIN CREATEDB CONNECTION LIMIT 7 PASSWORD 'secret'; CREATE ROLE "app; role" LOGIN REPLICATION;
    CREATE ROLE readers NOLOGIN; CREATE ROLE unrelated; GRANT readers TO "app; role" WITH ADMIN OPTION;
    ALTER ROLE owner SET work_mem TO '7MB'; COMMENT ON ROLE readers IS 'who reads';
    CREATE DATABASE shop OWNER owner; GRANT CONNECT ON DATABASE shop TO readers; ALTER DATABASE shop SET work_mem TO '9MB';`);
  await source.psql(
    `CREATE SCHEMA s; CREATE TABLE s.t (id serial PRIMARY KEY, what text); INSERT INTO s.t (what) SELECT 'x' FROM generate_series(1, 50);
     GRANT SELECT ON s.t TO readers; CREATE VIEW v AS SELECT * FROM s.t;`,
    'shop',
    'owner',
  );
  backup = await takeBackup(source, 'shop');
});
afterAll(async () => {
  await source?.stop();
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});
afterEach(async () => {
  await dropDatabases(server);
  const roles = await server.psql(`SELECT string_agg(format('%I', rolname), ', ') FROM pg_roles WHERE oid >= 16384`);
  if (roles !== '') await server.psql(`DROP ROLE ${roles}`);
});

const rolesOf = (one: TestPostgres) =>
  one.psql(`SELECT rolname, rolcanlogin, rolcreatedb, rolreplication, rolsuper, rolconnlimit, rolconfig,
      shobj_description(oid, 'pg_authid'), (SELECT string_agg(concat(roleid::regrole, ' ', admin_option), ' ' ORDER BY roleid::regrole::text)
        FROM pg_auth_members WHERE member = r.oid)
    FROM pg_roles r WHERE oid >= 16384 ORDER BY rolname COLLATE "C"`);

it('restores as a role with CREATEDB alone when owners are left out, and swaps', async () => {
  await server.psql('CREATE ROLE restorer LOGIN CREATEDB');
  await server.psql('CREATE DATABASE shop', 'postgres', 'restorer');
  await restoring(
    server,
    backup,
    base,
    async (target) => {
      const state = await target.inspect();
      expect(state.user).toEqual({ name: 'restorer', superuser: false, mayCreateDatabases: true, lacks: [] });
      expect(state).toMatchObject({
        missingRoles: [],
        freeBytes: null,
        freeUnknown: expect.stringContaining('pg_read_all_settings'),
      });
      expect(state.database?.newestWrite).toBeNull();
      const findings = await target.build('shop_new', backup.open);
      expect(findings.filter(({ status }) => status !== 'pass')).toEqual([]);
      await server.psql('CREATE ROLE other LOGIN');
      await expect(server.psql('SELECT 1', 'shop_new', 'other')).rejects.toThrow('permission denied for database');
      expect((await target.readFacts('shop_new', 'fingerprints')).tables).toEqual(backup.facts?.tables);
      expect(await target.rolesWithoutPassword()).toEqual([]);
      await target.analyze('shop_new');
      await target.reindex('shop_new');
      await target.swap('shop_new', 'shop_old');
      await target.drop('shop_old');
    },
    { user: 'restorer', ownership: { owner: false } },
  );
  expect(await databasesOf(server)).toBe('postgres\nshop');
  expect(await propertiesOf(server, 'shop')).toMatch(/^restorer\|-1\|t\|UTF8\|.*=Tc\/restorer.*work_mem=9MB/);
  expect(await server.psql(`SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 's'`, 'shop')).toBe(
    'restorer',
  );
});

it('gives everything to `role` where one is named', async () => {
  await server.psql('CREATE ROLE restorer LOGIN CREATEDB; CREATE ROLE team; GRANT team TO restorer');
  await restoring(
    server,
    backup,
    base,
    async (target) => {
      await target.build('shop_new', backup.open);
      await target.finish('shop_new');
      await target.rename('shop_new');
    },
    { user: 'restorer', ownership: { owner: false, role: 'team' } },
  );
  expect(await propertiesOf(server, 'shop')).toMatch(/^team\|-1\|t\|/);
  expect(await server.psql(`SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 's'`, 'shop')).toBe('team');
});

it('restores owners and grants as a member of the owners', async () => {
  await server.psql(
    `CREATE ROLE owner LOGIN; CREATE ROLE readers; CREATE ROLE restorer LOGIN CREATEDB; GRANT owner TO restorer`,
  );
  await restoring(
    server,
    backup,
    base,
    async (target) => {
      expect((await target.inspect()).user.lacks).toEqual([]);
      const findings = await target.build('shop_new', backup.open);
      expect(findings.filter(({ status }) => status !== 'pass')).toEqual([]);
      await expect(server.psql('SELECT 1', 'shop_new', 'owner')).rejects.toThrow('permission denied for database');
      expect((await target.readFacts('shop_new', 'counts')).schema).toEqual(backup.facts?.schema);
      await target.finish('shop_new');
      await target.rename('shop_new');
    },
    { user: 'restorer' },
  );
  expect(await propertiesOf(server, 'shop')).toBe(await propertiesOf(source, 'shop'));
});

it('says before it starts what the role may not do', async () => {
  await server.psql('CREATE ROLE owner; CREATE ROLE readers; CREATE ROLE weak LOGIN; CREATE DATABASE shop');
  const state = await restoring(server, backup, base, (target) => target.inspect(), { user: 'weak' });
  expect(state.user).toEqual({
    name: 'weak',
    superuser: false,
    mayCreateDatabases: false,
    lacks: [
      { what: 'create and rename databases', sql: 'ALTER ROLE "weak" CREATEDB;' },
      { what: 'give objects to owner', sql: 'GRANT "owner" TO "weak";' },
      { what: 'rename or drop the database shop, which belongs to postgres', sql: 'GRANT "postgres" TO "weak";' },
    ],
  });
  const refused = restoring(server, backup, base, (target) => target.build('shop_new', backup.open), { user: 'weak' });
  await expect(refused).rejects.toMatchObject({ code: 'target-failed', hint: expect.stringContaining('CREATEDB') });
  expect(await databasesOf(server)).toBe('postgres\nshop');
});

it('does not swap where it may not end a connection, and names it', async () => {
  await server.psql('CREATE ROLE restorer LOGIN CREATEDB');
  await server.psql('CREATE DATABASE shop', 'postgres', 'restorer');
  const admin = server.psql('SELECT pg_sleep(600)', 'shop').catch(() => 'ended');
  await expect
    .poll(() => server.psql(`SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'`))
    .toBe('1');
  const refused = restoring(
    server,
    backup,
    base,
    async (target) => {
      await target.build('shop_new', backup.open);
      await target.swap('shop_new', 'shop_old');
    },
    { user: 'restorer', ownership: { owner: false } },
  );
  await expect(refused).rejects.toMatchObject({
    code: 'target-failed',
    message: expect.stringMatching(/pid \d+, role postgres, psql/),
  });
  expect(await databasesOf(server)).toBe('postgres\nshop');
  await server.psql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'`);
  await admin;
});

it('names roles that the backup needs and the server lacks, and refuses to build without them', async () => {
  await server.psql('CREATE ROLE readers');
  const state = await restoring(server, backup, base, (target) => target.inspect());
  expect(state.missingRoles).toEqual(['owner']);
  const refused = restoring(server, backup, base, (target) => target.build('shop_new', backup.open));
  await expect(refused).rejects.toMatchObject({ code: 'guard-refused', message: expect.stringContaining('owner') });
  expect(await databasesOf(server)).toBe('postgres');
});

it('creates missing roles as the globals have them, and changes none that is there', async () => {
  await server.psql(`CREATE ROLE readers LOGIN; ALTER ROLE readers SET work_mem TO '3MB'; CREATE ROLE "app; role"`);
  const before = await rolesOf(server);
  const given = { ownership: { createRoles: true } };
  const passwords = await restoring(
    server,
    backup,
    base,
    async (target) => {
      const findings = await target.build('shop_new', backup.open);
      const made = findings.find(({ rule }) => rule === 'roles-restored');
      expect(made).toMatchObject({
        status: 'pass',
        numbers: { created: 2 },
        message: expect.stringContaining('owner, unrelated'),
      });
      return target.rolesWithoutPassword();
    },
    given,
  );
  expect(passwords).toEqual([
    { role: 'owner', command: '\\password "owner"' },
    { role: 'readers', command: '\\password "readers"' },
  ]);
  const after = await rolesOf(server);
  for (const line of before.split('\n')) expect(after).toContain(line);
  const madeAs = (await rolesOf(source)).split('\n').filter((line) => /^(owner|unrelated)\|/.test(line));
  for (const line of madeAs) expect(after).toContain(line);
});

it('creates all of them, memberships and comments too, on a server that has none', async () => {
  const given = { ownership: { createRoles: true } };
  await restoring(server, backup, base, (target) => target.build('shop_new', backup.open), given);
  expect(await rolesOf(server)).toBe(await rolesOf(source));
});

it('creates them from the facts of a backup without globals', async () => {
  const { manifest } = backup;
  const without = { ...manifest, artifacts: manifest.artifacts.filter(({ role }) => role !== 'globals') };
  const given = { manifest: without, ownership: { createRoles: true } };
  await restoring(server, backup, base, (target) => target.build('shop_new', backup.open), given);
  expect(await rolesOf(server)).toBe((await rolesOf(source)).replace('who reads', ''));
});

it('creates roles as no superuser, and says what only one may give them', async () => {
  await server.psql('CREATE ROLE restorer LOGIN CREATEDB CREATEROLE');
  const findings = await restoring(server, backup, base, (target) => target.build('shop_new', backup.open), {
    user: 'restorer',
    ownership: { createRoles: true },
  });
  expect(findings).toContainEqual(
    expect.objectContaining({
      rule: 'roles-restored',
      status: 'warn',
      message: expect.stringContaining('REPLICATION: only a superuser may'),
    }),
  );
  expect(await server.psql(`SELECT rolcreatedb, rolconnlimit FROM pg_roles WHERE rolname = 'owner'`)).toBe('t|7');
});
