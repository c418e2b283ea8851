import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { type TakenBackup, takeBackup } from './backup-fixture.ts';
import { databasesOf, dropDatabases, makeBase, propertiesOf, restoring } from './target-fixture.ts';

const base = makeBase();
let source: TestPostgres;
let server: TestPostgres;

beforeAll(async () => {
  source = await startPostgres();
  server = await startPostgres({ major: 18 });
});
afterAll(async () => {
  await source?.stop();
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});
afterEach(async () => {
  await dropDatabases(source);
  await dropDatabases(server);
  for (const one of [source, server]) {
    const roles = await one.psql(`SELECT string_agg(format('%I', rolname), ', ') FROM pg_roles WHERE oid >= 16384`);
    if (roles !== '') await one.psql(`DROP ROLE ${roles}`);
  }
});

/** A check makes the trigger: no dump of a server before 17 can hold one. */
const SHUT = `
  CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'nobody logs in'; END $f$;
  CREATE FUNCTION look() RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN
    IF current_setting('server_version_num')::int >= 170000 AND NOT EXISTS (SELECT FROM pg_event_trigger) THEN
      EXECUTE 'CREATE EVENT TRIGGER shut ON login EXECUTE FUNCTION public.refuse()';
      EXECUTE 'ALTER EVENT TRIGGER shut ENABLE ALWAYS';
    END IF;
    RETURN true; END $f$;
  CREATE TABLE victims (id int CHECK (public.look())); INSERT INTO victims VALUES (1);`;

async function sourceOf(sql: string, user?: string): Promise<TakenBackup> {
  await source.psql(`CREATE DATABASE shop ${user === undefined ? '' : `OWNER ${user}`}`);
  await source.psql(sql, 'shop', user);
  return takeBackup(source, 'shop');
}

it('restores to a newer server, into a database that lets nobody log in, and swaps it for another one', async () => {
  const backup = await sourceOf(SHUT);
  const swapped = () =>
    restoring(server, backup, base, async (target) => {
      const { database } = await target.inspect();
      const findings = await target.build('shop_new', backup.open);
      expect(findings.filter(({ status }) => status !== 'pass')).toEqual([]);
      expect((await target.readFacts('shop_new', 'fingerprints')).tables).toEqual(backup.facts?.tables);
      await target.analyze('shop_new');
      await target.reindex('shop_new');
      if (database === undefined) {
        await target.finish('shop_new');
        await target.rename('shop_new');
      } else await target.swap('shop_new', 'shop_old');
      return database?.tables;
    });
  expect([await swapped(), await swapped()]).toEqual([undefined, 1]);
  expect(await databasesOf(server)).toBe('postgres\nshop\nshop_old');
  expect(await propertiesOf(server, 'shop')).toBe(await propertiesOf(source, 'shop'));
});

it('creates roles and gives objects to them without a superuser', async () => {
  await source.psql('CREATE ROLE owner LOGIN; CREATE ROLE readers; GRANT readers TO owner');
  const backup = await sourceOf('CREATE SCHEMA s; CREATE TABLE s.t (id int); GRANT SELECT ON s.t TO readers', 'owner');
  await server.psql('CREATE ROLE restorer LOGIN CREATEDB CREATEROLE');
  const findings = await restoring(
    server,
    backup,
    base,
    async (target) => {
      const built = await target.build('shop_new', backup.open);
      expect((await target.readFacts('shop_new', 'counts')).tables).toEqual(
        backup.facts?.tables.map(({ name, rows }) => ({ name, rows })),
      );
      await target.finish('shop_new');
      await target.rename('shop_new');
      return built;
    },
    { user: 'restorer', ownership: { createRoles: true } },
  );
  expect(findings.filter(({ status }) => status !== 'pass')).toEqual([]);
  expect(await propertiesOf(server, 'shop')).toBe(await propertiesOf(source, 'shop'));
  expect(await server.psql(`SELECT tableowner FROM pg_tables WHERE schemaname = 's'`, 'shop')).toBe('owner');
});
