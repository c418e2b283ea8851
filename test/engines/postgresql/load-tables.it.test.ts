import { existsSync, readdirSync, rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { type TakenBackup, takeBackup } from './backup-fixture.ts';
import { load, ODD_TABLE, SHOP } from './load-fixture.ts';

let server: TestPostgres;
let backup: TakenBackup;
const base = `/var/tmp/lbt-${process.pid}`;

beforeAll(async () => {
  server = await startPostgres();
  await server.psql('CREATE ROLE shop LOGIN; CREATE DATABASE shop OWNER shop; CREATE ROLE reader LOGIN;');
  await server.psql(SHOP, 'shop');
  backup = await takeBackup(server, 'shop');
});
beforeEach(async () => {
  await server.psql('CREATE DATABASE live TEMPLATE shop');
});
afterEach(async () => {
  await server.psql('DROP DATABASE IF EXISTS live WITH (FORCE); DROP DATABASE IF EXISTS bare WITH (FORCE)');
  expect(existsSync(base) ? readdirSync(base) : []).toEqual([]);
});
afterAll(async () => {
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});

const ask = async (sql: string, database = 'live') => (await server.psql(sql, database)).trim();
const differences = (sql: readonly { differences: string }[]) => ask(sql.map((one) => one.differences).join('\n'));
const merge = (sql: readonly { merge: string }[]) => ask(sql.map((one) => one.merge).join('\n'));
/** As a person does who takes the marks off the statements of a merge. */
const uncommented = (text: string) => text.replace(/^-- (UPDATE|SET|FROM|WHERE)/gm, '$1');

describe('tables beside the live ones', () => {
  it('come whole with keys, checks, indexes and sequences, and leave the live ones alone', async () => {
    await server.psql('DELETE FROM orders WHERE id > 100; DROP TRIGGER noted ON orders', 'live');
    const loaded = await load(server, backup, 'live', { tables: ['orders', 'public.customers'] });
    expect(
      loaded.tables.map(({ from, into, expected, arrived }) => [from, into, expected?.rows, arrived.rows]),
    ).toEqual([
      ['public.orders', '"restored".orders', 500, 500],
      ['public.customers', '"restored".customers', 50, 50],
    ]);
    expect(loaded.tables.map(({ expected, arrived }) => expected?.fingerprint === arrived.fingerprint)).toEqual([
      true,
      true,
    ]);
    expect(await ask('SELECT count(*) FROM orders')).toBe('100');
    expect(
      await ask(`SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint
      WHERE connamespace = 'restored'::regnamespace AND contype <> 'n'`),
    ).toBe('customers_lower_name_key customers_name_check customers_pkey orders_customer_fkey orders_pkey');
    expect(
      await ask(
        `SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'restored.orders'::regclass AND contype = 'f'`,
      ),
    ).toContain('REFERENCES restored.customers(id)');
    expect(await ask(`SELECT last_value FROM restored.orders_id_seq`)).toBe('500');
    expect(await ask(`SELECT count(*) FROM pg_indexes WHERE schemaname = 'restored'`)).toBe('4');
    expect(
      await ask(`SELECT count(*) FROM pg_trigger WHERE tgrelid = 'restored.orders'::regclass AND NOT tgisinternal`),
    ).toBe('0');
    expect(
      await ask(
        `SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'restored.customers'::regclass AND attname = 'mood'`,
      ),
    ).toBe('mood');
    expect(loaded.scratch.notIsolated).toEqual([]);
  });

  it('name the foreign keys into tables that did not come', async () => {
    const { leftOut } = await load(server, backup, 'live', { tables: ['orders'] });
    expect(leftOut).toContain('foreign key public.orders orders_customer_fkey (into public.customers)');
    expect(leftOut.join()).not.toContain('events');
  });

  it('may have names that hold anything', async () => {
    const loaded = await load(server, backup, 'live', { tables: [ODD_TABLE, 'order'], intoSchema: 'a "b";\n-- ü' });
    expect(loaded.tables.map(({ arrived }) => arrived.rows)).toEqual([9, 2]);
    await server.psql(
      `DELETE FROM ${ODD_TABLE} WHERE "c""ol\n'; --" < 4; UPDATE ${ODD_TABLE} SET "🐘\r DROP" = 'other' WHERE "c""ol\n'; --" = 5`,
      'live',
    );
    expect(loaded.sql.map((one) => one.differences).join()).not.toContain('no primary key');
    expect(await differences(loaded.sql)).toContain('other');
    await merge(loaded.sql);
    expect(await ask(`SELECT count(*) FROM ${ODD_TABLE}`)).toBe('9');
    expect(await ask(`SELECT count(*) FROM ${ODD_TABLE} WHERE "🐘\r DROP" = 'other'`)).toBe('1');
    expect(await ask(`SELECT count(*) FROM "order"`)).toBe('2');
  });

  it('come as a partitioned table, or one partition as a table of its own', async () => {
    const whole = await load(server, backup, 'live', { tables: ['events'] });
    expect(whole.tables.map(({ from }) => from)).toEqual(['public.events_2025', 'public.events_2026']);
    expect(await ask('SELECT count(*) FROM restored.events')).toBe('21');
    expect(await ask(`SELECT count(*) FROM pg_inherits WHERE inhparent = 'restored.events'::regclass`)).toBe('2');
    expect(whole.sql.map(({ table }) => table)).toEqual(['public.events']);
    await server.psql(
      `DELETE FROM events WHERE at < '2026-02-01'; UPDATE pg_catalog.pg_class SET reltuples = 0 WHERE false`,
      'live',
    );
    await merge(whole.sql);
    expect(await ask('SELECT count(*) FROM events')).toBe('21');
    const one = await load(server, backup, 'live', { tables: ['events_2025'], intoSchema: 'single' });
    expect(await ask(`SELECT relispartition, relkind FROM pg_class WHERE oid = 'single.events_2025'::regclass`)).toBe(
      'f|r',
    );
    expect(one.leftOut.join()).toContain('public.events_2025 is a table of its own there, without public.events');
  });

  it('leave the code of the backup in the scratch server', async () => {
    await server.psql('CREATE DATABASE hostile');
    await server.psql(
      `CREATE FUNCTION evil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'ran'; END $$;
      CREATE FUNCTION worse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'ran'; END $$;
      CREATE FUNCTION seen(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
      CREATE TABLE t (id int PRIMARY KEY CHECK (seen(id)), other int); INSERT INTO t VALUES (1, 1);
      CREATE TRIGGER evil BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION evil();
      CREATE RULE evil AS ON UPDATE TO t DO INSTEAD NOTHING; CREATE POLICY evil ON t USING (false);
      ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t ENABLE ALWAYS TRIGGER evil;
      CREATE EVENT TRIGGER worse ON ddl_command_end EXECUTE FUNCTION worse();`,
      'hostile',
    );
    const hostile = await takeBackup(server, 'hostile');
    await expect(load(server, hostile, 'live', { tables: ['t'] })).rejects.toThrow('function public.seen(integer)');
    await server.psql(`CREATE FUNCTION seen(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0'`, 'live');
    const functions = `SELECT count(*), md5(string_agg(prosrc, '' ORDER BY oid)) FROM pg_proc`;
    const before = await ask(functions);
    await load(server, hostile, 'live', { tables: ['t'] });
    expect(await ask(functions)).toBe(before);
    expect(
      await ask(`SELECT (SELECT count(*) FROM pg_trigger WHERE tgrelid = c.oid), relhasrules, relrowsecurity,
        (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid) FROM pg_class c WHERE oid = 'restored.t'::regclass`),
    ).toBe('0|f|f|0');
    await server.psql('DROP DATABASE hostile');
  });

  it('belong to the role that is named', async () => {
    await expect(load(server, backup, 'live', { tables: ['order'], role: 'shop' })).rejects.toThrow(
      'shop may not create anything in live',
    );
    await expect(load(server, backup, 'live', { tables: ['order'], role: 'nobody' })).rejects.toThrow(
      '`role` cannot be nobody: there is no such role',
    );
    await server.psql('GRANT CREATE ON DATABASE live TO shop');
    await load(server, backup, 'live', { tables: ['order'], role: 'shop' });
    const owners = `SELECT DISTINCT tableowner, pg_get_userbyid(nspowner) FROM pg_tables, pg_namespace
      WHERE schemaname = 'restored' AND nspname = 'restored'`;
    expect(await ask(owners)).toBe('shop|shop');
  });

  it('are said to leave large objects behind, and to reach subscribers', async () => {
    await server.psql('CREATE DATABASE files');
    await server.psql(
      `CREATE TABLE files (id int PRIMARY KEY, content oid); INSERT INTO files VALUES (1, lo_from_bytea(0, 'x'));
      CREATE TABLE plain (id int)`,
      'files',
    );
    const files = await takeBackup(server, 'files');
    await server.psql('CREATE PUBLICATION everything FOR ALL TABLES', 'live');
    const { warnings } = await load(server, files, 'live', { tables: ['files', 'plain'] });
    expect(warnings).toEqual([
      'Large objects do not come along with single tables; these columns may name some: public.files.content.',
      'What was written goes to the subscribers of everything too.',
    ]);
    expect((await load(server, files, 'live', { tables: ['plain'], intoSchema: 'p' })).warnings).toHaveLength(1);
    await server.psql('DROP DATABASE files');
  });

  it('come without a parent that they inherit from, and with one that comes too', async () => {
    await server.psql('CREATE DATABASE heirs');
    await server.psql(
      `CREATE TABLE mother (id int PRIMARY KEY, a text); CREATE TABLE child (b text) INHERITS (mother);
      INSERT INTO mother VALUES (1, 'm'); INSERT INTO child VALUES (2, 'c', 'd')`,
      'heirs',
    );
    const heirs = await takeBackup(server, 'heirs');
    const alone = await load(server, heirs, 'live', { tables: ['child'], intoSchema: 'alone' });
    expect(alone.leftOut).toContain('public.child is a table of its own there, without public.mother');
    expect(await ask('SELECT id, a, b FROM alone.child')).toBe('2|c|d');
    const both = await load(server, heirs, 'live', { tables: ['mother', 'child'], intoSchema: 'both' });
    expect(both.tables.map(({ arrived }) => arrived.rows)).toEqual([1, 1]);
    expect(await ask('SELECT count(*) FROM "both".mother')).toBe('2');
    await server.psql('DROP DATABASE heirs');
  });

  it('come from a backup in parallel streams and one of some tables', async () => {
    const parallel = await takeBackup(server, 'shop', { jobs: 2 });
    const loaded = await load(server, parallel, 'live', { tables: ['orders', 'events'] });
    expect(loaded.tables.map(({ arrived }) => arrived.rows)).toEqual([500, 8, 13]);
    const partial = await takeBackup(server, 'shop', { scope: 'tables', tables: ['customers'] });
    await load(server, partial, 'live', { tables: ['customers'], intoSchema: 'part' });
    expect(await ask('SELECT count(*) FROM part.customers')).toBe('50');
    await expect(load(server, partial, 'live', { tables: ['orders'], intoSchema: 'no' })).rejects.toThrow(
      'the backup holds no rows of public.orders',
    );
  });

  it('come without facts too, then compared with what the scratch server held', async () => {
    const without = await takeBackup(server, 'shop', { facts: 'none', excludeTableData: ['log'] });
    const loaded = await load(server, without, 'live', { tables: ['orders'] });
    expect(loaded.tables[0]?.expected?.rows).toBe(500);
    await expect(load(server, without, 'live', { tables: ['log'], intoSchema: 'no' })).rejects.toThrow(
      'holds no rows of public.log',
    );
  });
});

describe('nothing is written when', () => {
  const refused = async (given: Parameters<typeof load>[3], message: string | RegExp, database = 'live') => {
    const before = await ask('SELECT count(*) FROM pg_namespace', database);
    await expect(load(server, backup, database, given)).rejects.toThrow(message);
    expect(await ask('SELECT count(*) FROM pg_namespace', database)).toBe(before);
  };

  it('the schema holds something', async () => {
    await server.psql('CREATE SCHEMA restored; CREATE FUNCTION restored.f() RETURNS int LANGUAGE sql RETURN 1', 'live');
    await refused({ tables: ['orders'] }, 'The schema restored of live is there and is not empty.');
    await server.psql('DROP FUNCTION restored.f()', 'live');
    await load(server, backup, 'live', { tables: ['orders'] });
    expect(await ask('SELECT count(*) FROM restored.orders')).toBe('500');
  });

  it('the user may not create it', async () => {
    await refused({ tables: ['orders'], user: 'reader' }, 'may not create anything in live');
  });

  it('a type or a function is missing', async () => {
    await server.psql('CREATE DATABASE bare');
    await refused(
      { tables: ['customers'] },
      /what bare does not have: function public\.is_name\([^)]*\); type public\.mood\./,
      'bare',
    );
    await server.psql(
      `CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE FUNCTION is_name(text) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN true`,
      'bare',
    );
    const { sql } = await load(server, backup, 'bare', { tables: ['customers'] });
    expect(sql[0]?.merge).toContain('is not there live');
    await ask(uncommented(sql[0]?.merge.replace(/^-- (CREATE|ALTER)/gm, '$1') ?? ''), 'bare');
    expect(await ask('SELECT count(*) FROM public.customers', 'bare')).toBe('50');
  });

  it('the target cannot take the rows, which is one transaction', async () => {
    await server.psql(`DROP TABLE orders, customers CASCADE; DROP TYPE mood; CREATE TYPE mood AS ENUM ('sad')`, 'live');
    await refused({ tables: ['order', 'customers'] }, /Nothing was written into .*invalid input value for enum/s);
  });

  it('a name matches nothing, is a view, or two would have one name', async () => {
    await refused({ tables: ['ORDERS'] }, 'holds no table named "ORDERS". Did you mean "public.orders"?');
    await refused({ tables: ['oders'] }, 'Did you mean "orders"?');
    await refused({ tables: ['glad'] }, 'public.glad is a view');
    await refused({ tables: ['orders'], intoSchema: 'public' }, /not empty|holds a schema named public itself/);
  });

  it('the rows are not those of the snapshot', async () => {
    const facts = structuredClone(backup.facts);
    const orders = facts?.tables.find(({ name }) => name === 'public.orders');
    if (orders !== undefined) Object.assign(orders, { rows: 499 });
    await refused({ tables: ['orders'], facts }, 'public.orders: expected 499 rows, found 500');
  });

  it('it is cancelled', async () => {
    const abort = new AbortController();
    const onStep = (step: string) => step === 'writing into the target' && abort.abort(new Error('cancelled'));
    await refused({ tables: ['orders'], signal: abort.signal, onStep }, 'cancelled');
  });
});

