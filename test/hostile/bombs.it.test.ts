import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Artifact } from '../../src/core/manifest.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { emptyFacts } from '../core/empty-facts.ts';
import { keysOf, putBackup } from '../fixtures.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { lifeboat, type Outcome } from './lifeboat.ts';

const MIB = 1 << 20;
const MOST_MEGABYTES = 400;

let home: string;
let identity: string;
let zeros: Buffer;
let pg: TestPostgres;

beforeAll(async () => {
  home = mkdtempSync('/var/tmp/lbb-');
  chmodSync(home, 0o755);
  identity = await generateX25519Identity();
  // Frames follow one another: ten gigabytes of zeros in a megabyte.
  const frame = execFileSync('zstd', ['-q', '-19', '-c'], { input: Buffer.alloc(128 * MIB) });
  zeros = Buffer.concat(Array.from({ length: 80 }, () => frame));
  pg = await startPostgres();
  await pg.psql(`CREATE DATABASE shop`);
  await pg.psql(`CREATE TABLE orders AS SELECT g AS id FROM generate_series(1, 100) g`, 'shop');
});
afterAll(async () => {
  await pg?.stop();
  if (home !== undefined) rmSync(home, { recursive: true, force: true });
});

/** A store in a folder, with one backup whose artifacts are these. */
async function storeWith(files: readonly { role: Artifact['role']; key: string; bytes: Buffer }[]): Promise<string> {
  const folder = mkdtempSync(join(home, 'store-'));
  const model = memoryStore();
  const manifest = putBackup(model, new Date(Math.floor(Date.now() / 1000) * 1000 - 3_600_000));
  for (const key of await keysOf(model)) write(folder, key, Buffer.concat(await Array.fromAsync(await model.get(key))));
  rewrite(folder, `orders/${manifest.id}`, files);
  return folder;
}

