import { chownSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { smallDisk, whyNoDisk } from '../../e2e/failures-disk.ts';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { takeBackup } from './backup-fixture.ts';
import { databasesOf, makeBase, restoring } from './target-fixture.ts';

const base = makeBase();
let server: TestPostgres;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(async () => {
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});

it.skipIf(whyNoDisk())('leaves everything as it was when the disk of the target gets full', async () => {
  await server.psql('CREATE DATABASE source');
  await server.psql('CREATE TABLE t AS SELECT n, md5(n::text) FROM generate_series(1, 300000) n', 'source');
  const backup = await takeBackup(server, 'source');
  await server.psql('DROP DATABASE source; CREATE DATABASE shop');
  await server.psql("CREATE TABLE before AS SELECT 'untouched' AS what", 'shop');
  // What is created without a word on where goes there.
  const folder = join(smallDisk(8).path, 'tables');
  mkdirSync(folder);
  const { uid, gid } = statSync(server.dataDir);
  chownSync(folder, uid, gid);
  await server.psql(`CREATE TABLESPACE small LOCATION '${folder}'`);
  await server.psql("ALTER SYSTEM SET default_tablespace = 'small'");
  await server.psql('SELECT pg_reload_conf()');
  const full = restoring(server, backup, base, async (target) => {
    await target.build('shop_new', backup.open);
    await target.swap('shop_new', 'shop_old');
  });
  await expect(full).rejects.toMatchObject({
    code: 'disk-full',
    message: expect.stringMatching(/target.*No space left on device/s),
  });
  expect(await databasesOf(server)).toBe('postgres\nshop');
  expect(await server.psql('SELECT what FROM before', 'shop')).toBe('untouched');
});
