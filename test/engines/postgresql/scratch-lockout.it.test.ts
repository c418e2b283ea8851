import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Scratch, ScratchRequest } from '../../../src/core/ports.ts';
import { withScratch } from '../../../src/engines/postgresql/scratch.ts';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { scratchRequest, silent, type TakenBackup, takeBackup } from './backup-fixture.ts';

const base = join('/var/tmp', `lbl-${process.pid}`);
let server: TestPostgres;

beforeAll(async () => {
  server = await startPostgres({ settings: { wal_level: 'logical', log_connections: 'on' } });
});
afterAll(async () => {
  await server?.stop();
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function drill<T>(
  of: TakenBackup,
  use: (scratch: Scratch) => Promise<T>,
  given: Partial<ScratchRequest> = {},
): Promise<T> {
  return withScratch(scratchRequest(of, base, given), { env: process.env, log: silent }, use);
}

/** The trigger is of 17 and later; a check makes it, since no dump of an older server can hold one. */
it('is not locked out by a trigger that lets nobody log in', async () => {
  const later = await startPostgres({ major: 18 });
  await later.stop();
  await server.psql('CREATE DATABASE locked');
  await server.psql(
    `CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'nobody logs in'; END $f$;
     CREATE FUNCTION look() RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN
       IF current_setting('server_version_num')::int >= 170000 AND NOT EXISTS (SELECT FROM pg_event_trigger) THEN
         EXECUTE 'CREATE EVENT TRIGGER shut ON login EXECUTE FUNCTION public.refuse()';
         EXECUTE 'ALTER EVENT TRIGGER shut ENABLE ALWAYS';
       END IF;
       RETURN true; END $f$;
     CREATE TABLE victims (id int CHECK (public.look())); INSERT INTO victims VALUES (1);`,
    'locked',
  );
  const locked = await takeBackup(server, 'locked');
  const manifest = { ...locked.manifest, server: { ...locked.manifest.server, major: 18 } };
  await drill(
    locked,
    async (scratch) => {
      expect((await scratch.restore(locked.open)).filter(({ status }) => status !== 'pass')).toEqual([]);
      const found = await scratch.readFacts('fingerprints');
      expect(found.tables).toEqual(locked.facts?.tables);
      expect(found.schema).toContainEqual(expect.objectContaining({ kind: 'event-trigger', identity: 'shut' }));
      const asked = await scratch.assert('shut', `SELECT evtenabled = 'A' FROM pg_event_trigger`);
      expect(asked).toMatchObject({ status: 'pass' });
    },
    { manifest, connection: { binDir: later.binDir } },
  );
});

/** The subscription is left out; code of the dump tries to make one that takes the slot over. */
it('leaves the slot of a subscription to its subscriber', async () => {
  await server.psql('CREATE ROLE feeder LOGIN REPLICATION; CREATE DATABASE publisher; CREATE DATABASE subscriber');
  await server.psql(
    `CREATE TABLE news (id int); GRANT SELECT ON news TO feeder; CREATE PUBLICATION news FOR TABLE news;
     SELECT pg_create_logical_replication_slot('held', 'pgoutput')`,
    'publisher',
  );
  const conninfo = `host=127.0.0.1 port=${server.port} user=feeder dbname=publisher`;
  await server.psql(
    `CREATE TABLE news (id int); INSERT INTO news VALUES (1);
     CREATE SUBSCRIPTION feed CONNECTION '${conninfo}' PUBLICATION news
       WITH (create_slot = false, slot_name = 'held', enabled = false);
     CREATE FUNCTION pull() RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN
       IF current_database() LIKE 'lifeboat_drill%' THEN
         BEGIN
           CREATE SUBSCRIPTION pull CONNECTION '${conninfo}' PUBLICATION news WITH (create_slot = false, slot_name = 'held');
         EXCEPTION WHEN OTHERS THEN NULL; END;
       END IF;
       RETURN true; END $f$;
     CREATE TABLE pulls (id int CHECK (public.pull())); INSERT INTO pulls VALUES (1);`,
    'subscriber',
  );
  const connections = () => server.log().match(/connection authorized: user=feeder/g)?.length ?? 0;
  const before = connections();
  expect(before).toBeGreaterThan(0);
  const slots = () => server.psql('SELECT slot_name, active, confirmed_flush_lsn FROM pg_replication_slots');
  const held = await slots();
  const subscriber = await takeBackup(server, 'subscriber');
  await drill(subscriber, async (scratch) => {
    await scratch.restore(subscriber.open);
    expect((await scratch.readFacts('fingerprints')).tables).toEqual(subscriber.facts?.tables);
  });
  expect(held).toMatch(/^held\|f\|/);
  expect(await slots()).toBe(held);
  expect(connections()).toBe(before);
});