/** Puts artifacts into a backup that is there, with a manifest that fits: somebody who may write to the store. */
function rewrite(
  folder: string,
  backup: string,
  files: readonly { role: Artifact['role']; key: string; bytes: Buffer }[],
): void {
  const path = join(folder, backup, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  const kept = manifest.artifacts.filter(({ role }: Artifact) => !files.some((file) => file.role === role));
  const made = files.map(({ role, key, bytes }) => {
    write(folder, join(backup, key), bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const encryption = key.endsWith('.age') ? { type: 'age', recipients: [] } : null;
    const format = role === 'facts' ? 'json' : role === 'globals' ? 'sql' : 'pg_dump-custom';
    return { role, key, format, compression: 'zstd', encryption, bytes: bytes.length, sha256 };
  });
  writeFileSync(path, JSON.stringify({ ...manifest, artifacts: [...kept, ...made] }));
}

function write(folder: string, key: string, bytes: Buffer): void {
  mkdirSync(dirname(join(folder, key)), { recursive: true });
  writeFileSync(join(folder, key), bytes);
}

function drill(folder: string, source = 'orders'): Promise<Outcome> {
  const scratch = join(home, 'scratch');
  const args = ['restore-drill', '--source', source, '--store', `file://${folder}`, '--scratch-dir', scratch];
  return lifeboat(args, { env: { LIFEBOAT_AGE_IDENTITY: identity } });
}

const said = ({ findings }: Outcome, rule: string) =>
  findings.filter((one) => one.rule === rule).map(({ status, message }) => `${status} ${message}`);

function expectCalm(outcome: Outcome): void {
  expect(outcome.code, outcome.stderr).toBe(1);
  expect(outcome.stdout).not.toContain('This is a bug in Lifeboat');
  expect(outcome.peakMegabytes).toBeLessThan(MOST_MEGABYTES);
  const scratch = join(home, 'scratch');
  expect(existsSync(scratch) ? readdirSync(scratch) : []).toEqual([]);
}

it('reads no facts that unpack to ten gigabytes', async () => {
  const outcome = await drill(await storeWith([{ role: 'facts', key: 'facts.json.zst', bytes: zeros }]));
  expect(said(outcome, 'facts-missing')).toEqual([
    expect.stringMatching(/^unknown .*facts\.json\.zst holds more than/),
  ]);
  expectCalm(outcome);
});

it('reads none that do so after they were decrypted', async () => {
  const recipient = await identityToRecipient(identity);
  const bytes = execFileSync('age', ['-r', recipient], { input: zeros, maxBuffer: 64 * MIB });
  const outcome = await drill(await storeWith([{ role: 'facts', key: 'facts.json.zst.age', bytes }]));
  expect(said(outcome, 'facts-missing')).toEqual([expect.stringContaining('holds more than')]);
  expectCalm(outcome);
});

it('reads no roles that unpack to ten gigabytes', async () => {
  const outcome = await drill(await storeWith([{ role: 'globals', key: 'globals.sql.zst', bytes: zeros }]));
  expect(outcome.findings.map(({ message }) => message).join('\n')).toContain(
    'The artifact with the roles holds more than',
  );
  expectCalm(outcome);
});

it('reads no table of contents out of zeros', async () => {
  const outcome = await drill(await storeWith([{ role: 'dump', key: 'database.dump.zst', bytes: zeros }]));
  expect(said(outcome, 'restore-completed')).toEqual([
    expect.stringMatching(/^fail database\.dump\.zst could not be restored/),
  ]);
  expectCalm(outcome);
});

it.each([
  ['one line without an end', Buffer.from(`age-encryption.org/v1\n${'a'.repeat(200 * MIB)}`)],
  [
    'a million recipients',
    Buffer.from(
      `age-encryption.org/v1\n${`-> X25519 ${'A'.repeat(43)}\n${'A'.repeat(43)}\n`.repeat(1e6)}--- ${'A'.repeat(43)}\n`,
    ),
  ],
])('reads no header of an encrypted artifact that is %s', async (_, bytes) => {
  const outcome = await drill(await storeWith([{ role: 'facts', key: 'facts.json.zst.age', bytes }]));
  expect(said(outcome, 'artifact-corrupt').join()).toMatch(/does not end within 1 MiB/);
  expectCalm(outcome);
});

it('judges and prunes beside records of 100 MB, and of a hundred gigabytes', async () => {
  const folder = await storeWith([]);
  const [id = ''] = readdirSync(join(folder, 'orders'));
  const backup = join(folder, 'orders', id);
  const json = Buffer.from(`{"format":1,"x":[${'[1],'.repeat(25 * MIB)}0]}`);
  write(folder, `orders/${id}/drills/${id}.pass.proven.json`, json);
  write(folder, `orders/${id.replace(/-.*/, '-000000')}/manifest.json`, json);
  writeFileSync(join(backup, 'pin-forever.json'), json);
  truncateSync(join(backup, 'pin-forever.json'), 100 * 1024 * MIB);
  const common = ['--source', 'orders', '--store', `file://${folder}`];
  for (const args of [
    ['verify-freshness', ...common, '--min-free-space', '0%'],
    ['prune', ...common, '--keep-last', '1', '--require-proven', 'false'],
  ]) {
    const outcome = await lifeboat(args);
    expect(outcome.stdout).not.toContain('This is a bug');
    expect(outcome.peakMegabytes).toBeLessThan(MOST_MEGABYTES);
  }
  expect(readdirSync(join(folder, 'orders'))).toHaveLength(2);
});

it('compares facts of somebody else without running a word of them', async () => {
  const folder = mkdtempSync(join(home, 'store-'));
  const pwned = join(home, 'pwned');
  const common = ['--source', 'shop', '--store', `file://${folder}`];
  const made = await lifeboat(['backup', ...common], { env: { LIFEBOAT_DATABASE_URL: pg.urlOf('shop') } });
  expect(made.code, made.stderr).toBe(0);
  const [id = ''] = readdirSync(join(folder, 'shop'));
  const evil = `x"; DROP TABLE public.orders; --\n\\! touch ${pwned}\n`;
  const facts = {
    ...emptyFacts,
    tables: [
      { name: evil, rows: 1 },
      { name: '__proto__', rows: 2 },
    ],
    roles: [{ name: evil, attributes: [evil], memberOf: [evil], settings: [`${evil}=${evil}`] }],
    settings: [
      { role: evil, setting: `search_path=${evil}` },
      { role: null, setting: `app.x=${evil}` },
    ],
    migration: { tool: evil, table: evil, newest: evil },
    schema: [
      { kind: evil, identity: evil, digest: '0' },
      { kind: 'schema', identity: 'public', digest: '0' },
    ],
    extensions: [{ name: 'plpgsql', version: evil, schema: 'pg_catalog' }],
  };
  const bytes = execFileSync('zstd', ['-q', '-c'], { input: JSON.stringify(facts) });
  rewrite(folder, `shop/${id}`, [{ role: 'facts', key: 'facts.json.zst', bytes }]);
  const outcome = await drill(folder, 'shop');
  expect(said(outcome, 'facts-tables').join()).toMatch(/^fail /);
  expect(said(outcome, 'facts-schema').join()).toMatch(/table public\.orders: expected absent|public\.orders/);
  expect(existsSync(pwned)).toBe(false);
  expectCalm(outcome);
});
