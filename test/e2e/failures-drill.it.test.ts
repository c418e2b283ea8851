import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { programsWithExtension } from '../servers/programs-with-extension.ts';
import { smallDisk, whyNoDisk } from './failures-disk.ts';
import { type Expected, type Failed, failingStep, filesIn, newFolder } from './failures-step.ts';
import { runAction } from './runner.ts';

const noDisk = whyNoDisk();

let pg: TestPostgres;
let programs: ReturnType<typeof programsWithExtension>;
/** A store with one plain backup of `shop` and one encrypted one of `vault`, never written to again. */
let original: string;
let identity: string;

beforeAll(async () => {
  programs = programsWithExtension();
  pg = await startPostgres({ binDir: programs.binDir });
  await pg.psql('CREATE DATABASE plain');
  await pg.psql(
    'CREATE TABLE orders AS SELECT g AS id, md5(g::text) AS note FROM generate_series(1, 20000) g',
    'plain',
  );
  await pg.psql('CREATE DATABASE shop TEMPLATE plain');
  await pg.psql('CREATE SCHEMA shop; CREATE EXTENSION lifeboat_shop SCHEMA shop', 'shop');
  original = mkdtempSync('/var/tmp/lifeboat-failures-store-');
  identity = await generateX25519Identity();
  const common = { store: `file://${original}`, 'database-url': pg.urlOf('plain') };
  const made = [
    await runAction({ action: 'backup', with: { ...common, source: 'shop', 'database-url': pg.urlOf('shop') } }),
    await runAction({ action: 'backup', with: { ...common, source: 'plain' } }),
    await runAction({
      action: 'backup',
      with: { ...common, source: 'vault', 'age-recipients': await identityToRecipient(identity) },
    }),
  ];
  expect(made.map(({ outputs }) => outputs.verdict)).toEqual(['pass', 'pass', 'pass']);
});

afterAll(async () => {
  await pg?.stop();
  programs?.remove();
  rmSync(original, { recursive: true, force: true });
});

interface Copy {
  readonly store: string;
  readonly id: string;
  edit(change: (manifest: Manifest) => void): void;
  write(text: string): void;
}
interface Manifest {
  format: number;
  server: { major: number; collate: string; ctype: string };
  totals: { databaseBytes: number };
}

/** A copy of the store, to be spoiled. */
function copyOf(source: string): Copy {
  const folder = newFolder();
  cpSync(original, folder, { recursive: true, preserveTimestamps: true });
  const id = readdirSync(join(folder, source)).find((name) => /^\d{8}T/.test(name)) ?? '';
  const path = join(folder, source, id, 'manifest.json');
  return {
    store: `file://${folder}`,
    id,
    write: (text) => writeFileSync(path, text),
    edit: (change) => {
      const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
      change(manifest);
      writeFileSync(path, JSON.stringify(manifest));
    },
  };
}

/** A drill that must fail; it leaves nothing in the scratch folder. */
async function failingDrill(given: Record<string, string>, expected: Expected, env = {}): Promise<Failed> {
  const scratch = given['scratch-dir'] ?? join(newFolder(), 'scratch');
  const all = { source: 'shop', ...given, 'scratch-dir': scratch };
  const failed = await failingStep({ action: 'restore-drill', with: all, env }, expected);
  expect(filesIn(scratch).filter((file) => !file.startsWith('lost+found') && !file.startsWith('ballast-'))).toEqual([]);
  return failed;
}

describe('the key', () => {
  it('is missing', async () => {
    const { store } = copyOf('vault');
    const { result } = await failingDrill(
      { source: 'vault', store },
      {
        rule: 'decryption',
        message: /facts\.json\.zst\.age is encrypted, and no identity was given/,
        hint: /Give in `age-identity` the secret key of age1/,
      },
    );
    expect(result.outputs.proof).toBe('inconclusive');
  });

  it('is the key of somebody else', async () => {
    const { store } = copyOf('vault');
    const other = await generateX25519Identity();
    const { result } = await failingDrill(
      { source: 'vault', store, 'age-identity': other },
      {
        rule: 'decryption',
        message: /opens none of the recipients of this artifact/,
        hint: /`age-identity`.*age1/,
        secrets: [other],
      },
    );
    expect(result.outputs.proof).toBe('inconclusive');
  });

  it('is none', async () => {
    const { store } = copyOf('vault');
    const broken = `${identity.slice(0, -4)}AAAA`;
    await failingDrill(
      { source: 'vault', store, 'age-identity': broken },
      {
        message: /`age-identity` \(value hidden\) is not an age identity/,
        hint: /AGE-SECRET-KEY-1/,
        secrets: [broken],
      },
    );
  });
});

