import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { compareAndTabulate } from '../../../src/core/compare-facts.ts';
import { withScratch } from '../../../src/engines/postgresql/scratch.ts';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { scratchRequest, silent, takeBackup } from './backup-fixture.ts';
import { createHardDatabase } from './hard-database.ts';

const base = join('/var/tmp', `lbh-${process.pid}`);
let server: TestPostgres;

beforeAll(async () => {
  server = await startPostgres();
  await createHardDatabase(server);
});
afterAll(async () => {
  await server?.stop();
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

it.each([
  { how: 'whole', given: {} },
  { how: 'its schema', given: { scope: 'schema' as const } },
  { how: 'its data', given: { scope: 'data' as const } },
  { how: 'some tables', given: { scope: 'tables' as const, tables: ['*order*'] } },
  { how: 'without the rows of some tables', given: { excludeTableData: ['*order*'] } },
  { how: 'whole, in parallel streams', given: { jobs: 3 } },
  {
    how: 'some tables, in parallel streams',
    given: { jobs: 3, scope: 'tables' as const, tables: ['*order*', 'customers', 'events*'] },
  },
  { how: 'without some rows, in parallel streams', given: { jobs: 3, excludeTableData: ['*order*'] } },
])('restores a schema that is hard on tools without a false alarm: $how', async ({ given }) => {
  const backup = await takeBackup(server, 'hard', given);
  const expected = backup.facts;
  if (expected === undefined) throw new Error('no facts');
  const streams = backup.manifest.artifacts.filter(({ role }) => role === 'data').length;
  if ('jobs' in given) expect(streams).toBe(given.jobs);
  const request = scratchRequest(backup, base, 'jobs' in given ? { jobs: given.jobs } : {});
  const found = await withScratch(request, { env: process.env, log: silent }, async (scratch) => {
    const findings = await scratch.restore(backup.open);
    expect(findings.filter(({ status }) => status !== 'pass')).toEqual([]);
    return scratch.readFacts(expected.level);
  });
  const comparison = { sameMajor: true, scope: backup.manifest.scope };
  const compared = compareAndTabulate(expected, found, comparison);
  expect(compared.tables).toEqual([]);
  expect(compared.findings.filter(({ status }) => status !== 'pass')).toEqual([]);
});
