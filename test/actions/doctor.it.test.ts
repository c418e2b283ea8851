import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { doctor } from '../../src/actions/doctor.ts';
import type { Report } from '../../src/core/report.ts';
import { age } from '../../src/sys/age.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { worldForTests } from '../worlds.ts';

let pg: TestPostgres;
const folder = mkdtempSync(join(tmpdir(), 'lifeboat-doctor-'));
const store = join(folder, 'store');

beforeAll(async () => {
  pg = await startPostgres({ settings: { wal_level: 'logical' } });
  mkdirSync(store);
});

afterAll(async () => {
  await pg?.stop();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  await pg.psql('CREATE ROLE app LOGIN; CREATE DATABASE orders OWNER app; CREATE ROLE lifeboat LOGIN');
  await pg.psql('CREATE TABLE orders (id serial PRIMARY KEY)', 'orders', 'app');
});

afterEach(() => pg.psql('DROP DATABASE orders; DROP ROLE lifeboat; DROP ROLE app'));

async function examine(given: Record<string, string> = {}, user = 'lifeboat'): Promise<Report> {
  const raw = {
    store: `file://${store}`,
    'database-url': pg.urlOf('orders', user),
    'scratch-dir': '/var/tmp',
    ...given,
  };
  return doctor(raw, worldForTests().world);
}

const bad = ({ findings }: Report) =>
  findings
    .filter(({ status }) => status !== 'pass')
    .map(({ rule, status, message }) => `${status} ${rule}: ${message}`);
const database = async (user?: string) => bad(await examine({}, user)).filter((line) => line.includes('database-'));

it('finds nothing amiss where nothing is, and leaves nothing behind', async () => {
  await pg.psql('GRANT pg_read_all_data TO lifeboat');
  const identity = await age.makeIdentity();
  const [recipient = ''] = await age.recipientsOf(identity);
  const report = await examine({ 'age-recipients': recipient, 'age-identity': identity });
  const found = bad(report).filter((line) => !/free-space|scratch-(room|isolation)/.test(line));
  expect(found).toEqual([]);
  expect(report.tables[0]?.rows.length).toBe(report.findings.length);
  expect(readdirSync(store)).toEqual([]);
});

it('gives for each thing that a role lacks the statement that grants it', async () => {
  await pg.psql('CREATE TABLE hidden (id int); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY', 'orders', 'app');
  await pg.psql(`SELECT lo_from_bytea(0, 'a large object')`, 'orders', 'app');
  await pg.psql('ALTER ROLE lifeboat CONNECTION LIMIT 3');
  const report = await examine();
  expect(bad(report).filter((line) => line.includes('database-'))).toEqual([
    'fail database-access: lifeboat may not read 2 tables (public.hidden, public.orders).',
    'fail database-access: Row security hides rows of 1 table (public.hidden).',
    'fail database-access: lifeboat may not read 1 sequence (public.orders_id_seq).',
    'fail database-access: lifeboat may not read 1 of 1 large objects.',
    'fail database-settings: lifeboat may hold 3 connections; a backup needs 4.',
  ]);
  const hints = report.findings.flatMap(({ status, rule, hint = '' }) =>
    status === 'fail' && rule.startsWith('database-') ? (/^`([^`]+;)`/.exec(hint)?.[1] ?? []) : [],
  );
  expect(hints).toHaveLength(4);
  await pg.psql(hints.join('\n'), 'orders');
  expect(await database()).toEqual(['fail database-access: lifeboat may not read 1 of 1 large objects.']);
  await pg.psql(
    `DO $$ BEGIN EXECUTE (SELECT format('GRANT SELECT ON LARGE OBJECT %s TO lifeboat', oid) FROM pg_largeobject_metadata); END $$`,
    'orders',
  );
  expect(await database()).toEqual([]);
  await pg.psql('DROP OWNED BY lifeboat', 'orders');
});

it('warns of a superuser, and of a slot that nobody reads', async () => {
  await pg.psql(`SELECT pg_create_physical_replication_slot('left_over', true)`);
  const report = await examine({}, 'postgres');
  expect(bad(report).filter((line) => line.includes('database-'))).toEqual([
    'warn database-settings: postgres is a superuser: whoever gets hold of this URL owns the server.',
    expect.stringMatching(/^warn database-settings: Nobody reads the replication slot left_over\. It holds back \d/),
  ]);
  await pg.psql(
    /`(SELECT .*;)`/.exec(report.findings.find(({ hint }) => hint?.includes('slot'))?.hint ?? '')?.[1] ?? '',
  );
  expect(await pg.psql('SELECT count(*) FROM pg_replication_slots')).toBe('0');
});

it('says that time-outs of the role do not hold for backups', async () => {
  await pg.psql(`GRANT pg_read_all_data TO lifeboat; ALTER ROLE lifeboat SET statement_timeout = '5s'`);
  const { findings } = await examine();
  expect(findings).toContainEqual(
    expect.objectContaining({ status: 'pass', message: expect.stringContaining('statement_timeout=5s of lifeboat') }),
  );
});

it('looks at everything else when the database cannot be reached', async () => {
  const report = await examine({ 'database-url': 'postgresql://lifeboat@127.0.0.1:1/orders' });
  expect(bad(report)).toContainEqual(expect.stringContaining('fail database-access: '));
  expect(report.findings).toContainEqual(expect.objectContaining({ rule: 'store-tried', status: 'pass' }));
  expect(report.findings).toContainEqual(expect.objectContaining({ rule: 'scratch-server' }));
});

it('says what it did not look at', async () => {
  const raw = { store: `file://${store}`, 'scratch-dir': '/var/tmp' };
  const { headline } = await doctor(raw, worldForTests().world);
  expect(headline).toContainEqual({ name: 'Database, not looked at', value: '`database-url` is not given' });
});

it('tells a key that opens nothing from one of several that does', async () => {
  const [one, other] = [await age.makeIdentity(), await age.makeIdentity()];
  const recipients = [...(await age.recipientsOf(one)), ...(await age.recipientsOf(other))];
  const keys = async (given: Record<string, string>) =>
    (await examine(given)).findings.filter(({ rule }) => rule === 'key-pair').map(({ status }) => status);
  expect(await keys({ 'age-recipients': recipients.join('\n'), 'age-identity': one })).toEqual(['pass']);
  expect(await keys({ 'age-recipients': recipients[1] ?? '', 'age-identity': one })).toEqual(['fail']);
});

it('fails where the store is not there, and makes no folder of it', async () => {
  const report = await examine({ store: `file://${folder}/not-mounted` });
  expect(bad(report)).toContainEqual(expect.stringContaining('fail store-tried: Listing failed'));
  expect(readdirSync(folder)).toEqual(['store']);
});

it('removes what a doctor that was killed has left, once no doctor can be at work there', async () => {
  const program = fileURLToPath(new URL('../stores/killed-doctor.ts', import.meta.url));
  const killed = spawn(process.execPath, [program, `file://${store}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(killed.stdout, 'data');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  expect(readdirSync(store)).toEqual([expect.stringMatching(/^\.lifeboat-doctor-/)]);
  const later = new Date(Date.now() + 11 * 60_000);
  const { world } = worldForTests({}, { now: () => later });
  const report = await doctor({ store: `file://${store}`, 'scratch-dir': '/var/tmp' }, world);
  expect(report.findings).toContainEqual(
    expect.objectContaining({ message: expect.stringContaining('Removed what a doctor that was killed left') }),
  );
  expect(readdirSync(store)).toEqual([]);
});
