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
import { prune } from '../../src/actions/prune.ts';
import { restoreDrill } from '../../src/actions/restore-drill.ts';
import { verifyFreshness } from '../../src/actions/verify-freshness.ts';
import { Manifest } from '../../src/core/manifest.ts';
import type { Store } from '../../src/core/ports.ts';
import type { Report } from '../../src/core/report.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { worldForTests } from '../worlds.ts';

const scratch = join('/var/tmp', `lbp-${process.pid}`);
let pg: TestPostgres;
let url = '';

beforeAll(async () => {
  pg = await startPostgres();
  await pg.psql('CREATE DATABASE shop');
  url = pg.urlOf('shop');
  await pg.psql(
    `CREATE TABLE a (id int PRIMARY KEY, b int);
     CREATE TABLE "B ""quoted"".$*?" (id serial PRIMARY KEY, a int REFERENCES a, note text);
     ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES "B ""quoted"".$*?" DEFERRABLE INITIALLY DEFERRED;
     CREATE TABLE c (id int PRIMARY KEY, a int REFERENCES a);
     CREATE TABLE parted (id int, at int) PARTITION BY LIST (at);
     CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
     CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
     CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no more'; END$$;
     INSERT INTO a SELECT g FROM generate_series(1, 3000) g;
     INSERT INTO "B ""quoted"".$*?" (a, note) SELECT g, md5(g::text) FROM generate_series(1, 2500) g;
     UPDATE a SET b = id WHERE id <= 2500;
     INSERT INTO c SELECT g, g FROM generate_series(1, 2000) g;
     INSERT INTO parted SELECT g, 1 + g % 2 FROM generate_series(1, 1000) g;
     CREATE TRIGGER closed BEFORE INSERT ON c EXECUTE FUNCTION refuse();
     SELECT lo_from_bytea(0, 'some bytes');`,
    'shop',
  );
});
afterAll(async () => {
  await pg?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lifeboat-parallel-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const store of ['a', 'b']) mkdirSync(join(folder, store));
  return folder;
}

async function take(given: Record<string, string> = {}, test = worldForTests()) {
  const folder = newFolder();
  const all = { source: 'shop', store: `file://${folder}/a`, 'database-url': url, jobs: '3', ...given };
  const report = await backup(all, test.world);
  const place = join(folder, 'a', all.source, report.outputs['backup-id'] ?? '');
  const files = readdirSync(place).toSorted();
  const manifest = Manifest.parse(JSON.parse(readFileSync(join(place, 'manifest.json'), 'utf8')));
  return { folder, store: all.store, report, place, files, manifest };
}

function drill(store: string, given: Record<string, string> = {}): Promise<Report> {
  return restoreDrill({ source: 'shop', store, 'scratch-dir': scratch, ...given }, worldForTests().world);
}

function entriesOf(place: string, artifact: string): string[] {
  const list = execFileSync('bash', ['-c', `zstd -dc ${artifact} | pg_restore -l`], { cwd: place, encoding: 'utf8' });
  return list.split('\n').filter((line) => /^\d/.test(line));
}

