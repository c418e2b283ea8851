import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { backup } from '../../src/actions/backup.ts';
import type { Report } from '../../src/core/report.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { worldForTests } from '../worlds.ts';

let pg: TestPostgres;
let folder = '';

beforeAll(async () => {
  pg = await startPostgres();
  await pg.psql('CREATE DATABASE shop');
  await pg.psql('CREATE DATABASE other');
  await pg.psql('CREATE TABLE orders AS SELECT generate_series(1, 10) AS id', 'shop');
  await pg.psql('CREATE TABLE orders AS SELECT generate_series(1, 10) AS id', 'other');
});
afterAll(() => pg.stop());

function newStore(): string {
  folder = mkdtempSync(join(tmpdir(), 'lifeboat-notices-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'store'));
  return `file://${folder}/store`;
}

function run(store: string, raw: Record<string, string> = {}, test = worldForTests()): Promise<Report> {
  return backup({ source: 'shop', store, 'database-url': pg.urlOf('shop'), ...raw }, test.world);
}

const notPassed = (report: Report) =>
  report.findings.filter(({ status }) => status !== 'pass').map(({ rule, status }) => `${rule} ${status}`);
const headline = (report: Report) => Object.fromEntries(report.headline.map(({ name, value }) => [name, value]));

function manifestOf(report: Report): { findings: unknown[] } {
  const path = join(folder, 'store', 'shop', report.outputs['backup-id'] ?? '', 'manifest.json');
  return JSON.parse(readFileSync(path, 'utf8'));
}

describe('encryption', () => {
  it('that disappears is a failure of the run, in the manifest too, and the backup is kept', async () => {
    const store = newStore();
    const recipient = await identityToRecipient(await generateX25519Identity());
    const first = await run(store, { 'age-recipients': recipient });
    expect(notPassed(first)).toEqual([]);
    expect(headline(first)['Encrypted to']).toBe(`${recipient.slice(0, 8)}…`);
    const second = await run(store);
    expect(notPassed(second)).toEqual(['encryption-lost fail']);
    expect(headline(second).Encryption).toBe('Not encrypted');
    expect(manifestOf(second).findings).toContainEqual(
      expect.objectContaining({ rule: 'encryption-lost', status: 'fail' }),
    );
  });

  it('is compared with the newest backup of any store, one that cannot be read passed over', async () => {
    const store = newStore();
    mkdirSync(join(folder, 'second'));
    const both = `${store}\nfile://${folder}/second`;
    const recipient = await identityToRecipient(await generateX25519Identity());
    await run(`file://${folder}/second`, { 'age-recipients': recipient });
    const broken = await run(store, { 'age-recipients': recipient });
    writeFileSync(join(folder, 'store', 'shop', broken.outputs['backup-id'] ?? '', 'manifest.json'), '{');
    expect(notPassed(await run(both))).toEqual(['encryption-lost fail']);
  });
});

it('another database under the same source is a warning that names both', async () => {
  const store = newStore();
  await run(store);
  const report = await run(store, { 'database-url': pg.urlOf('other') });
  expect(notPassed(report)).toEqual(['server-changed warn']);
  const found = report.findings.find(({ rule }) => rule === 'server-changed');
  expect(found?.message).toMatch(/database "shop" on .*; this one is of database "other" on /);
  expect(notPassed(await run(store, { 'database-url': pg.urlOf('other') }))).toEqual([]);
});

describe('an empty database-url', () => {
  const defaults = () => ({ PGHOST: '127.0.0.1', PGPORT: String(pg.port), PGUSER: 'postgres' });

  it('is said with the database that was taken, and an empty database is a warning', async () => {
    const report = await run(newStore(), { 'database-url': '' }, worldForTests(defaults()));
    expect(notPassed(report)).toEqual(['database-empty warn']);
    expect(headline(report).Database).toMatch(/^postgres on /);
    expect(headline(report)['Database chosen by']).toContain('`database-url` is empty');
  });

  it.each([
    ['no server', { PGPORT: '1' }, 'source-unreachable'],
    ['a role that does not exist', { PGUSER: 'runner' }, 'source-denied'],
    ['a database that does not exist', { PGDATABASE: 'runner' }, 'source-unreachable'],
  ])('begins the hint when it leads to %s', async (_, env, code) => {
    const test = worldForTests({ ...defaults(), ...env });
    await expect(run(newStore(), { 'database-url': '' }, test)).rejects.toMatchObject({
      code,
      hint: expect.stringMatching(
        /^`database-url` is empty \(does the secret exist in this repository\?\), so libpq's defaults were used\. \w/,
      ),
    });
  });

  it('is no matter when one was given', async () => {
    const hint = expect.not.stringContaining('is empty');
    await expect(run(newStore(), { 'database-url': pg.urlOf('nope') })).rejects.toMatchObject({ hint });
    expect(headline(await run(newStore()))).not.toHaveProperty('Database chosen by');
  });
});

describe('a pin', () => {
  it('is said in the headline, with its reason and its end', async () => {
    const report = await run(newStore(), { pin: 'before the move', 'pin-for': '8w' });
    expect(headline(report).Pinned).toMatch(/^until 20\d\d-\d\d-\d\dT[\d:]+Z: before the move$/);
    expect(headline(await run(newStore(), { pin: 'audit' })).Pinned).toBe('for ever: audit');
  });

  it('needs a reason', async () => {
    await expect(run(newStore(), { 'pin-for': '8w' })).rejects.toMatchObject({
      code: 'invalid-input',
      message: '`pin-for` is given without `pin`: nothing would be pinned.',
    });
  });
});

describe('a folder that is not there', () => {
  it('is created with a warning, the first time only', async () => {
    const store = `${newStore()}/new`;
    const first = await run(store);
    expect(notPassed(first)).toEqual(['store-created warn']);
    expect(first.findings.find(({ rule }) => rule === 'store-created')?.message).toBe(
      `The folder ${store} did not exist and was created; is the disk mounted?`,
    );
    expect(headline(first).Stored).toContain(store);
    expect(notPassed(await run(store))).toEqual([]);
  });

  it('below a missing one is refused once, before the database is asked anything', async () => {
    const test = worldForTests();
    const world = {
      ...test.world,
      openEngine: () => Promise.reject(new Error('the engine was asked')),
    };
    const store = `${newStore()}/nope/x`;
    await expect(run(store, {}, { ...test, world })).rejects.toMatchObject({ code: 'store-missing' });
    expect(test.lines.filter((line) => line.startsWith('warning'))).toEqual([]);
    expect(existsSync(join(folder, 'store', 'nope'))).toBe(false);
  });

  it('below a missing one costs its own copy only, and no message holds the name of a class', async () => {
    const test = worldForTests();
    const store = newStore();
    const report = await run(`${store}\n${store}/nope/x`, {}, test);
    expect(notPassed(report)).toEqual(['store-copy fail']);
    expect(readdirSync(join(folder, 'store'))).toEqual(['shop']);
    expect(test.lines.join('\n')).not.toMatch(/Failure: |stays there/);
  });
});
