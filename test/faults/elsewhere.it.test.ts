import { afterAll, beforeAll, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { findElsewhere, inventoryOf } from './elsewhere.ts';

let server: TestPostgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

it('names a database and a role that are left on another server, and what is gone from it', async () => {
  await server.psql('CREATE ROLE there');
  const before = await inventoryOf(server);
  expect(await findElsewhere(server, before)).toEqual([]);
  await server.psql('CREATE DATABASE lifeboat_drill_1; CREATE ROLE left_behind; DROP ROLE there');
  expect(await findElsewhere(server, before)).toEqual([
    'Left on the other server: database lifeboat_drill_1',
    'Left on the other server: role left_behind',
    'Lost on the other server: role there',
  ]);
});

it('is the same server after a restart, with what was committed', async () => {
  const { pid } = server;
  await server.psql('CREATE ROLE committed');
  await server.restart('fast');
  expect(server.pid).not.toBe(pid);
  expect(await inventoryOf(server)).toContain('role committed');
});
