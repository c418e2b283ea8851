import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runAction } from '../e2e/runner.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { lifeboat, type Outcome } from './lifeboat.ts';
import { expectWellFormed } from './well-formed.ts';

let pg: TestPostgres;
let home: string;
let pwned: string;

beforeAll(async () => {
  pg = await startPostgres();
  home = mkdtempSync('/var/tmp/lbd-');
  chmodSync(home, 0o755);
  mkdirSync(join(home, 'store'));
  pwned = join(home, 'pwned');
});
afterAll(async () => {
  await pg?.stop();
  if (home !== undefined) rmSync(home, { recursive: true, force: true });
});

const inDrill = `current_database() LIKE 'lifeboat_drill%'`;
const bad = ({ findings }: Outcome) =>
  findings
    .filter(({ status }) => status !== 'pass')
    .map(({ rule, status, message }) => `${status} ${rule}: ${message}`);

async function database(name: string, sql: string): Promise<string[]> {
  await pg.psql(`CREATE DATABASE ${name}`);
  await pg.psql(sql, name);
  return ['--source', name, '--store', `file://${join(home, 'store')}`];
}

async function backUp(common: readonly string[]): Promise<Outcome> {
  const made = await lifeboat(['backup', ...common, '--facts', 'fingerprints'], {
    env: { LIFEBOAT_DATABASE_URL: pg.urlOf(common[1] ?? '') },
  });
  expect(bad(made), made.stderr).toEqual([]);
  expect(made.peakMegabytes).toBeLessThan(400);
  return made;
}

async function drill(common: readonly string[], ...more: string[]): Promise<Outcome> {
  const outcome = await lifeboat(['restore-drill', ...common, '--scratch-dir', join(home, 'scratch'), ...more]);
  expect(outcome.stdout).not.toContain('This is a bug');
  expect(outcome.peakMegabytes).toBeLessThan(400);
  expect(existsSync(pwned)).toBe(false);
  expect(readdirSync(join(home, 'scratch'))).toEqual([]);
  return outcome;
}

it('holds no definition in memory, however long an owner made it', async () => {
  const common = await database(
    'long',
    `DO $do$ BEGIN
       EXECUTE format('CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS %L', 'BEGIN RETURN ''' || repeat('x', 20000000) || '''; END');
       EXECUTE format('CREATE TABLE t (id text DEFAULT %L, CHECK (id <> %L))', repeat('''', 9000000), repeat('y', 17000000));
       EXECUTE format('COMMENT ON TABLE t IS %L', repeat('z', 5000000));
     END $do$;
     CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES (repeat('v', 5000000));
     CREATE ROLE talker;
     DO $do$ BEGIN EXECUTE format('ALTER ROLE talker IN DATABASE long SET app.note = %L', repeat('s', 18000000)); END $do$;`,
  );
  await backUp(common);
  expect(bad(await drill(common))).toEqual([]);
}, 120_000);

