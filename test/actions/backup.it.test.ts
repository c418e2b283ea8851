import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { backup } from '../../src/actions/backup.ts';
import { Manifest } from '../../src/core/manifest.ts';
import type { Store } from '../../src/core/ports.ts';
import type { Report } from '../../src/core/report.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { worldForTests } from '../worlds.ts';

let pg: TestPostgres;
let url = '';

beforeAll(async () => {
  pg = await startPostgres();
  await pg.psql('CREATE DATABASE shop');
  url = pg.urlOf('shop');
  await pg.psql(
    `CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL);
     CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers, total numeric);
     CREATE TABLE "User" (id serial PRIMARY KEY, note text);
     INSERT INTO customers SELECT g, 'customer ' || g FROM generate_series(1, 500) g;
     INSERT INTO orders SELECT g, 1 + g % 500, g FROM generate_series(1, 2000) g;
     INSERT INTO "User" (note) VALUES ('one'), ('two');
     CREATE ROLE reader LOGIN; GRANT pg_read_all_data TO reader;
     CREATE ROLE nobody_special LOGIN;
     ALTER DATABASE shop SET work_mem = '8MB'`,
    'shop',
  );
});
afterAll(() => pg.stop());

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-backup-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function run(raw: Record<string, string>, test = worldForTests()): Promise<{ report: Report; folder: string }> {
  const folder = newFolder();
  mkdirSync(join(folder, 'store'));
  const report = await backup(
    { source: 'shop', store: `file://${folder}/store`, 'database-url': url, ...raw },
    test.world,
  );
  return { report, folder: join(folder, 'store') };
}

function read(folder: string, report: Report, source = 'shop') {
  const place = join(folder, source, report.outputs['backup-id'] ?? '');
  return {
    place,
    files: readdirSync(place).toSorted(),
    manifest: Manifest.parse(JSON.parse(readFileSync(join(place, 'manifest.json'), 'utf8'))),
  };
}

function contents(place: string, artifact = 'database.dump.zst'): string {
  return execFileSync('bash', ['-c', `zstd -dc ${artifact} | pg_restore -l`], { cwd: place, encoding: 'utf8' });
}

describe('a backup of the whole database', () => {
  it('consists of the dump, globals, facts and a manifest that describes them', async () => {
    const { report, folder } = await run({});
    const { files, manifest, place } = read(folder, report);
    expect(report.verdict).toBe('pass');
    expect(files).toEqual(['database.dump.zst', 'facts.json.zst', 'globals.sql.zst', 'manifest.json']);
    for (const { key, sha256, bytes } of manifest.artifacts) {
      expect(execFileSync('sha256sum', [join(place, key)], { encoding: 'utf8' })).toContain(sha256);
      expect(readFileSync(join(place, key)).length).toBe(bytes);
    }
    expect(manifest).toMatchObject({ scope: 'full', kind: 'logical', totals: { tables: 3, rows: 2502 } });
    expect(manifest.server.settings).toEqual([{ role: null, setting: 'work_mem=8MB' }]);
  });

  it('is dated by the snapshot, and its id says so', async () => {
    const { report, folder } = await run({});
    const { manifest } = read(folder, report);
    expect(manifest.id.slice(0, 16)).toBe(manifest.takenAt.replaceAll(/[-:]/g, ''));
  });

  it('is made by a role that may only read', async () => {
    const { report, folder } = await run({ 'database-url': pg.urlOf('shop', 'reader') });
    expect(read(folder, report).manifest.totals.rows).toBe(2502);
  });

  it('holds the plain size of the dump, to the byte', async () => {
    const { report, folder } = await run({});
    const { manifest, place } = read(folder, report);
    const plain = execFileSync('zstd', ['-dc', join(place, 'database.dump.zst')], { maxBuffer: 1 << 26 }).length;
    expect(manifest.artifacts[0]?.plainBytes).toBe(plain);
  });

  it('names a table whose case was folded by mistake', async () => {
    await expect(run({ tables: 'user' })).rejects.toThrow('no table is named "user". Did you mean public."User"?');
  });
});

