import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Scratch, ScratchRequest } from '../../../src/core/ports.ts';
import { drillMark } from '../../../src/engines/postgresql/drill-mark.ts';
import { withScratch } from '../../../src/engines/postgresql/scratch.ts';
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