describe('a backup in parallel streams', () => {
  it('holds the rows of every table once, and everything else in one stream', async () => {
    const { report, files, place, manifest } = await take();
    expect(report.verdict).toBe('pass');
    expect(files).toEqual([
      ...['data-01.dump.zst', 'data-02.dump.zst', 'data-03.dump.zst', 'facts.json.zst', 'globals.sql.zst'],
      ...['manifest.json', 'post-data.dump.zst', 'pre-data.dump.zst'],
    ]);
    expect(manifest.artifacts.map(({ role }) => role)).toEqual([
      ...['pre-data', 'post-data', 'data', 'data', 'data', 'globals', 'facts'],
    ]);
    const rows = [1, 2, 3].map((at) => entriesOf(place, `data-0${at}.dump.zst`));
    const tables = rows.flatMap((lines) => lines.filter((line) => line.includes(' TABLE DATA ')));
    expect(tables).toHaveLength(5);
    expect(rows.map((lines) => lines.filter((line) => line.includes('BLOBS')).length)).toEqual([0, 0, 1]);
    expect(entriesOf(place, 'pre-data.dump.zst').join('\n')).not.toMatch(/TABLE DATA|CONSTRAINT|TRIGGER/);
  });

  it.each([{ jobs: '' }, { jobs: '1' }, { jobs: '3' }])('is proven by a drill with jobs "$jobs"', async ({ jobs }) => {
    const { store } = await take({ facts: 'fingerprints' });
    const report = await drill(store, { jobs, amcheck: 'true' });
    expect(report.findings.filter(({ status }) => status !== 'pass' && status !== 'warn')).toEqual([]);
    expect(report.outputs.proof).toBe('proven');
  });

  it('is proven when it is encrypted and lies in two stores, which hold the same bytes', async () => {
    const identity = await generateX25519Identity();
    const folder = newFolder();
    const store = `file://${folder}/a\nfile://${folder}/b`;
    const given = { store, 'age-recipients': await identityToRecipient(identity) };
    await backup({ source: 'shop', 'database-url': url, jobs: '2', ...given }, worldForTests().world);
    expect(execFileSync('diff', ['-r', 'a', 'b'], { cwd: folder, encoding: 'utf8' })).toBe('');
    const report = await drill(store, { 'age-identity': identity });
    expect(report.outputs.proof).toBe('proven');
    // Nothing of it lies decrypted anywhere afterwards.
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('of some tables says so by its names, and is proven', async () => {
    const { store, files, manifest } = await take({ tables: 'a\nc\nparted', jobs: '2' });
    expect(files.filter((name) => name.includes('dump'))).toEqual([
      ...['tables-data-01.dump.zst', 'tables-data-02.dump.zst'],
      ...['tables-post-data.dump.zst', 'tables-pre-data.dump.zst'],
    ]);
    expect(manifest).toMatchObject({ scope: 'tables', totals: { tables: 4, rows: 6_000 } });
    const report = await drill(store);
    expect(report.outputs.proof).toBe('proven');
    // The key from `a` into the table without rows cannot hold.
    expect(report.findings.find(({ rule }) => rule === 'left-out')?.message).toContain('1 foreign keys');
  });

  it.each(['schema-only', 'data-only'])('stays one stream with %s', async (only) => {
    const { files } = await take({ [only]: 'true' });
    expect(files.filter((name) => /-data|-\d\d/.test(name))).toEqual([]);
  });

  it('belongs to the same source as backups in one stream, and to no other scope', async () => {
    const { folder, store } = await take();
    const test = worldForTests();
    const again = { source: 'shop', store, 'database-url': url };
    expect((await backup(again, test.world)).verdict).toBe('pass');
    await expect(backup({ ...again, tables: 'a', jobs: '2' }, test.world)).rejects.toThrow('have the scope "full"');
    const some = { ...again, store: `file://${folder}/b`, tables: 'a' };
    await backup({ ...some, jobs: '2' }, test.world);
    await expect(backup({ ...some, tables: '', jobs: '2' }, test.world)).rejects.toThrow('have the scope "tables"');
  });

  it('is judged, drilled and pruned like any other', async () => {
    const { store } = await take();
    const again = { source: 'shop', store, 'database-url': url, jobs: '2' };
    await backup(again, worldForTests().world);
    await drill(store);
    const asked = { source: 'shop', store, 'max-drill-age': '1h', 'min-backups': '2', 'read-data': '100%' };
    const fresh = await verifyFreshness({ ...asked, 'min-free-space': '0%' }, worldForTests().world);
    expect(fresh.findings.filter(({ status }) => status !== 'pass')).toEqual([]);
    const pruned = await prune({ source: 'shop', store, 'keep-last': '1' }, worldForTests().world);
    expect(pruned.outputs).toMatchObject({ 'kept-count': '1', 'removed-count': '1' });
  });
});

describe('what breaks one of several streams', () => {
  it('ends them all, and leaves no backup and no connection', async () => {
    const folder = newFolder();
    // One dies; the others never end by themselves.
    const given = {
      store: `file://${folder}/a`,
      'tools-prefix': wrapper('*--section=data*--table=*) kill -9 $$ ;; *--section=*-data*) "$@"; exec sleep 600 ;;'),
      'tools-host': '127.0.0.1',
    };
    const broken = backup({ source: 'shop', 'database-url': url, jobs: '4', ...given }, worldForTests().world);
    await expect(broken).rejects.toThrow(/killed by SIGKILL/);
    expect(existsSync(join(folder, 'a', 'shop'))).toBe(false);
    const mine = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'lifeboat%'";
    expect(await pg.psql(mine)).toBe('0');
  });

  it('drops a store from all of them, and the others keep their copy', async () => {
    const folder = newFolder();
    const test = worldForTests();
    const openStore = async (to: string) => {
      const store = await test.world.openStore(to);
      return to.endsWith('/b') ? breaking(store, /data-02/) : store;
    };
    const store = `file://${folder}/a\nfile://${folder}/b`;
    const report = await backup(
      { source: 'shop', store, 'database-url': url, jobs: '3' },
      { ...test.world, openStore },
    );
    expect(report.findings.filter(({ status }) => status === 'fail').map(({ subject }) => subject)).toEqual([
      `file://${folder}/b`,
    ]);
    expect(test.lines.filter((line) => line.includes('holds no copy'))).toHaveLength(1);
    expect(existsSync(join(folder, 'b', 'shop'))).toBe(false);
    expect((await drill(`file://${folder}/a`)).outputs.proof).toBe('proven');
  });

  it('disproves the backup when its bytes are damaged, and names it', async () => {
    const { store, place } = await take();
    const damaged = join(place, 'data-02.dump.zst');
    const bytes = readFileSync(damaged);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(damaged, bytes);
    const report = await drill(store, { jobs: '3' });
    expect(report.outputs.proof).toBe('disproven');
    expect(report.findings.find(({ status }) => status === 'fail')?.message).toContain('data-02.dump.zst');
  });

  it.each(['0', '17', 'many', '-1'])('is not asked for by jobs "%s"', async (jobs) => {
    await expect(take({ jobs })).rejects.toThrow(/`jobs` cannot be .*from 1 to 16/s);
  });
});

/** A stand-in for `docker exec`; `cases` are looked for in the arguments. */
function wrapper(cases: string): string {
  const path = join(newFolder(), 'inside');
  const environment = `export PATH=${pg.clientDir}:/usr/bin:/bin PGHOST=127.0.0.1 PGPORT=${pg.port} PGUSER=postgres`;
  writeFileSync(path, `#!/bin/bash\n${environment}\ncase "$*" in ${cases} *) exec "$@" ;; esac\n`);
  chmodSync(path, 0o755);
  return path;
}

/** The same store, whose disk breaks at some artifacts. */
function breaking(store: Store, keys: RegExp): Store {
  const put: Store['put'] = async (key, body, options) => {
    if (!keys.test(key)) return store.put(key, body, options);
    for await (const _ of body) throw new Error('Input/output error');
    throw new Error('unreachable');
  };
  const get = (target: Store, name: string | symbol) => {
    const value: unknown = name === 'put' ? put : Reflect.get(target, name);
    return typeof value === 'function' ? value.bind(target) : value;
  };
  return new Proxy(store, { get });
}