describe('a partial backup', () => {
  it('keeps the whole schema and the rows of the tables named', async () => {
    const { report, folder } = await run({ source: 'shop-users', tables: 'User\ncustomers' });
    const { manifest, place } = read(folder, report, 'shop-users');
    expect(manifest).toMatchObject({
      scope: 'tables',
      totals: { tables: 2, rows: 502 },
      content: { tables: ['User', 'customers'] },
    });
    const list = contents(place, 'tables.dump.zst');
    expect(list).toContain('TABLE public orders');
    expect(list).not.toContain('TABLE DATA public orders');
    expect(list).toContain('TABLE DATA public User');
  });

  it('of the schema alone holds no rows, of the data alone brings its schema', async () => {
    const schema = await run({ 'schema-only': 'true' });
    expect(contents(read(schema.folder, schema.report).place, 'schema.dump.zst')).not.toContain('TABLE DATA');
    const data = await run({ 'data-only': 'true' });
    expect(read(data.folder, data.report).files).toEqual([
      'data.dump.zst',
      'facts.json.zst',
      'globals.sql.zst',
      'manifest.json',
      'schema.dump.zst',
    ]);
  });

  it('is refused under the name of a source that has another scope', async () => {
    const folder = newFolder();
    const store = `file://${folder}/store`;
    await run({ store });
    await expect(run({ store, tables: 'customers' })).rejects.toThrow(
      'have the scope "full"; this one would have "tables"',
    );
  });

  it('is refused when a view is built on a table left out', async () => {
    await pg.psql('CREATE VIEW totals AS SELECT sum(total) FROM orders', 'shop');
    onTestFinished(async () => void (await pg.psql('DROP VIEW totals', 'shop')));
    await expect(run({ 'exclude-tables': 'orders' })).rejects.toThrow('others are built on: public.totals');
  });
});

describe('encryption', () => {
  it('hides the names of tables, and the age program opens it', async () => {
    const identity = await generateX25519Identity();
    const { report, folder } = await run({
      'age-recipients': await identityToRecipient(identity),
      tables: 'customers',
    });
    const { place, files, manifest } = read(folder, report);
    expect(files).toContain('tables.dump.zst.age');
    expect(JSON.stringify(manifest)).not.toContain('customers');
    expect(manifest.server.settings).toEqual([]);
    writeFileSync(join(place, 'key'), identity);
    const plain = execFileSync('bash', ['-c', 'age -d -i key tables.dump.zst.age | zstd -d | pg_restore -l'], {
      cwd: place,
      encoding: 'utf8',
    });
    expect(plain).toContain('TABLE DATA public customers');
  });

  it('is asked for when passwords of roles are to be dumped', async () => {
    await expect(run({ 'role-passwords': 'true' })).rejects.toThrow('would store password hashes in clear');
  });
});

describe('several stores', () => {
  it('are all the history that a size is judged by, also with a new one first', async () => {
    const folder = newFolder();
    await run({ store: `file://${folder}/old` });
    const { report } = await run({
      store: `file://${folder}/new\nfile://${folder}/old`,
      'exclude-table-data': 'orders',
    });
    const found = report.findings.find(({ rule }) => rule === 'size-deviation');
    expect(found).toMatchObject({ status: 'fail', numbers: { backups: 1 } });
  });

  it('get the same bytes', async () => {
    const folder = newFolder();
    const { report } = await run({ store: `file://${folder}/a\nfile://${folder}/b` });
    expect(report.outputs.locations?.split('\n')).toHaveLength(2);
    expect(execFileSync('diff', ['-r', 'a', 'b'], { cwd: folder, encoding: 'utf8' })).toBe('');
  });

  it('keep their copy when one of them fails, which is a failure of the run', async () => {
    const folder = newFolder();
    const broken = worldForTests();
    const world = {
      ...broken.world,
      openStore: async (to: string) =>
        to.endsWith('/b') ? failing(await broken.world.openStore(to)) : broken.world.openStore(to),
    };
    const { report } = await run({ store: `file://${folder}/a\nfile://${folder}/b` }, { ...broken, world });
    expect(report.verdict).toBe('fail');
    expect(report.findings.find((one) => one.status === 'fail')).toMatchObject({
      rule: 'store-copy',
      subject: `file://${folder}/b`,
    });
    expect(read(join(folder, 'a'), report).manifest.findings).toContainEqual(
      expect.objectContaining({ rule: 'store-copy', status: 'fail' }),
    );
    expect(existsSync(join(folder, 'b', 'shop'))).toBe(false);
    const next = await run({ store: `file://${folder}/a\nfile://${folder}/b` });
    expect(next.report.verdict).toBe('pass');
  });
});

/** The same store, whose disk breaks when the dump arrives. */
function failing(store: Store): Store {
  return withPut(store, async (key, body, options) => {
    if (!key.includes('database.dump')) return store.put(key, body, options);
    for await (const _ of body) throw new Error('Input/output error');
    throw new Error('unreachable');
  });
}

function withPut(store: Store, put: Store['put']): Store {
  const get = (target: Store, name: string | symbol) => {
    const value: unknown = name === 'put' ? put : Reflect.get(target, name);
    return typeof value === 'function' ? value.bind(target) : value;
  };
  return new Proxy(store, { get });
}

describe('size against history', () => {
  it('fails a backup that came out far too small, and keeps it', async () => {
    const folder = newFolder();
    const store = `file://${folder}/store`;
    await pg.psql(`CREATE TABLE bulk AS SELECT g, md5(g::text) AS t FROM generate_series(1, 20000) g`, 'shop');
    await run({ store });
    await pg.psql('DROP TABLE bulk', 'shop');
    const { report } = await run({ store });
    expect(report.verdict).toBe('fail');
    expect(report.findings.find((one) => one.status === 'fail')?.rule).toBe('size-deviation');
    expect(read(join(folder, 'store'), report).manifest.findings).toContainEqual(
      expect.objectContaining({ rule: 'size-deviation', status: 'fail' }),
    );
  });
});

