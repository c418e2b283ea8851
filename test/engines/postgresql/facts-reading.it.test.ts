import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareFacts } from '../../../src/core/compare-facts.ts';
import type { Facts } from '../../../src/core/facts.ts';
import { availableMajors, startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { createHardDatabase } from './hard-database.ts';
import { factsOf } from './reading-facts.ts';

describe('a role without superuser', () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres();
    await createHardDatabase(server);
    await server.psql(
      `CREATE ROLE plain LOGIN; GRANT USAGE ON SCHEMA app, "Sch""ema, with stuff", public TO plain;
      GRANT SELECT ON ALL TABLES IN SCHEMA app, "Sch""ema, with stuff", public TO plain;
      GRANT SELECT ON ALL SEQUENCES IN SCHEMA app TO plain`,
      'hard',
    );
    await server.psql('GRANT CONNECT ON DATABASE hard TO plain');
  });
  afterAll(() => server?.stop());

  it('is told that rows are hidden from it', async () => {
    await expect(factsOf(server, 'hard', {}, 'auditor')).rejects.toMatchObject({
      code: 'source-denied',
      message: expect.stringContaining('row-level security'),
      hint: expect.stringContaining('BYPASSRLS'),
    });
  });

  it('reads the same facts as a superuser with pg_read_all_data and BYPASSRLS', async () => {
    await server.psql('ALTER ROLE auditor BYPASSRLS');
    expect(await factsOf(server, 'hard', {}, 'auditor')).toEqual(await factsOf(server, 'hard'));
  });

  it('is told which large object it may not read, and needs nothing but SELECT on each', async () => {
    await server.psql('ALTER ROLE plain BYPASSRLS');
    await expect(factsOf(server, 'hard', {}, 'plain')).rejects.toMatchObject({
      code: 'source-denied',
      message: expect.stringMatching(/permission denied for large object 471\d/),
    });
    await server.psql('GRANT SELECT ON LARGE OBJECT 4711, 4712, 4713 TO plain', 'hard');
    expect(await factsOf(server, 'hard', {}, 'plain')).toEqual(await factsOf(server, 'hard'));
  });
});

describe('part of a database', () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres();
    await createHardDatabase(server);
  });
  afterAll(() => server?.stop());

  const identities = (facts: Facts, kind: string) =>
    facts.schema.filter((fact) => fact.kind === kind).map(({ identity }) => identity);

  it('of tables named holds their rows, and no foreign key into tables without rows', async () => {
    const facts = await factsOf(server, 'hard', { scope: 'tables', tables: ['app.orders', 'app.hashed'] });
    expect(facts.tables.map(({ name }) => name)).toEqual(['app.hashed_0', 'app.hashed_1', 'app.orders']);
    expect(identities(facts, 'foreign-key')).toEqual(['customers_last_order_fkey on app.customers']);
    expect(facts.largeObjects).toBeNull();
    expect(facts.materializedViews.map(({ populated }) => populated)).not.toContain(true);
    expect(identities(facts, 'table')).toContain('app.customers');
  });

  it('that is the schema only holds no rows and all of the schema', async () => {
    const facts = await factsOf(server, 'hard', { scope: 'schema' });
    expect([facts.tables, facts.sequences, facts.largeObjects, facts.migration]).toEqual([[], [], null, null]);
    expect(identities(facts, 'foreign-key')).toHaveLength(6);
    expect(compareFacts(facts, facts, { sameMajor: true, scope: 'schema' }).map(({ rule }) => rule)).toEqual([
      'facts-schema',
      'facts-extensions',
      'facts-roles',
      'facts-settings',
    ]);
  });

  it('that is its data only holds large objects, and no refreshed views', async () => {
    const facts = await factsOf(server, 'hard', { scope: 'data' });
    expect(facts.materializedViews).toEqual([]);
    expect(facts.largeObjects).toEqual({ count: 3, bytes: 113_003 });
    expect(facts.tables).toHaveLength(18);
  });

  it('gives every object an identity of its own', async () => {
    const { schema } = await factsOf(server, 'hard');
    const keys = schema.map(({ kind, identity }) => `${kind} ${identity}`);
    expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([]);
  });

  it.each(['LATIN1', 'SQL_ASCII'])('is read in a database of encoding %s too', async (encoding) => {
    const name = encoding.toLowerCase();
    await server.psql(`CREATE DATABASE ${name} ENCODING '${encoding}' LOCALE 'C' TEMPLATE template0`);
    await server.psql(
      `SET client_encoding = '${encoding}'; CREATE TABLE t (v text);
      INSERT INTO t SELECT string_agg(chr(i), '') FROM generate_series(160, 255) AS i WHERE '${encoding}' = 'LATIN1';
      INSERT INTO t VALUES (E'\\xe4\\xff')`,
      name,
    );
    const [one] = (await factsOf(server, name)).tables;
    expect(one).toMatchObject({ name: 'public.t', rows: 2, fingerprint: expect.stringMatching(/^v1:2:-?\d+$/) });
  });

  it('without some tables knows nothing of them', async () => {
    const facts = await factsOf(server, 'hard', { excludeTables: ['app.secrets', 'app.orders'] });
    expect(JSON.stringify(facts)).not.toMatch(/app\.(secrets|orders)\b/);
    expect(identities(facts, 'table')).toContain('app.customers');
  });

  it('without rows of unlogged tables, as a standby has it', async () => {
    const facts = await factsOf(server, 'hard', { unloggedRows: false });
    expect(facts.tables.map(({ name }) => name)).not.toContain('app.scratchpad');
    expect(identities(facts, 'table')).toContain('app.scratchpad');
  });
});

// Their server programs come without pg_dump: the same schema, made twice, must read the same.
describe.each(availableMajors().filter((major) => major > 15))('PostgreSQL %i', (major) => {
  let server: TestPostgres;
  let older: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres({ major });
    await createHardDatabase(server);
  });
  afterAll(async () => {
    await server?.stop();
    await older?.stop();
  });

  it('gives equal facts for equal databases', async () => {
    await createHardDatabase(server, 'twin');
    const [facts, twin] = [await factsOf(server, 'hard'), await factsOf(server, 'twin')];
    expect(facts.schema.length).toBeGreaterThan(400);
    expect(twin).toEqual(facts);
  });

  it('differs from an older major in definitions, not in names and rows', async () => {
    older = await startPostgres({ major: 15 });
    await createHardDatabase(older);
    const [before, after] = [await factsOf(older, 'hard'), await factsOf(server, 'hard')];
    const across = compareFacts(before, after, { sameMajor: false, scope: 'full' });
    expect(across.filter(({ status }) => status !== 'pass')).toEqual([]);
    expect(compareFacts(before, after, { sameMajor: true, scope: 'full' })).toContainEqual(
      expect.objectContaining({ rule: 'facts-schema', status: 'fail' }),
    );
  });

  it('notices a column that is not as it was', async () => {
    const facts = await factsOf(server, 'hard');
    await server.psql('ALTER TABLE app.orders ALTER COLUMN code SET NOT NULL', 'hard');
    const [finding] = compareFacts(facts, await factsOf(server, 'hard'), { sameMajor: true, scope: 'full' }).filter(
      ({ status }) => status !== 'pass',
    );
    expect(finding).toMatchObject({ rule: 'facts-schema', message: expect.stringContaining('column app.orders.code') });
  });
});
