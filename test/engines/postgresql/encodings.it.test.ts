import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { compareFacts } from '../../../src/core/compare-facts.ts';
import { withScratch } from '../../../src/engines/postgresql/scratch.ts';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { scratchRequest, silent, type TakenBackup, takeBackup } from './backup-fixture.ts';
import { runClient } from './reading-facts.ts';

const base = join('/var/tmp', `lbe-${process.pid}`);
let server: TestPostgres;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(async () => {
  await server?.stop();
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

async function createDatabase(name: string, encoding: string, sql: string): Promise<void> {
  await server.psql(`CREATE DATABASE ${name} ENCODING '${encoding}' LOCALE 'C' TEMPLATE template0`);
  const script = Buffer.from(`SET client_encoding = '${encoding}'; ${sql}`, 'latin1');
  await runClient(server, 'psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', '-', '-d', server.urlOf(name)], script);
}

/** What differs after a restore, and the bytes of a column of it. */
async function restored(backup: TakenBackup, sql: string) {
  return withScratch(scratchRequest(backup, base), { env: process.env, log: silent }, async (scratch) => {
    const findings = await scratch.restore(backup.open);
    const facts = await scratch.readFacts('fingerprints');
    const asked = await scratch.assert('bytes', sql);
    if (backup.facts === undefined) throw new Error('There are no facts.');
    const compared = compareFacts(backup.facts, facts, { sameMajor: true, scope: 'full' });
    return [...findings, ...compared, asked].filter(({ status }) => status !== 'pass');
  });
}

/** Encoding that the archive says it is in: `SET client_encoding = …` is its first entry. */
function encodingOf(backup: TakenBackup): string | undefined {
  const archive = zstdDecompressSync(backup.stored.get('database.dump.zst') ?? Buffer.alloc(0)).toString('latin1');
  return /SET client_encoding = '(\w+)'/.exec(archive)?.[1];
}

// Names, definitions, comments and values of which none is UTF-8: 0xe4 is `ä` in LATIN1.
const RAW = `
  CREATE TABLE "l\xe4den" ("gr\xf6sse" text DEFAULT 'na\xefve');
  INSERT INTO "l\xe4den" VALUES ('\xe4'), ('\xff\xfe'), ('plain');
  COMMENT ON TABLE "l\xe4den" IS 'f\xfcr';
  CREATE TYPE laune AS ENUM ('fr\xf6hlich', 'm\xfcde');
  CREATE VIEW sicht AS SELECT * FROM "l\xe4den" WHERE "gr\xf6sse" <> '\xdf';
  CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT '\xe9'::text $$;
  CREATE TABLE kinder (id int PRIMARY KEY, elter int CONSTRAINT "schl\xfcssel" REFERENCES kinder);`;

describe('a database of SQL_ASCII with bytes that are no UTF-8', () => {
  it('is backed up and restored byte by byte', async () => {
    await createDatabase('raw', 'SQL_ASCII', RAW);
    const backup = await takeBackup(server, 'raw');
    expect(encodingOf(backup)).toBe('SQL_ASCII');
    expect(backup.facts?.tables).toContainEqual(
      expect.objectContaining({ name: 'public."l\udce4den"', rows: 3, fingerprint: expect.stringMatching(/^v1:3:/) }),
    );
    const sql = `SELECT count(*) = 1 FROM pg_class WHERE convert_to(relname::text, 'SQL_ASCII') = '\\x6ce464656e'`;
    expect(await restored(backup, sql)).toEqual([]);
  }, 60_000);

  it('differs when one such byte of a definition differs', async () => {
    await createDatabase('other', 'SQL_ASCII', RAW.replace("'f\xfcr'", "'f\xf6r'").replace("'na\xefve'", "'na\xebve'"));
    await createDatabase('again', 'SQL_ASCII', RAW);
    const [here, other] = [await takeBackup(server, 'again'), await takeBackup(server, 'other')];
    expect(here.facts?.tables).toEqual(other.facts?.tables);
    expect(here.facts?.schema).not.toEqual(other.facts?.schema);
  }, 60_000);

  it('cannot be told to pg_dump by its names', async () => {
    await createDatabase('named', 'SQL_ASCII', RAW);
    await expect(takeBackup(server, 'named', { jobs: 2 })).rejects.toMatchObject({
      code: 'source-refused',
      message: expect.stringMatching(/name of the table .* is not UTF-8/),
    });
  }, 60_000);
});

it('of UTF-8 in SQL_ASCII, the names are what they are', async () => {
  await createDatabase('wellformed', 'SQL_ASCII', Buffer.from('CREATE TABLE "läden" (v text)').toString('latin1'));
  const backup = await takeBackup(server, 'wellformed', { jobs: 2 });
  expect(backup.facts?.tables.map(({ name }) => name)).toEqual(['public."läden"']);
  expect(await restored(backup, `SELECT to_regclass('"läden"') IS NOT NULL`)).toEqual([]);
}, 60_000);

describe('a database of LATIN1', () => {
  it('is dumped as it is', async () => {
    await createDatabase(
      'latin',
      'LATIN1',
      `CREATE TABLE t (v text DEFAULT '\xfc'); INSERT INTO t VALUES ('\xe4\xff')`,
    );
    const backup = await takeBackup(server, 'latin');
    expect(encodingOf(backup)).toBe('LATIN1');
    expect(await restored(backup, `SELECT convert_to(v, 'LATIN1') = '\\xe4ff' FROM t`)).toEqual([]);
  }, 60_000);

  it('is dumped in UTF8 where names are more than ASCII, of which single ones are still found', async () => {
    await createDatabase('umlauts', 'LATIN1', RAW.replaceAll("'\xff\xfe'", "'\xff'"));
    const backup = await takeBackup(server, 'umlauts', { excludeTableData: ['läden'] });
    expect(encodingOf(backup)).toBe('UTF8');
    expect(backup.facts?.tables.map(({ name }) => name)).toEqual(['public.kinder']);
    expect(await restored(backup, `SELECT count(*) = 0 FROM "läden"`)).toEqual([]);
  }, 60_000);
});