describe('the SQL that is printed', () => {
  it('shows and heals rows deleted, added and changed, by key', async () => {
    await server.psql(
      `ALTER TABLE orders DISABLE TRIGGER noted; DELETE FROM orders WHERE id <= 10;
      UPDATE orders SET total = total + 1, details = '{}' WHERE id = 20; INSERT INTO orders (id, customer) VALUES (900, 1);
      DELETE FROM orders WHERE customer = 50; DELETE FROM customers WHERE id = 50; SELECT setval('orders_id_seq', 3);
      DROP VIEW glad; ALTER TABLE customers ADD COLUMN note text, DROP COLUMN lower_name`,
      'live',
    );
    const { sql } = await load(server, backup, 'live', { tables: ['orders', 'customers'] });
    expect(sql.map(({ table }) => table)).toEqual(['public.customers', 'public.orders']);
    const [customers, orders] = sql;
    expect(customers?.merge).toContain('OVERRIDING SYSTEM VALUE');
    expect((await differences(orders === undefined ? [] : [orders])).split('\n')).toHaveLength(20 + 1 + 1);
    await merge(sql);
    expect(await ask('SELECT count(*), count(*) FILTER (WHERE id = 900), max(total) FROM orders WHERE id <> 20')).toBe(
      '500|1|166.67',
    );
    expect(await ask(`SELECT total, details FROM orders WHERE id = 20`)).toBe('7.67|{}');
    expect(await ask(`SELECT last_value FROM orders_id_seq`)).toBe('900');
    expect(await ask(`SELECT name, note FROM customers WHERE id = 50`)).toBe('Customer 50|');
    await ask(uncommented(orders?.merge ?? ''));
    expect(await ask(`SELECT total, details FROM orders WHERE id = 20`)).toBe('6.67|{"n" : 20}');
    expect((await differences(sql)).split('\n')).toHaveLength(1);
  });

  it('compares whole rows where there is no key, and counts equal ones', async () => {
    await server.psql(
      `DELETE FROM log WHERE ctid IN (SELECT ctid FROM log WHERE what IN ('row 3', 'row 4') LIMIT 3);
      INSERT INTO log VALUES (NULL, '', NULL), ('2026-01-01', 'row 5', '{"a": 1}')`,
      'live',
    );
    const { sql } = await load(server, backup, 'live', { tables: ['log'] });
    expect((await differences(sql)).split('\n')).toHaveLength(5);
    await merge(sql);
    expect((await differences(sql)).split('\n')).toHaveLength(2);
    expect(await ask('SELECT count(*) FROM log')).toBe('42');
    await merge(sql);
    expect(await ask('SELECT count(*) FROM log')).toBe('42');
  });
});

