import { existsSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { availableMajors, startPostgres, type TestPostgres } from './postgresql.ts';

describe.each(availableMajors())('a test server of PostgreSQL %i', (major) => {
  let server: TestPostgres | undefined;
  afterAll(() => server?.stop());

  it('answers over TCP, takes settings, ignores PG* from outside and is gone after stop', async () => {
    process.env.PGPORT = '1';
    server = await startPostgres({ major, settings: { work_mem: '7MB' } });
    delete process.env.PGPORT;
    expect(await server.psql(`SELECT current_setting('server_version_num')::int / 10000`)).toBe(String(major));
    expect(await server.psql('SHOW work_mem')).toBe('7MB');
    await expect(server.psql('SELECT 1/0; SELECT 2')).rejects.toThrow('division by zero');
    await server.stop();
    expect(existsSync(server.socketDir)).toBe(false);
    expect(() => process.kill(server?.pid ?? 0, 0)).toThrow('ESRCH');
  });
});
