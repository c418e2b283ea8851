import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { root } from '../house/source-files.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import type { Rgw } from '../servers/rgw.ts';
import { rgwForTests, whyNoRgw } from '../servers/rgw-for-tests.ts';
import { type Office, openOffice, readPage, s3Of } from './disaster-pages.ts';

// Each page of docs/DISASTER.md is typed as it is, on servers where that disaster was made.

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const SHOP = `CREATE TABLE customers (id int PRIMARY KEY, name text);
  CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, note text);
  INSERT INTO customers SELECT g, 'customer ' || g FROM generate_series(0, 499) g;
  INSERT INTO orders SELECT g, g % 500, repeat('sold ', 40) FROM generate_series(1, 20000) g;
  CREATE INDEX ON orders (customer)`;
const ALL = `SELECT count(*) || ' ' || sum(id) || ' ' || md5(string_agg(note, '' ORDER BY id)) FROM orders`;
const ID = '20261121T031500Z-3f9a1c';

describe.skipIf(whyNoRgw() !== undefined)('docs/DISASTER.md', () => {
  let rgw: Rgw;
  let stop = async () => {};
  let pg: TestPostgres;
  let spare: TestPostgres;
  let office: Office;
  let region: Awaited<ReturnType<typeof passOn>>;
  let sold: string;
  let id: string;

  beforeAll(async () => {
    ({ rgw, stop } = await rgwForTests());
  });
  afterAll(() => stop());

  beforeEach(async () => {
    [pg, spare, region] = await Promise.all([startPostgres(), startPostgres(), passOn(rgw.endpoint)]);
    office = await openOffice({ pg, rgw, firstEndpoint: region.url });
    await pg.psql('CREATE ROLE shop LOGIN; CREATE DATABASE orders OWNER shop');
    await pg.psql(SHOP, 'orders', 'shop');
    sold = await pg.psql(ALL, 'orders');
    const { code, all } = await office.type('lifeboat backup --database-url-file target.url; lifeboat restore-drill');
    expect(code, all).toBe(0);
    id = /\d{8}T\d{6}Z-[0-9a-f]{6}/.exec(all)?.[0] ?? '';
  });
  afterEach(async () => {
    await Promise.all([pg?.stop(), spare?.stop(), office?.close()]);
    region?.close();
  });

  const databases = async (server = pg) =>
    (await server.psql('SELECT datname FROM pg_database ORDER BY 1')).split('\n');
  /** For the server of the document that is got anew. */
  const onSpare = () => ({ 'PGHOST=db2.internal': `PGHOST=${spare.socketDir} PGPORT=${spare.port}` });

  async function expectOnSpare(): Promise<void> {
    expect(await spare.psql(ALL, 'orders')).toBe(sold);
    expect(await spare.psql('SELECT tableowner FROM pg_tables WHERE tablename = $$orders$$', 'orders')).toBe('shop');
    const password = await spare.psql(`SELECT coalesce(rolpassword, 'none') FROM pg_authid WHERE rolname = 'shop'`);
    expect(password).toMatch(/^SCRAM-SHA-256\$/);
  }

  it('Before that day: the tarball of a release is all that a machine needs', async () => {
    const kit = join(office.home, 'lifeboat');
    rmSync(join(kit, 'bin'), { recursive: true });
    rmSync(join(kit, 'target.url'));
    const tarball = join(office.home, 'lifeboat-v1.0.0.tar.gz');
    const parts = ['bin', 'dist', 'docs', 'LICENSE', 'README.md', 'CHANGELOG.md'];
    execFileSync('tar', ['--transform', 's,^,lifeboat-v1.0.0/,', '-czf', tarball, '-C', root, ...parts]);
    const { code, said, all } = await office.typePage(readPage('## Before that day'));
    expect(code, all).toBe(0);
    expect(said[0]).toContain(id);
    expect(existsSync(join(kit, 'dist/cli.js'))).toBe(true);
  });

  it('1: a damaged page of a table', async () => {
    await spoil('orders');
    await expect(pg.psql(ALL, 'orders')).rejects.toThrow('invalid page');
    const { code, said, all } = await office.typePage(readPage('## 1. The database is corrupt'), { [ID]: id });
    expect(code, all).toBe(0);
    expect(said[1]).toContain('Dry run: nothing was changed');
    expect(said[1]).toContain(`Target now: ${pg.socketDir}:${pg.port}/orders: `);
    expect(said[2]).toContain('PASS: Restore of orders: restored into orders');
    expect(await pg.psql(ALL, 'orders')).toBe(sold);
    const [old = ''] = (await databases()).filter((name) => name.startsWith('orders_old_'));
    await expect(pg.psql(ALL, old)).rejects.toThrow('invalid page');
    expect(office.systemctl()).toEqual(['stop shop', 'start shop']);
    expect(said[3]).toContain('PASS: Backup of orders');
  });

  it('1: where there is no room for two, the damaged one is dropped first', async () => {
    await spoil('orders');
    const [, dry = '', real = ''] = readPage('## 1. The database is corrupt').blocks;
    const blocks = [dry, real].map((block) =>
      block.replace('--swap', '--mode replace --drop-first --safety-backup=false'),
    );
    const { code, all } = await office.typePage(
      { blocks: ['cd ~/lifeboat && . ./lifeboat.env\n', ...blocks] },
      { [ID]: id },
    );
    expect(code, all).toBe(0);
    expect(await pg.psql(ALL, 'orders')).toBe(sold);
    expect((await databases()).filter((name) => name.startsWith('orders'))).toEqual(['orders']);
  });

  it('2: deleted rows come back, and what was written since stays', async () => {
    await pg.psql(
      `DELETE FROM orders WHERE customer BETWEEN 10 AND 20; UPDATE orders SET note = 'paid' WHERE id = 7;
      INSERT INTO orders VALUES (30001, 3, 'sold since')`,
      'orders',
    );
    const { code, said, all } = await office.typePage(readPage('## 2. Rows were deleted by accident'), { [ID]: id });
    expect(code, all).toBe(0);
    expect(said[3]).toContain('(440 rows)');
    expect(said[4]).toContain('INSERT 0 440');
    expect(said[4]).not.toContain('COMMIT');
    expect(said[5]).toMatch(/INSERT 0 440\nCOMMIT/);
    expect(await pg.psql('SELECT count(*) FROM orders', 'orders')).toBe('20001');
    expect(await pg.psql('SELECT note FROM orders WHERE id IN (7, 30001) ORDER BY id', 'orders')).toBe(
      'paid\nsold since',
    );
    expect(await pg.psql(`SELECT count(*) FROM pg_namespace WHERE nspname = 'rescued'`, 'orders')).toBe('0');
    expect(office.systemctl()).toEqual([]);
  });

  it('2b: a database that is wrong as a whole is replaced, and backed up before', async () => {
    await pg.psql('UPDATE orders SET note = NULL; DROP TABLE customers CASCADE', 'orders');
    const { code, said, all } = await office.typePage(readPage('### 2b. Everything is wrong'), { [ID]: id });
    expect(code, all).toBe(0);
    expect(await pg.psql(ALL, 'orders')).toBe(sold);
    expect((await databases()).filter((name) => name.startsWith('orders'))).toEqual(['orders']);
    expect(office.systemctl()).toEqual(['stop shop', 'start shop']);
    expect(said.at(-1)).toMatch(/orders-before-restore: 1 backup/);
  });

  it('3: the server is gone, the new one has nothing', async () => {
    await pg.down('immediate');
    const { code, said, all } = await office.typePage(readPage('## 3. The server is lost'), onSpare());
    await pg.up();
    expect(code, all).toBe(0);
    expect(said[2]).toContain('roles-without-password');
    expect(said.at(-1)).toContain('backup proven');
    await expectOnSpare();
    expect(office.systemctl()).toEqual(['start shop']);
  });

  it('4: everything in both buckets was deleted or written over, and the database encrypted', async () => {
    await sleep(1100); // versions of a bucket have whole seconds
    const before = new Date().toISOString();
    await sleep(1100);
    await pg.psql(`UPDATE orders SET note = encode(sha256(note::bytea), 'hex')`, 'orders');
    await attack();
    expect((await office.type('lifeboat list')).all).not.toContain(id);
    await pg.down('immediate');
    const { code, said, all } = await office.typePage(readPage('## 4. Ransomware'), {
      ...{ [ID]: id, '2026-11-21T06:00:00Z': before },
      ...onSpare(),
    });
    await pg.up();
    expect(code, all).toBe(0);
    expect(said[0]).toMatch(new RegExp(`${id} .*proven[\\s\\S]*Deleted`));
    expect(said[2]).toContain('backup proven');
    expect(said.at(-1)).toContain('backup proven');
    await expectOnSpare();
    const { all: shown } = await office.type('lifeboat list');
    expect(shown).toContain(id);
  });

  it('5: the region with database and first store is away', async () => {
    region.close();
    await pg.down('immediate');
    const { code, said, all } = await office.typePage(readPage('## 5. A region is lost'), {
      ...onSpare(),
      's3://acme-backups-new/prod?region=eu-north-1': office.stores.fresh,
    });
    await pg.up();
    expect(code, all).toBe(0);
    await expectOnSpare();
    expect(said.at(-2)).toContain(id);
    const { all: shown } = await office.type(`lifeboat list --store '${office.stores.fresh}'`);
    expect(shown).toMatch(/orders: 2 backups/);
  });

  it('6: GitHub is down', async () => {
    const { code, said, all } = await office.typePage(readPage('## 6. GitHub is down'));
    expect(code, all).toBe(0);
    expect(said[0]).toMatch(/PASS: Backup of orders[\s\S]*(PASS|WARN): Freshness/);
    expect(said[1]).toContain('backup proven');
    expect((await databases()).filter((name) => name.startsWith('orders'))).toEqual(['orders']);
  });

  it('7: there is nothing but files of pg_dump', async () => {
    const dump = (args: string) =>
      execFileSync('bash', ['-c', `${pg.clientDir}/pg_dump -d '${pg.urlOf('orders')}' ${args}`]);
    dump(`| gzip > ${office.home}/full_2026-11-20.sql.gz`);
    dump(`-Fc > ${office.home}/orders.dump`);
    const digest = () =>
      createHash('sha256')
        .update(readFileSync(join(office.home, 'orders.dump')))
        .digest('hex');
    const before = digest();
    await attack();
    await spare.psql('CREATE ROLE shop LOGIN');
    const { code, all } = await office.typePage(readPage('## 7. All there is are old dump files'), onSpare());
    expect(code, all).toBe(0);
    for (const name of ['orders', 'orders_by_hand', 'orders_from_dump']) expect(await spare.psql(ALL, name)).toBe(sold);
    expect(digest()).toBe(before);
  });

  it('Every quarter: the drill leaves nothing', async () => {
    const { code, all } = await office.typePage(readPage('## Every quarter'));
    expect(code, all).toBe(0);
    expect((await databases()).filter((name) => name.startsWith('orders'))).toEqual(['orders']);
  });

  /** Bytes that are no page, in the middle of a table. */
  async function spoil(table: string): Promise<void> {
    const path = await pg.psql(`SELECT pg_relation_filepath('${table}')`, 'orders');
    await pg.down('fast');
    const file = openSync(join(pg.dataDir, path), 'r+');
    writeSync(file, Buffer.alloc(3 * 8192, 'spoilt'), 0, 3 * 8192, 5 * 8192);
    closeSync(file);
    await pg.up();
  }

  /** With the keys of both buckets: an artifact written over, and everything deleted. */
  async function attack(): Promise<void> {
    const client = s3Of(rgw);
    for (const Bucket of [office.buckets.first, office.buckets.second]) {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
      for (const { Key = '' } of Contents) {
        if (Key.includes('database.dump'))
          await client.send(new PutObjectCommand({ Bucket, Key, Body: 'pay, or it is gone' }));
        await client.send(new DeleteObjectCommand({ Bucket, Key }));
      }
    }
    client.destroy();
  }
});

/** What a region is from the outside: an address that can go away. */
async function passOn(endpoint: string): Promise<{ url: string; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(new URL(endpoint).port), '127.0.0.1');
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => [client, upstream].map((one) => one.destroy()));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { url: `http://127.0.0.1:${port}`, close };
}
