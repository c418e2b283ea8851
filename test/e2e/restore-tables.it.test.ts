import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { SHOP } from '../engines/postgresql/load-fixture.ts';
import { lifeboat } from '../hostile/lifeboat.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { runAction } from './runner.ts';

let server: TestPostgres;
const folder = mkdtempSync('/var/tmp/lbrt-');
const store = `file://${join(folder, 'store')}`;
const url = join(folder, 'target-url');
const scratch = join(folder, 'scratch');

beforeAll(async () => {
  server = await startPostgres();
  await server.psql('CREATE DATABASE shop');
  await server.psql(SHOP, 'shop');
  const env = { LIFEBOAT_DATABASE_URL: server.urlOf('shop') };
  const { code, stdout } = await lifeboat(['backup', '--source', 'shop', '--store', store, '--facts', 'fingerprints'], {
    env,
  });
  expect(code, stdout).toBe(0);
  writeFileSync(url, server.urlOf('live'), { mode: 0o600 });
  chmodSync(folder, 0o755);
});
beforeEach(async () => {
  await server.psql('DROP DATABASE IF EXISTS live WITH (FORCE)');
  await server.psql('CREATE DATABASE live TEMPLATE shop');
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const ask = async (sql: string) => (await server.psql(sql, 'live')).trim();

async function restore(...args: string[]) {
  const common = ['--source', 'shop', '--store', store, '--target-url-file', url, '--scratch-dir', scratch];
  const outcome = await lifeboat(['restore', ...common, ...args]);
  expect(existsSync(scratch) ? readdirSync(scratch) : []).toEqual([]);
  return { ...outcome, all: outcome.stdout + outcome.stderr };
}

interface Printed {
  readonly title: string;
  readonly tables: { title: string; rows: string[][] }[];
}

/** The lines of a table of SQL, as a person copies them. */
function sqlOf(stdout: string, title: string): string {
  const { tables } = JSON.parse(stdout) as Printed;
  return (tables.find((table) => table.title === title)?.rows ?? []).map(([line]) => line).join('\n');
}

const records = () => {
  const at = join(folder, 'store/shop/restores');
  return (existsSync(at) ? readdirSync(at) : []).map((name) => JSON.parse(readFileSync(join(at, name), 'utf8')));
};

it('puts tables beside the live ones, and prints the SQL that merges them', async () => {
  await server.psql('ALTER TABLE orders DISABLE TRIGGER noted; DELETE FROM orders WHERE id > 450', 'live');
  await server.psql('DELETE FROM "order"; UPDATE customers SET mood = \'sad\' WHERE id = 3', 'live');
  const args = ['--tables', 'orders', '--tables', 'customers', '--tables', '*ble*', '--tables', 'order'];
  const { code, stdout, stderr } = await restore(...args, '--into-schema', 'back', '--confirm', 'live');
  expect(code, stdout + stderr).toBe(0);
  expect((JSON.parse(stdout) as Printed).title).toBe(
    'Restore of shop: 4 tables with 561 rows are in the schema back of live',
  );
  expect(stderr).toContain('SQL that merges');
  expect(await ask(sqlOf(stdout, 'SQL that shows the differences'))).toContain('Customer 3');
  expect(await ask('SELECT count(*) FROM orders')).toBe('450');
  await ask(sqlOf(stdout, 'SQL that merges').replace('-- Look at what it says, then: COMMIT;', 'COMMIT;'));
  expect(await ask('SELECT count(*) FROM orders')).toBe('500');
  expect(await ask('SELECT count(*) FROM "order"')).toBe('2');
  expect(await ask('SELECT mood FROM customers WHERE id = 3')).toBe('sad');
  expect(records().at(-1)).toMatchObject({ way: 'tables', verdict: 'warn', database: 'live', failedAt: null });
  await ask(sqlOf(stdout, 'When it is no longer needed'));
  expect(await ask(`SELECT count(*) FROM pg_namespace WHERE nspname = 'back'`)).toBe('0');
});

it('puts rows into tables that are there, and into none that hold some', async () => {
  const held = await restore('--data-only', 'true', '--confirm', 'live');
  expect(held.code, held.all).toBe(1);
  expect(held.findings).toContainEqual(
    expect.objectContaining({
      rule: 'restore-completed',
      status: 'fail',
      message: expect.stringContaining('public.orders holds rows'),
    }),
  );
  expect(records().find(({ verdict }) => verdict === 'fail')).toMatchObject({ way: 'rows', database: null });
  await server.psql('TRUNCATE orders, log', 'live');
  const some = await restore('--data-only', 'true', '--tables', 'orders', '--tables', 'log', '--confirm', 'live');
  expect(some.code, some.all).toBe(0);
  expect(
    await ask('SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM log), (SELECT count(*) FROM audit)'),
  ).toBe('500|40|500');
});

it('shows a plan, and changes nothing', async () => {
  const args = ['--tables', 'orders', '--into-schema', 'back', '--dry-run', 'true'];
  const { code, stdout } = await restore(...args);
  expect(code).toBe(0);
  expect((JSON.parse(stdout) as Printed).title).toBe('Plan to restore tables of shop into live');
  expect(stdout).toContain('Writes the schema back into live, in one transaction');
  expect(await ask(`SELECT count(*) FROM pg_namespace WHERE nspname = 'back'`)).toBe('0');
});

it.each([
  {
    name: 'without confirm',
    args: ['--tables', 'orders', '--into-schema', 'back'],
    code: 1,
    says: 'and `confirm` does not name it',
  },
  {
    name: 'with another confirm',
    args: ['--tables', 'orders', '--into-schema', 'back', '--confirm', 'shop'],
    code: 1,
    says: '`confirm` is \\"shop\\", and the target is live',
  },
  {
    name: 'with a name that is not there',
    args: ['--tables', 'ordrs', '--into-schema', 'back', '--confirm', 'live'],
    code: 2,
    says: 'Did you mean \\"orders\\"?',
  },
  {
    name: 'into a schema of the backup',
    args: ['--tables', 'orders', '--into-schema', 'public', '--confirm', 'live'],
    code: 2,
    says: 'the backup holds a schema of that name itself',
  },
  {
    name: 'into a schema of the server',
    args: ['--tables', 'orders', '--into-schema', 'pg_toast', '--confirm', 'live'],
    code: 2,
    says: 'that name is reserved',
  },
  {
    name: 'without a schema',
    args: ['--tables', 'orders', '--confirm', 'live'],
    code: 2,
    says: '`into-schema` does not say where',
  },
  {
    name: 'with a swap',
    args: ['--tables', 'orders', '--into-schema', 'back', '--swap', 'true', '--confirm', 'live'],
    code: 2,
    says: '`swap` and `tables` exclude each other',
  },
])('refuses $name, and touches nothing', async ({ args, code, says }) => {
  const before = records().length;
  const outcome = await restore(...args);
  expect(outcome.code, outcome.all).toBe(code);
  expect(outcome.all).toContain(says);
  expect(await ask(`SELECT count(*) FROM pg_namespace WHERE nspname IN ('back')`)).toBe('0');
  expect(records()).toHaveLength(before);
});

it('names no table of an encrypted backup in the record that lies in the store', async () => {
  const identity = await generateIdentity();
  const secret = join(folder, 'identity');
  writeFileSync(secret, `${identity}\n`, { mode: 0o600 });
  const sealed = ['--source', 'sealed', '--store', store];
  const recipients = ['--age-recipients', await identityToRecipient(identity)];
  const made = await lifeboat(['backup', ...sealed, ...recipients], {
    env: { LIFEBOAT_DATABASE_URL: server.urlOf('shop') },
  });
  expect(made.code, made.stdout).toBe(0);
  const into = ['--target-url-file', url, '--scratch-dir', scratch, '--age-identity-file', secret, '--confirm', 'live'];
  const held = await lifeboat(['restore', ...sealed, ...into, '--data-only', 'true']);
  expect(held.stdout).toContain('public.orders holds rows');
  const beside = await lifeboat(['restore', ...sealed, ...into, '--tables', 'orders', '--into-schema', 'back']);
  expect(beside.code, beside.stdout + beside.stderr).toBe(0);
  const at = join(folder, 'store/sealed/restores');
  const written = readdirSync(at).map((name) => readFileSync(join(at, name), 'utf8'));
  expect(written).toHaveLength(2);
  for (const text of written) expect(text).not.toMatch(/orders|customers/);
});

it('does the same as an action', async () => {
  const result = await runAction({
    action: 'restore',
    with: {
      ...{ source: 'shop', store, 'target-url': server.urlOf('live'), 'scratch-dir': scratch },
      ...{ tables: 'events\n', 'into-schema': 'back', confirm: 'live' },
    },
  });
  expect(result.exitCode, result.log).toBe(0);
  expect(result.outputs).toMatchObject({ verdict: 'warn', database: 'live' });
  expect(result.summary).toContain('2 tables with 21 rows are in the schema back of live');
  expect(await ask('SELECT count(*) FROM back.events')).toBe('21');
});
