import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareFacts } from '../../../src/core/compare-facts.ts';
import type { Facts } from '../../../src/core/facts.ts';
import type { Tampering } from '../../../src/core/self-test-trial.ts';
import { readFacts } from '../../../src/engines/postgresql/facts.ts';
import type { Session } from '../../../src/engines/postgresql/session.ts';
import { listRelations } from '../../../src/engines/postgresql/tables.ts';
import { tamperWith } from '../../../src/engines/postgresql/tamper.ts';
import { availableMajors, startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { createHardDatabase } from './hard-database.ts';
import { factsIn, openTestSession } from './reading-facts.ts';

const SAME = { sameMajor: true, scope: 'full' } as const;

/** Every kind of damage to a database, as a drill does them to a restored one. */
async function tamperAll(session: Session, known: Facts): Promise<Tampering[]> {
  const tables = (await listRelations(session)).filter(({ kind }) => kind === 'r');
  const all: Tampering[] = [];
  const counted = { level: known.level, scope: 'full', unloggedRows: true } as const;
  const there = new Set(known.tables.map(({ name }) => name));
  const named = async () => (await listRelations(session)).filter(({ kind, name }) => kind === 'r' && there.has(name));
  for await (const one of tamperWith({ session, known, expected: known, tables }, async (reread) =>
    readFacts(session, { ...counted, tables: await named(), known: { facts: known, reread } }),
  )) {
    all.push(one);
  }
  return all;
}

const notDone = (all: readonly Tampering[]) => all.filter((one) => 'notDone' in one);

describe.each(availableMajors())('a database that has everything, on PostgreSQL %i', (major) => {
  let server: TestPostgres;
  let session: Session;
  beforeAll(async () => {
    server = await startPostgres({ major });
    await createHardDatabase(server);
    session = await openTestSession(server, 'hard');
  });
  afterAll(async () => {
    await session?.close();
    await server?.stop();
  });

  it('takes every kind of damage, shows it in its facts, and is what it was afterwards', async () => {
    const known = await factsIn(session);
    const all = await tamperAll(session, known);
    expect(notDone(all)).toEqual([]);
    expect(all).toHaveLength(13);
    for (const one of all) {
      if (!('found' in one)) continue;
      const failed = compareFacts(known, one.found, SAME).filter(({ status }) => status === 'fail');
      expect({ damage: one.damage, rules: failed.map(({ rule }) => rule) }).toEqual({
        damage: one.damage,
        rules: expect.arrayContaining(one.expect.map(({ rule }) => rule)),
      });
    }
    expect(await factsIn(session)).toEqual(known);
  });
});

describe('a database that resists', () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());

  async function tamperDatabase(name: string, sql: string) {
    await server.psql(`CREATE DATABASE ${name}`);
    await server.psql(sql, name);
    const session = await openTestSession(server, name);
    try {
      const known = await factsIn(session);
      const all = await tamperAll(session, known);
      expect(await factsIn(session)).toEqual(known);
      return { known, of: (damage: string) => all.find((one) => one.damage.startsWith(damage)) };
    } finally {
      await session.close();
    }
  }

  it('does a damage that triggers, rules and read-only sessions would prevent', async () => {
    const { of } = await tamperDatabase(
      'guarded',
      `CREATE TABLE kept (id int, v text);
      INSERT INTO kept VALUES (1, 'a'), (2, 'b');
      CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER no BEFORE DELETE OR UPDATE ON kept FOR EACH ROW EXECUTE FUNCTION no();
      CREATE RULE never AS ON DELETE TO kept DO INSTEAD NOTHING;
      ALTER DATABASE guarded SET default_transaction_read_only = on`,
    );
    for (const damage of ['a deleted row', 'a changed value', 'values swapped']) {
      expect(of(damage)).toMatchObject({ expect: [{ names: expect.stringContaining('table public.kept') }] });
    }
  });

  it('says that a row which no statement changes is not covered, and never takes it for done', async () => {
    const { of } = await tamperDatabase(
      'stubborn',
      `CREATE TABLE kept (id int NOT NULL CHECK (id = 1));
      INSERT INTO kept VALUES (1);
      CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER no BEFORE DELETE ON kept FOR EACH ROW EXECUTE FUNCTION no();
      ALTER TABLE kept ENABLE ALWAYS TRIGGER no`,
    );
    expect(of('a deleted row')).toMatchObject({ notDone: 'none-there', why: expect.stringContaining('takes it') });
    expect(of('a changed value')).toMatchObject({ notDone: 'none-there' });
    expect(of('values swapped')).toMatchObject({ notDone: 'none-there', why: expect.stringContaining('no table') });
  });

  it('sets a sequence back that stands at its lowest value', async () => {
    const { of } = await tamperDatabase('counting', `CREATE SEQUENCE first; SELECT nextval('first')`);
    expect(of('a sequence set back')).toMatchObject({ target: 'public.first' });
    const { of: never } = await tamperDatabase('waiting', 'CREATE SEQUENCE first');
    expect(never('a sequence set back')).toMatchObject({ notDone: 'none-there' });
  });
});