it('restores and compares names that are commands elsewhere', async () => {
  const name = (what: string) =>
    `"${what}\n\\! touch ${pwned}\n:'HOST' $(touch ${pwned})"`.slice(0, 63).replace(/"?$/, '"');
  const common = await database(
    'names',
    `CREATE ROLE ${name('r')} LOGIN; CREATE ROLE "it's \\""; DROP""\n\\q\n"; CREATE ROLE "--"; CREATE ROLE ":HOST";
     GRANT ":HOST" TO ${name('r')};
     ALTER ROLE ${name('r')} SET application_name = E'x\\n\\\\! touch ${pwned}\\n';
     COMMENT ON ROLE "--" IS E'\\n\\\\! touch ${pwned}\\n';
     CREATE SCHEMA ${name('s')} AUTHORIZATION ${name('r')};
     CREATE TABLE ${name('s')}.${name('t')} (${name('c')} serial PRIMARY KEY);
     ALTER TABLE ${name('s')}.${name('t')} OWNER TO ${name('r')};
     GRANT SELECT ON ${name('s')}.${name('t')} TO "it's \\""; DROP""\n\\q\n", ":HOST", "--";
     ALTER DATABASE names OWNER TO ${name('r')};
     ALTER ROLE postgres SET quote_all_identifiers = on;
     ALTER DATABASE names SET DateStyle = 'SQL, DMY';`,
  );
  await backUp(common);
  await pg.psql('ALTER ROLE postgres RESET quote_all_identifiers');
  expect(bad(await drill(common)).filter((line) => !line.includes('facts-roles'))).toEqual([]);
  await pg.psql(`DROP DATABASE names; DROP ROLE ${name('r')}, "it's \\""; DROP""\n\\q\n", "--", ":HOST"`);
}, 60_000);

it('restores a database whose event triggers let nobody change a thing', async () => {
  const common = await database(
    'locked',
    `CREATE TABLE orders AS SELECT g AS id FROM generate_series(1, 9) g;
     CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN
       IF ${inDrill} THEN RAISE EXCEPTION 'nobody changes anything here'; END IF; END $f$;
     CREATE EVENT TRIGGER a ON ddl_command_start EXECUTE FUNCTION refuse();
     CREATE EVENT TRIGGER b ON ddl_command_end EXECUTE FUNCTION refuse();
     CREATE EVENT TRIGGER c ON sql_drop EXECUTE FUNCTION refuse();`,
  );
  await backUp(common);
  expect(bad(await drill(common))).toEqual([]);
}, 60_000);

it('ends a restore that only sleeps with the step, and leaves nothing', async () => {
  const common = await database(
    'sleepy',
    `CREATE FUNCTION nap() RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN
       IF ${inDrill} THEN PERFORM pg_sleep(3600); END IF; RETURN true; END $f$;
     CREATE TABLE beds (id int CHECK (nap())); INSERT INTO beds VALUES (1);`,
  );
  await backUp(common);
  const outcome = await drill(common, '--timeout', '10s');
  expect(outcome.code).toBe(2);
  expect(bad(outcome).join()).toMatch(/longer than its `timeout` of 10s/);
}, 90_000);

it('reaches no server for a view that was filled from one', async () => {
  await pg.psql('CREATE DATABASE away');
  await pg.psql('CREATE TABLE far AS SELECT 1 AS id', 'away');
  const common = await database(
    'near',
    `CREATE EXTENSION postgres_fdw;
     CREATE SERVER away FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '${pg.port}', dbname 'away');
     CREATE USER MAPPING FOR postgres SERVER away OPTIONS (user 'postgres');
     CREATE FOREIGN TABLE far (id int) SERVER away;
     CREATE MATERIALIZED VIEW copied AS SELECT * FROM far;
     CREATE TABLE orders AS SELECT g AS id FROM generate_series(1, 9) g;`,
  );
  await backUp(common);
  const outcome = await drill(common);
  expect(bad(outcome)).toEqual([expect.stringMatching(/^unknown scratch-server: .* needs another server.*"away"/)]);
  expect(JSON.parse(outcome.stdout).outputs.proof).toBe('inconclusive');
  expect(pg.log()).not.toMatch(/FROM public\.far.*fetch_size/);
}, 60_000);

it('shows what a restore breaks off with as text, on a runner too', async () => {
  const words = `\\n::error::injected\\n##[error]injected\\n::add-mask::a\\n\\x1b[31m| a | \`\`\`\\n<script>@acme #1`;
  const common = await database(
    'shouting',
    `CREATE FUNCTION shout() RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN
       IF ${inDrill} THEN RAISE EXCEPTION '%', E'${words}' || repeat('w', 200) || E'${words}' USING DETAIL = E'${words}', HINT = E'${words}'; END IF;
       RETURN true; END $f$;
     CREATE TABLE crowd (id int CHECK (shout())); INSERT INTO crowd VALUES (1);`,
  );
  await backUp(common);
  const given = { source: 'shouting', store: common[3] ?? '', 'scratch-dir': join(home, 'scratch') };
  const result = await runAction({ action: 'restore-drill', with: given });
  expect(result.outputs.proof, result.log).toBe('disproven');
  expect(result.annotations.filter(({ message }) => /^injected/.test(message))).toEqual([]);
  expect(result.masks).toEqual([]);
  expect(result.log).toContain('injected');
  expect(result.log).not.toMatch(/^(::error::|##\[error\])injected/m);
  expect(result.summary).not.toMatch(/<script|^::|^```/m);
  expect(result.summary.length).toBeLessThan(50_000);
}, 60_000);

it.each([
  { name: 'full_disk', words: 'could not extend file "base/1/2": No space left on device' },
  { name: 'dead', words: 'x\\nFATAL:  terminating connection due to administrator command' },
])(
  'takes no words of a dump for those of the server: $name',
  async ({ name, words }) => {
    const common = await database(
      name,
      `CREATE FUNCTION shout() RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN
       IF ${inDrill} THEN RAISE EXCEPTION '%', E'${words}' USING ERRCODE = 'disk_full'; END IF;
       RETURN true; END $f$;
     CREATE TABLE crowd (id int CHECK (shout())); INSERT INTO crowd VALUES (1);`,
    );
    await backUp(common);
    const given = { source: name, store: common[3] ?? '', 'scratch-dir': join(home, 'scratch') };
    const result = await runAction({ action: 'restore-drill', with: given });
    expect(result.outputs.proof, result.log).toBe('disproven');
    expect(result.outputs.verdict).toBe('fail');
    expect(result.log).toMatch(/could not be restored: .*PL\/pgSQL function public\.shout\(\) line 2 at RAISE/);
  },
  60_000,
);

it('disproves nothing when the server dies in a statement of which only the end is kept', async () => {
  const common = await database(
    'lost',
    `CREATE FUNCTION cut(text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $f$ BEGIN
       IF ${inDrill} THEN PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend';
       END IF; RETURN true; END $f$;
     CREATE TABLE orders AS SELECT g AS id, md5(g::text) AS note FROM generate_series(1, 9) g;
     CREATE INDEX long ON orders (id) WHERE cut(note) AND note <> '\n${'x'.repeat(10_000)}';`,
  );
  await backUp(common);
  const outcome = await drill(common);
  expect(JSON.parse(outcome.stdout).outputs.proof, bad(outcome).join()).toBe('inconclusive');
}, 60_000);

it('shows names, labels and notices as text on a runner, in backup and drill', async () => {
  const said = `\\n::error::injected\\n::add-mask::injected\\n::set-output name=proof::injected\\n##[error]injected`;
  const evil = `"injected\n::error::injected\n::add-mask::e\n<script>|\`x\`"`;
  const common = await database(
    'noisy',
    `CREATE FUNCTION shout() RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN
       RAISE WARNING '%', E'${said}'; RETURN true; END $f$;
     CREATE TABLE ${evil} (${evil} int CHECK (shout())); INSERT INTO ${evil} VALUES (1);
     COMMENT ON TABLE ${evil} IS E'${said}';
     CREATE FUNCTION kept(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $f$ BEGIN
       RAISE WARNING '%', $1; RETURN $1; END $f$;
     CREATE TABLE orders (id text); CREATE INDEX loud ON orders (kept(id)); INSERT INTO orders VALUES (E'${said}');
     DO $do$ BEGIN EXECUTE format('ALTER DATABASE noisy SET role = %L', E'${said}'); END $do$;`,
  );
  const where = { source: 'noisy', store: common[3] ?? '' };
  const labels = `constructor=::error::injected\na=%0A::error::injected\nb=##[error]injected<script>`;
  const backUpStep = { ...where, 'database-url': pg.urlOf('noisy'), facts: 'fingerprints', labels };
  const made = await runAction({ action: 'backup', with: backUpStep });
  const warned = pg.log().match(/WARNING: {2}role "/g)?.length ?? 0;
  const drilled = await runAction({
    action: 'restore-drill',
    with: { ...where, 'scratch-dir': join(home, 'scratch') },
  });
  expect([made.outputs.verdict, drilled.outputs.proof], made.log + drilled.log).toEqual(['pass', 'proven']);
  for (const { annotations, masks, outputs, log, summary } of [made, drilled]) {
    expect(annotations.map(({ message }) => message).join()).not.toContain('injected');
    expect(masks.join()).not.toContain('injected');
    expect(log).not.toMatch(/^(::\w|##\[error\])/m);
    expect(JSON.stringify(outputs)).not.toMatch(/injected/);
    expectWellFormed(summary);
  }
  const [id = ''] = readdirSync(join(home, 'store', 'noisy'));
  const manifest = JSON.parse(readFileSync(join(home, 'store', 'noisy', id, 'manifest.json'), 'utf8'));
  expect(Object.entries(manifest.labels)).toHaveLength(3);
  expect(warned).toBeGreaterThan(2);
}, 60_000);
