import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { backup } from '../../src/actions/backup.ts';
import { Facts } from '../../src/core/facts.ts';
import { Manifest } from '../../src/core/manifest.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { worldForTests } from '../worlds.ts';

// What docs/FORMAT.md says of restoring by hand is typed here as it stands there, on real backups.

const document = readFileSync(join(import.meta.dirname, '../../docs/FORMAT.md'), 'utf8');
const steps = new Map(
  [...document.matchAll(/<!-- step: ([a-z]+) -->\n```(?:bash|sql)\n([\s\S]*?)\n```\n/g)].map(([, name, code]) => [
    name ?? '',
    code ?? '',
  ]),
);
const around = { before: ['verify', 'open', 'facts', 'roles', 'database', 'limits'], after: ['compare', 'analyze'] };
const folder = mkdtempSync(join(tmpdir(), 'lifeboat-by-hand-'));
let source: TestPostgres;
let identity = '';

beforeAll(async () => {
  source = await startPostgres();
  identity = await generateIdentity();
  writeFileSync(join(folder, 'key'), `${identity}\n`, { mode: 0o600 });
  await source.psql(`CREATE ROLE shop LOGIN CREATEDB; CREATE ROLE "Reporting ""all""" LOGIN; CREATE ROLE staff;
    GRANT staff TO shop WITH ADMIN OPTION; ALTER ROLE shop SET search_path = "$user", public;
    CREATE DATABASE "Shop" OWNER shop CONNECTION LIMIT 17;`);
  await source.psql(
    `ALTER DATABASE "Shop" SET work_mem = '8MB'; ALTER DATABASE "Shop" SET search_path = "$user", 'a, b', public;
    ALTER ROLE "Reporting ""all""" IN DATABASE "Shop" SET statement_timeout = '5min';
    REVOKE ALL ON DATABASE "Shop" FROM PUBLIC;
    GRANT CONNECT ON DATABASE "Shop" TO "Reporting ""all"""; GRANT CREATE ON DATABASE "Shop" TO staff WITH GRANT OPTION;
    CREATE TABLE public.users (name text, id int PRIMARY KEY);
    CREATE TABLE public.orders (id bigserial PRIMARY KEY, user_id int NOT NULL REFERENCES public.users);
    CREATE TABLE public.deposit (id int PRIMARY KEY, user_id int NOT NULL REFERENCES public.users,
      order_id bigint REFERENCES public.orders, amount numeric);
    CREATE INDEX ON public.deposit (amount);
    CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no more'; END$$;
    INSERT INTO public.users SELECT 'user ' || i, i FROM generate_series(1, 300) i;
    INSERT INTO public.orders (user_id) SELECT 1 + i % 300 FROM generate_series(1, 2000) i;
    INSERT INTO public.deposit SELECT i, 1 + i % 300, i, i * 1.5 FROM generate_series(1, 900) i;
    CREATE TRIGGER closed BEFORE INSERT ON public.users EXECUTE FUNCTION public.refuse();
    ALTER TABLE public.users OWNER TO shop; GRANT SELECT ON public.users TO "Reporting ""all""";`,
    'Shop',
  );
});
afterAll(async () => {
  await source?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const asIs = (code: string) => code;
const age = () => identityToRecipient(identity);
const wallets = { tables: 'users\ndeposit' };

describe('a backup restored by the commands of docs/FORMAT.md', () => {
  it.each([
    { what: 'full, encrypted', scope: 'full', encrypted: true, given: {} },
    { what: 'full, not encrypted', scope: 'full', encrypted: false, given: {} },
    { what: 'full, encrypted, without facts', scope: 'full', encrypted: true, given: { facts: 'none' } },
    {
      what: 'rows and the schema they need, encrypted',
      scope: 'data',
      encrypted: true,
      given: { 'data-only': 'true' },
    },
  ])('is the same again: $what', async ({ scope, encrypted, given }) => {
    const { place } = await takeBackup({ ...given, ...(encrypted && { 'age-recipients': await age() }) });
    const { server, output } = await restore(place, scope);
    for (const look of [ROWS, DATABASE, ROLES, KEYS]) {
      const expected = await source.psql(look('Shop'), 'Shop');
      // Values of settings are never in clear beside encryption, and without facts there is no other place.
      const lost = look === DATABASE && 'facts' in given;
      const found = await server.psql(look('restored'), 'restored');
      expect(found).toBe(lost ? expected.replace(/[^|]*$/, '') : expected);
    }
    expect(withoutChecks(output)).toBe('');
  });

  it('is the same schema without rows: schema-only, not encrypted', async () => {
    const { place } = await takeBackup({ 'schema-only': 'true' });
    const { server } = await restore(place, 'schema');
    for (const look of [DATABASE, ROLES, KEYS]) {
      expect(await server.psql(look('restored'), 'restored')).toBe(await source.psql(look('Shop'), 'Shop'));
    }
    expect(await server.psql(ROWS(''), 'restored')).toBe('0|0|0');
  });

  it.each([
    { what: 'encrypted', encrypted: true },
    { what: 'not encrypted', encrypted: false },
  ])('is the rows of two tables with every foreign key that can hold: $what', async ({ encrypted }) => {
    const { place } = await takeBackup({ ...wallets, ...(encrypted && { 'age-recipients': await age() }) });
    const { server, output } = await restore(place, 'tables', 'deposit_order_id_fkey');
    expect(await server.psql(ROWS(''), 'restored')).toBe('300|0|900');
    expect((await server.psql(KEYS(''), 'restored')).split('\n')).toEqual([
      'deposit_user_id_fkey|deposit|users',
      'orders_user_id_fkey|orders|users',
    ]);
    expect(withoutChecks(output)).toBe('The foreign keys named above were left out.\n');
  });

  it('is the full backup without some rows, by the same commands on its own dump', async () => {
    const { place } = await takeBackup({ 'exclude-table-data': 'orders' });
    const { server } = await restore(place, 'tables', 'deposit_order_id_fkey', (code) =>
      code.replaceAll('tables.dump', 'database.dump'),
    );
    expect(await server.psql(ROWS(''), 'restored')).toBe('300|0|900');
  });

  it.each([
    { what: 'encrypted', encrypted: true },
    { what: 'not encrypted', encrypted: false },
  ])('is the same again from parallel streams: $what', async ({ encrypted }) => {
    const { place } = await takeBackup({ jobs: '3', ...(encrypted && { 'age-recipients': await age() }) });
    const { server, output } = await restore(place, ['streams', 'keys']);
    for (const look of [ROWS, DATABASE, ROLES, KEYS]) {
      expect(await server.psql(look('restored'), 'restored')).toBe(await source.psql(look('Shop'), 'Shop'));
    }
    expect(withoutChecks(output)).toBe('');
  });

  it('is the rows of two tables from parallel streams, with every foreign key that can hold', async () => {
    const { place } = await takeBackup({ ...wallets, jobs: '2' });
    const { server, output } = await restore(place, ['streams', 'somekeys'], 'deposit_order_id_fkey');
    expect(await server.psql(ROWS(''), 'restored')).toBe('300|0|900');
    expect(withoutChecks(output)).toBe('The foreign keys named above were left out.\n');
  });

  it('is no database when one of its parallel streams does not come to its end', async () => {
    const { place } = await takeBackup({ jobs: '3' });
    const server = await startPostgres();
    onTestFinished(() => server.stop());
    const env = { PGHOST: '127.0.0.1', PGPORT: String(server.port), PGUSER: 'postgres', DATABASE: 'restored' };
    const cut = `truncate -s -40 data-01.dump.zst`;
    const { code } = await type([...around.before, 'streams'], place, env, (all) =>
      all.replace('streams=()', `${cut}\n$&`),
    );
    expect(code).not.toBe(0);
  });

  it('is refused at once when a byte of it changed', async () => {
    const { place } = await takeBackup({});
    const path = join(place, 'database.dump.zst');
    const bytes = readFileSync(path);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const { code, output } = await type(['verify'], place, {});
    expect(code).not.toBe(0);
    expect(output).toContain('database.dump.zst: FAILED');
  });

  it('is not taken for whole when rows are missing after the restore', async () => {
    const { place } = await takeBackup({});
    const { server, env } = await restore(place, 'full');
    await server.psql('DELETE FROM public.deposit WHERE id > 890', 'restored');
    const { code, output } = await type(['verify', 'open', 'facts', 'compare'], place, env);
    expect(code).toBe(0);
    expect(withoutChecks(output)).toBe('public.deposit|900|890\n');
  });
});

it('types every command that docs/FORMAT.md gives, but for the settings at the beginning', () => {
  const scopes = ['full', 'schema', 'data', 'tables'];
  const parallel = ['streams', 'keys', 'somekeys'];
  expect([...steps.keys()].toSorted()).toEqual(
    [...around.before, ...scopes, ...parallel, ...around.after, 'fingerprint'].toSorted(),
  );
  // One of the steps is SQL, and the settings are no step.
  expect([...document.matchAll(/^```bash$/gm)]).toHaveLength(steps.size);
});

it('fingerprints a table as docs/FORMAT.md defines it', async () => {
  const { place } = await takeBackup({ facts: 'fingerprints' });
  await type(['verify', 'open', 'facts'], place, {});
  const facts = Facts.parse(JSON.parse(readFileSync(join(place, 'facts.json'), 'utf8')));
  const expected = facts.tables.find(({ name }) => name === 'public.users')?.fingerprint;
  expect(expected).toMatch(/^v1:300:-?\d+$/);
  expect(await source.psql(steps.get('fingerprint') ?? '', 'Shop')).toBe(expected);
});

async function takeBackup(given: Record<string, string>): Promise<{ place: string }> {
  const store = mkdtempSync(join(folder, 'store-'));
  const raw = { source: 'shop', store: `file://${store}`, 'database-url': source.urlOf('Shop'), ...given };
  const report = await backup(raw, worldForTests().world);
  // A backup without facts can never be proven, and warns.
  expect(report.verdict).toBe(given.facts === 'none' ? 'warn' : 'pass');
  // Copied elsewhere, as one would: the store itself is not worked in.
  const place = mkdtempSync(join(folder, 'copy-'));
  cpSync(join(store, 'shop', report.outputs['backup-id'] ?? ''), place, { recursive: true });
  const manifest = Manifest.parse(JSON.parse(readFileSync(join(place, 'manifest.json'), 'utf8')));
  const isEncrypted = manifest.artifacts.map(({ encryption }) => encryption !== null);
  expect([...new Set(isEncrypted)]).toEqual(['age-recipients' in given]);
  return { place };
}

/** Types everything the document says for a scope, at a new server; nothing may complain but about the key named. */
async function restore(place: string, how: string | string[], leftOut?: string, change = asIs) {
  const server = await startPostgres();
  onTestFinished(() => server.stop());
  const env = { PGHOST: '127.0.0.1', PGPORT: String(server.port), PGUSER: 'postgres', DATABASE: 'restored' };
  const {
    code,
    output,
    errors: stderr,
  } = await type([...around.before, how, ...around.after].flat(), place, env, change);
  const errors = complaints(stderr);
  expect(errors).toEqual(leftOut === undefined ? [] : [expect.stringContaining(leftOut)]);
  expect(code).toBe(0);
  return { server, env, output };
}

async function type(names: readonly string[], place: string, env: Record<string, string>, change = asIs) {
  const code = change(names.map((name) => steps.get(name) ?? `echo 'no step ${name}'; exit 9`).join('\n'));
  const path = [source.clientDir, '/usr/local/bin', '/usr/bin', '/bin'].join(':');
  const all = { PATH: path, HOME: place, LC_ALL: 'C.UTF-8', KEY: join(folder, 'key'), ...env };
  const child = spawn('bash', ['-c', code], { cwd: place, env: all, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [output, errors, exit] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { output, errors, code: exit };
}

/** Everything on stderr but what pg_restore says in addition to an error of its own. */
function complaints(stderr: string): string[] {
  const inAddition = /^(pg_restore: (warning: errors ignored|from TOC entry|while )|DETAIL:|Command was:|\s|$)/;
  return stderr.split('\n').filter((line) => !inAddition.test(line));
}

function withoutChecks(output: string): string {
  return output.replaceAll(/^\S+: OK\n/gm, '');
}

const ROWS = (_: string) =>
  'SELECT (SELECT count(*) FROM public.users), (SELECT count(*) FROM public.orders), (SELECT count(*) FROM public.deposit)';

const KEYS = (_: string) =>
  `SELECT conname, conrelid::regclass, confrelid::regclass FROM pg_constraint WHERE contype = 'f' ORDER BY conname`;

const DATABASE = (name: string) => `
  SELECT pg_get_userbyid(datdba), datconnlimit, pg_encoding_to_char(encoding), datcollate, datctype,
    (SELECT string_agg(item::text, ' ' ORDER BY item::text) FROM unnest(datacl) AS item),
    (SELECT string_agg(concat_ws(' ', setrole::regrole, one), ' ' ORDER BY setrole::regrole::text, one)
      FROM pg_db_role_setting, unnest(setconfig) AS one WHERE setdatabase = d.oid)
  FROM pg_database d WHERE datname = '${name}'`;

const ROLES = (_: string) => `
  SELECT rolname, rolcanlogin, rolcreatedb, rolconfig,
    (SELECT array_agg((roleid::regrole, admin_option)::text) FROM pg_auth_members WHERE member = r.oid)
  FROM pg_roles r WHERE rolname !~ '^pg_' ORDER BY rolname`;