describe('the backup', () => {
  it('is not there by this id', async () => {
    const { store, id } = copyOf('shop');
    await failingDrill(
      { store, backup: '20200101T000000Z-abcdef' },
      { message: /holds no backup 20200101T000000Z-abcdef/, hint: new RegExp(`newest ones are .*${id}`) },
    );
  });

  it('is not there by a word', async () => {
    const { store } = copyOf('shop');
    await failingDrill(
      { store, backup: 'newest' },
      { message: /`backup` cannot be "newest"/, hint: /Give `latest`, `oldest`, `random`, or an id/ },
    );
  });

  it('is not there, nor any other of this source', async () => {
    const { store } = copyOf('shop');
    await failingDrill(
      { store, source: 'shopp' },
      {
        message: /holds no backup of shopp/,
        hint: /It holds backups of plain, shop, vault\. Check `source` and `store`/,
      },
    );
  });

  it('has a manifest of a later version', async () => {
    const { store, id, edit } = copyOf('shop');
    edit((manifest) => {
      manifest.format = 2;
    });
    await failingDrill(
      { store, backup: id },
      { message: /manifest\.json is of format 2; this version reads up to 1/, hint: /Use a newer version of Lifeboat/ },
    );
  });

  it('has a manifest that is none', async () => {
    const { store, id, write } = copyOf('shop');
    write('{"format": 1, "id": ');
    await failingDrill(
      { store, backup: id },
      { message: /manifest\.json is not JSON/, hint: /another store, or from an older version/ },
    );
  });

  it('has lost a field of its manifest', async () => {
    const { store, id, write } = copyOf('shop');
    write('{"format": 1}');
    await failingDrill(
      { store, backup: id },
      { message: /manifest\.json cannot be read: id/, hint: /another store, or from an older version/ },
    );
  });

  it('is told by freshness and kept by prune when its manifest cannot be read', async () => {
    const { store, id, write } = copyOf('shop');
    write('');
    await failingStep(
      { action: 'verify-freshness', with: { source: 'shop', store, 'min-free-space': '0%' } },
      { rule: 'manifest-unreadable', status: 'fail', message: new RegExp(id), hint: /another store|older version/ },
    );
    await runAction({ action: 'prune', with: { source: 'shop', store, 'keep-last': '1', 'require-proven': 'false' } });
    expect(filesIn(store.slice('file://'.length)).some((file) => file.startsWith(`shop/${id}/`))).toBe(true);
  });
});

describe('the data', () => {
  it('are not what somebody asserted, which disproves no backup', async () => {
    const { store } = copyOf('plain');
    const assertions = [
      'enough: SELECT count(*) > 20000 FROM orders',
      'note: SELECT note IS NOT NULL FROM orders WHERE id = 0',
      'sum: SELECT NULL::boolean',
      'name: SELECT count(*) FROM order_s',
    ];
    const { result, findings, text } = await failingDrill(
      { source: 'plain', store, assertions: assertions.join('\n') },
      {
        rule: 'assertion',
        status: 'fail',
        message: /enough: expected one true, got false\. SELECT count\(\*\) > 20000 FROM orders/,
        hint: /Ask the live database the same/,
      },
    );
    expect(text).toMatch(/note: expected one true, got no row/);
    expect(text).toMatch(/sum: expected one true, got null/);
    expect(findings.find(({ rule, status }) => rule === 'assertion' && status === 'unknown')).toMatchObject({
      message: expect.stringMatching(/^name could not be answered: .*relation "order_s" does not exist/),
      hint: expect.stringMatching(/Give one statement that yields one row with one boolean/),
    });
    expect(result.outputs.proof).toBe('proven');
  });
});