describe('programs behind a prefix', () => {
  it('run where the prefix says, with the address they see', async () => {
    const folder = newFolder();
    const wrapper = join(folder, 'inside');
    // A stand-in for `docker exec`: another environment, and programs found only there.
    writeFileSync(wrapper, `#!/bin/bash\nexec env -i PATH=${pg.clientDir}:/usr/bin:/bin PGUSER=postgres "$@"\n`);
    chmodSync(wrapper, 0o755);
    const outside = 'postgresql://db.example.com:1/shop';
    const { report, folder: store } = await run({
      'database-url': outside,
      'tools-prefix': wrapper,
      'tools-host': `127.0.0.1:${pg.port}`,
    });
    expect(read(store, report).manifest.totals.rows).toBe(2502);
  });

  it('are named when they are not there', async () => {
    await expect(run({ 'tools-prefix': '/no/such/wrapper exec db' })).rejects.toMatchObject({ code: 'tool-missing' });
  });
});

describe('what goes wrong, said to an operator', () => {
  it.each([
    [
      'an unreachable database',
      { 'database-url': 'postgresql://u:pw@127.0.0.1:1/shop' },
      'source-unreachable',
      /Connection refused/,
    ],
    [
      'a database that does not exist',
      () => ({ 'database-url': pg.urlOf('nope') }),
      'source-unreachable',
      /"nope" does not exist/,
    ],
    [
      'a role that may not read',
      () => ({ 'database-url': pg.urlOf('shop', 'nobody_special') }),
      'source-denied',
      /may not read|permission denied/,
    ],
    ['a URL of another kind', { 'database-url': 'mysql://root:geheim@localhost/x' }, 'invalid-input', /value hidden/],
    ['a level zstd does not have', { compression: 'zstd:40' }, 'invalid-input', /"zstd:40"/],
    ['two scopes at once', { tables: 'orders', 'schema-only': 'true' }, 'invalid-input', /exclude each other/],
    ['a recipient that is none', { 'age-recipients': 'age1foo' }, 'invalid-input', /"age1foo"/],
    ['a label that no object holds', { labels: '__proto__=x' }, 'invalid-input', /"__proto__=x" is not a label/],
    ['a label without a name', { labels: '=x' }, 'invalid-input', /"=x" is not a label/],
    ['no programs in bin-dir', { 'bin-dir': '/etc' }, 'tool-missing', /no psql in \/etc/],
    ['a store whose path is a file', { store: 'file:///etc/passwd/x' }, /./, /passwd/],
  ])('%s', async (_, given, code, message) => {
    const raw = typeof given === 'function' ? given() : given;
    const error = await run(raw as Record<string, string>).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ name: 'Failure', message: expect.stringMatching(message), hint: expect.any(String) });
    if (typeof code === 'string') expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain('geheim');
  });

  it('rows hidden by row security', async () => {
    await pg.psql('ALTER TABLE orders ENABLE ROW LEVEL SECURITY', 'shop');
    onTestFinished(async () => void (await pg.psql('ALTER TABLE orders DISABLE ROW LEVEL SECURITY', 'shop')));
    await expect(run({ 'database-url': pg.urlOf('shop', 'reader') })).rejects.toThrow(
      'Row security hides rows of public.orders',
    );
  });
});

describe('a run that is cancelled', () => {
  it('leaves no manifest, no artifact, no lock and no connection', async () => {
    const folder = newFolder();
    const store = `file://${folder}/store`;
    const test = worldForTests();
    const stopAtDump: Store['put'] = async () => {
      test.abort(new Error('cancelled by the user'));
      return await new Promise(() => {});
    };
    const world = {
      ...test.world,
      openStore: async (to: string) => puttingDumps(await test.world.openStore(to), stopAtDump, test.world.signal),
    };
    await expect(backup({ source: 'shop', store, 'database-url': url }, world)).rejects.toThrow(
      'cancelled by the user',
    );
    expect(existsSync(join(folder, 'store', 'shop'))).toBe(false);
    expect(await pg.psql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'lifeboat%'")).toBe('0');
    expect((await run({ store })).report.verdict).toBe('pass');
  });
});

/** The same store, which never ends writing a dump: `put` is called instead, and the signal ends the waiting. */
function puttingDumps(store: Store, put: Store['put'], signal: AbortSignal): Store {
  return withPut(store, (key, body, options) => {
    if (!key.includes('database.dump')) return store.put(key, body, options);
    const aborted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    return Promise.race([aborted, put(key, body, options)]);
  });
}