describe('rows into tables that are there', () => {
  const rows = (given: Parameters<typeof load>[3] = {}) =>
    load(server, backup, 'live', { intoSchema: undefined, ...given });
  const emptied = `TRUNCATE customers, orders, log, audit, events, ${ODD_TABLE}, "order" RESTART IDENTITY`;

  it('fill all of them, with sequences, and without triggers running', async () => {
    await server.psql(emptied, 'live');
    const loaded = await rows();
    expect(loaded.tables.every(({ expected, arrived }) => expected?.fingerprint === arrived.fingerprint)).toBe(true);
    expect(loaded.tables).toHaveLength(backup.facts?.tables.length ?? 0);
    expect(await ask('SELECT count(*) FROM audit')).toBe(await ask('SELECT count(*) FROM audit', 'shop'));
    expect(await ask(`SELECT nextval('orders_id_seq'), nextval(pg_get_serial_sequence('customers', 'id'))`)).toBe(
      '501|51',
    );
  });

  it('fill only those named, and say which rows then lead nowhere', async () => {
    await server.psql(
      'TRUNCATE orders; ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey; DELETE FROM customers WHERE id = 7; ALTER TABLE orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers',
      'live',
    );
    const { warnings } = await rows({ tables: ['orders'] });
    expect(warnings).toEqual([
      '10 rows of public.orders lead, by the foreign key orders_customer_fkey, to rows that are not there.',
    ]);
  });

  it('set a sequence that other tables use forward only', async () => {
    await server.psql(
      `TRUNCATE orders; CREATE TABLE old_orders (id bigint DEFAULT nextval('orders_id_seq')); SELECT setval('orders_id_seq', 7000)`,
      'live',
    );
    const { warnings } = await rows({ tables: ['orders'] });
    expect(warnings).toEqual([
      'Other tables take numbers from public.orders_id_seq too: it was set forward, not back.',
    ]);
    expect(await ask(`SELECT last_value FROM orders_id_seq`)).toBe('7000');
    await server.psql(`TRUNCATE orders; SELECT setval('orders_id_seq', 70)`, 'live');
    await rows({ tables: ['orders'] });
    expect(await ask(`SELECT last_value FROM orders_id_seq`)).toBe('500');
  });

  it('are refused where tables hold rows, are missing or are other ones, all named', async () => {
    await server.psql(
      `${emptied}; INSERT INTO log VALUES (now(), 'new', NULL); DROP TABLE "order";
      ALTER TABLE orders ALTER total TYPE text, DROP COLUMN details; ALTER TABLE customers ADD COLUMN must text NOT NULL`,
      'live',
    );
    await expect(rows()).rejects.toThrow(
      'Rows cannot be put into the tables of live: public.customers demands a value for must; public."order" is missing; public.orders has no column details and has total as text, not public.money_amount; public.log holds rows.',
    );
    expect(await ask('SELECT count(*) FROM events')).toBe('0');
  });

  it('are refused where triggers would run and may not be put to rest', async () => {
    await server.psql(
      `${emptied}; GRANT ALL ON ALL TABLES IN SCHEMA public TO reader; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO reader`,
      'live',
    );
    await expect(rows({ user: 'reader', tables: ['orders'] })).rejects.toThrow('noted on public.orders');
    const { tables } = await rows({ user: 'reader', tables: ['events', 'log'] });
    expect(tables.map(({ arrived }) => arrived.rows)).toEqual([8, 13, 40]);
  });

  it('are all gone when one of them is refused', async () => {
    await server.psql(`${emptied}; ALTER TABLE orders ADD CHECK (id < 400)`, 'live');
    await expect(rows()).rejects.toThrow(/Nothing was written into .*violates check constraint/s);
    expect(await ask('SELECT count(*) FROM customers')).toBe('0');
  });
});