describe('the runner', () => {
  it('has no server programs of this major', async () => {
    const { store, edit } = copyOf('plain');
    edit((manifest) => {
      manifest.server.major = 99;
    });
    const { result } = await failingDrill(
      { source: 'plain', store },
      {
        rule: 'scratch-server',
        message: /needs the server of PostgreSQL 99\. Only .*15.* is here/,
        hint: /Install postgresql-99 on the runner.*`bin-dir`/,
      },
    );
    expect(result.outputs.proof).toBe('inconclusive');
  });

  it('has only client programs', async () => {
    const { store } = copyOf('plain');
    const folder = newFolder();
    await failingDrill(
      { source: 'plain', store, 'bin-dir': folder },
      { rule: 'scratch-server', message: new RegExp(`There is no postgres in ${folder}`), hint: /`bin-dir`/ },
    );
  });

  it('has no zstd', async () => {
    const { store } = copyOf('plain');
    await failingDrill(
      { source: 'plain', store },
      { rule: 'scratch-server', message: /zstd could not be started/, hint: /Install zstd/ },
      { PATH: newFolder() },
    );
  });

  it('has not the extension that the backup needs', async () => {
    const { store } = copyOf('shop');
    const { result } = await failingDrill(
      { store },
      {
        rule: 'scratch-server',
        message: /not installed on the scratch server: the extension is lifeboat_shop/,
        hint: /Install on this runner the packages/,
      },
    );
    expect(result.outputs.proof).toBe('inconclusive');
  });

  it('has not the locale that the backup needs', async () => {
    const { store, edit } = copyOf('plain');
    edit(({ server }) => {
      server.collate = 'xx_XX.UTF-8';
      server.ctype = 'xx_XX.UTF-8';
    });
    await failingDrill(
      { source: 'plain', store },
      {
        rule: 'scratch-server',
        message: /locale \(xx_XX\.UTF-8; UTF8\) is missing on this runner/,
        hint: /locale-gen/,
      },
    );
  });

  it('keeps the scratch folder in memory', async () => {
    const { store } = copyOf('plain');
    const folder = mkdtempSync('/dev/shm/lifeboat-failures-');
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    await failingDrill(
      { source: 'plain', store, 'scratch-dir': folder },
      {
        rule: 'scratch-server',
        message: new RegExp(`${folder} cannot be used: it is on tmpfs`),
        hint: /`scratch-dir` a folder on disk/,
      },
    );
  });

  it.skipIf(noDisk)('has too little room for it', async () => {
    const { store } = copyOf('plain');
    const disk = smallDisk(100);
    await failingDrill(
      { source: 'plain', store, 'scratch-dir': disk.path },
      {
        rule: 'scratch-server',
        message: /has too little room: .* are free, about .* are needed/,
        hint: /Free space there, or name a folder on a larger disk with `scratch-dir`/,
      },
    );
  });

  it.skipIf(noDisk).each([
    { when: 'the server is made', path: 'scratch-*/data/PG_VERSION' },
    { when: 'the server starts', path: 'scratch-*/s/.s.PGSQL.*' },
    { when: 'the backup is restored', path: 'scratch-*/data/base/16*' },
  ])('runs out of room while $when', async ({ path }) => {
    const { store } = copyOf('plain');
    const disk = smallDisk(600);
    const filled = disk.fillWhenThere(path);
    const [{ result }] = await Promise.all([
      failingDrill(
        { source: 'plain', store, 'scratch-dir': disk.path },
        {
          rule: 'scratch-server',
          message: /The scratch server ran out of room: ./,
          hint: /Free space in the scratch folder, or name one on a larger disk with `scratch-dir`/,
        },
      ),
      filled,
    ]);
    expect(result.outputs.proof).toBe('inconclusive');
  });

  it('is pointed at the source itself as a scratch server', async () => {
    const { store } = copyOf('plain');
    await failingDrill(
      { source: 'plain', store, 'scratch-url': pg.urlOf('shop') },
      {
        message: /`scratch-url` leads to a server that is backed up here: its system identifier is \d+, database plain/,
        hint: /Leave `scratch-url` out \(a scratch server of its own is started\)/,
      },
    );
  });

  it('cannot reach the scratch server', async () => {
    const { store } = copyOf('plain');
    await failingDrill(
      { source: 'plain', store, 'scratch-url': 'postgresql://app:geheim@127.0.0.1:1/postgres' },
      {
        rule: 'scratch-server',
        message: /`scratch-url` cannot be used: .*Connection refused/s,
        hint: /Check that the server runs/,
        secrets: ['geheim'],
      },
    );
  });
});
