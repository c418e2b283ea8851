import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { restoreDrill } from '../../src/actions/restore-drill.ts';
import { adopt } from '../../src/commands/adopt.ts';
import { Manifest } from '../../src/core/manifest.ts';
import type { Report } from '../../src/core/report.ts';
import { clientBinDir, startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { worldForTests } from '../worlds.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'lifeboat-adopt-'));
const store = join(folder, 'store');
// Not in the temporary folder: that may be memory, and closed to the user of the scratch server.
const scratchDir = join('/var/tmp', `lbad-${process.pid}`);
const { world } = worldForTests({}, { scratchDir });
let pg: TestPostgres;

beforeAll(async () => {
  mkdirSync(store);
  pg = await startPostgres();
  await pg.psql('CREATE ROLE chain LOGIN; CREATE ROLE "Read Only"; CREATE DATABASE chaindb OWNER chain');
  await pg.psql(
    `CREATE TABLE users (id serial PRIMARY KEY, name text);
     CREATE TABLE orders (id int PRIMARY KEY, who int REFERENCES users, note text);
     INSERT INTO users (name) SELECT 'user ' || g FROM generate_series(1, 500) g;
     INSERT INTO orders SELECT g, 1 + g % 500, E'tab\\there\\nand \\\\. a back\\\\slash' FROM generate_series(1, 3000) g;
     ALTER TABLE users OWNER TO chain; ALTER TABLE orders OWNER TO chain;
     GRANT SELECT ON orders TO "Read Only";
     ALTER DATABASE chaindb SET work_mem = '8MB'`,
    'chaindb',
  );
});
afterAll(async () => {
  await pg.stop();
  for (const made of [folder, scratchDir]) rmSync(made, { recursive: true, force: true });
});

/** What the runbooks make: a file of pg_dump with these options. */
async function dumped(name: string, ...options: string[]): Promise<string> {
  const path = join(folder, name);
  const args = ['-d', pg.urlOf('chaindb'), ...options];
  const { stdout } = await run(join(clientBinDir(), 'pg_dump'), args, { encoding: 'buffer', maxBuffer: 1 << 26 });
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(stdout) : stdout);
  return path;
}

function adopted(file: string, source: string, raw: Record<string, string> = {}): Promise<Report> {
  return adopt({ file, source, store: `file://${store}`, ...raw }, world);
}

function manifestIn(source: string): Manifest {
  const [id = ''] = readdirSync(join(store, source));
  return Manifest.parse(JSON.parse(readFileSync(join(store, source, id, 'manifest.json'), 'utf8')));
}

describe('adopting a dump', () => {
  it.each([
    ['chaindb_20250115_143000.dump', ['-Fc']],
    ['chaindb_20250115_143000.dump.gz', ['-Fc']],
    ['backup-20250115-143000.sql', []],
    ['backup-20250115-143000.sql.gz', ['--create', '--clean', '--if-exists']],
    ['inserts_20250115_143000.sql', ['--inserts']],
  ])('makes a backup of %s that a drill proves', async (name, options) => {
    const source = `from-${name.replaceAll(/[^a-z0-9]/g, '-')}`.slice(0, 60);
    const file = await dumped(name, ...options);
    const report = await adopted(file, source);
    expect(report.findings.filter(({ status }) => status !== 'pass')).toEqual([]);
    const manifest = manifestIn(source);
    expect(manifest).toMatchObject({ scope: 'full', totals: { tables: 2, rows: 3500 } });
    expect(manifest.server).toMatchObject({ systemIdentifier: null, host: '', port: null });
    expect(manifest.labels).toMatchObject({
      'adopted-file': name,
      'adopted-sha256': expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    // Of a custom archive its own header counts, of plain SQL the name.
    if (!options.includes('-Fc')) expect(manifest.takenAt).toBe('2025-01-15T14:30:00Z');
    const drill = await restoreDrill({ source, store: `file://${store}` }, world);
    expect(drill.findings.filter(({ status }) => status !== 'pass')).toEqual([]);
    expect(drill.outputs.proof).toBe('proven');
  });

  it('keeps owner, settings and locale of the database where the file tells them', async () => {
    expect(manifestIn('from-chaindb-20250115-143000-dump').server).toMatchObject({
      ...{ database: 'chaindb', owner: 'chain', collate: 'C.UTF-8' },
      settings: [{ role: null, setting: 'work_mem=8MB' }],
    });
    expect(manifestIn('from-backup-20250115-143000-sql-gz').server).toMatchObject({
      database: 'chaindb',
      owner: 'chain',
    });
    const left = manifestIn('from-backup-20250115-143000-sql').content.leftOut.map(({ what }) => what);
    expect(left).toContainEqual(expect.stringContaining('settings and grants of the database itself'));
  });

  it('takes the same file only once', async () => {
    const source = 'from-chaindb-20250115-143000-dump';
    const again = await adopted(join(folder, 'chaindb_20250115_143000.dump'), source);
    expect(again.findings.map(({ message }) => message)).toEqual([
      expect.stringContaining('already; nothing was written'),
    ]);
    expect(readdirSync(join(store, source))).toHaveLength(1);
  });

  it('encrypts, pins and dates as it is told', async () => {
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    const file = await dumped('secret.sql.gz');
    utimesSync(file, new Date('2024-03-01T02:00:00Z'), new Date('2024-03-01T02:00:00Z'));
    const given = { 'age-recipients': recipient, pin: 'audit', 'taken-at': '2024-02-29T23:00:00-02:00' };
    expect((await adopted(file, 'secret', given)).verdict).toBe('pass');
    const manifest = manifestIn('secret');
    expect(manifest.takenAt).toBe('2024-03-01T01:00:00Z');
    expect(manifest.labels?.['adopted-modified']).toBe('2024-03-01T02:00:00Z');
    expect(manifest.artifacts.every(({ encryption }) => encryption !== null)).toBe(true);
    expect(readdirSync(join(store, 'secret', manifest.id))).toContain('pin-forever.json');
    const drill = await restoreDrill({ source: 'secret', store: `file://${store}`, 'age-identity': identity }, world);
    expect(drill.outputs.proof).toBe('proven');
  });
});

describe('what is no backup is refused, and nothing of it is kept', () => {
  async function refusal(file: string, source: string) {
    const failure = await adopted(file, source).then(
      () => undefined,
      (error: { code: string; message: string }) => error,
    );
    expect(existsSync(join(store, source))).toBe(false);
    return failure;
  }

  it.each([
    ['half.dump', ['-Fc'], 0.9, 'restore-failed'],
    ['half.dump.gz', ['-Fc'], 0.9, 'backup-invalid'],
    ['half.sql', [], 0.5, 'backup-invalid'],
    ['half.sql.gz', [], 0.5, 'backup-invalid'],
  ])('%s, which broke off', async (name, options, share, code) => {
    const file = await dumped(name, ...options);
    truncateSync(file, Math.floor(readFileSync(file).length * share));
    expect(await refusal(file, 'half')).toMatchObject({ code });
  });

  it.each([
    ['rows.sql', ['-a']],
    ['single.dump', ['-Fc', '-t', 'orders']],
    ['clean.sql', ['--clean']],
  ])('%s, which makes no database alone', async (name, options) => {
    const failure = { code: 'restore-failed', hint: expect.stringContaining('The file alone') };
    expect(await refusal(await dumped(name, ...options), 'part')).toMatchObject(failure);
  });

  it.each([
    ['a shell command', (mark: string) => `\\! touch ${mark}`],
    ['a file of this machine', () => '\\i /etc/passwd'],
    ['another server', () => '\\connect "host=127.0.0.1 port=1"'],
    ['a program behind a copy', (mark: string) => `\\copy users from program 'touch ${mark}'`],
    ['an end of the restriction', () => '\\unrestrict x'],
    ['a command in the middle of a line', (mark: string) => `SELECT 1 \\! touch ${mark}`],
    ['a command in backquotes', (mark: string) => `\\set x \`touch ${mark}\``],
  ])('plain SQL with %s for psql', async (what, line) => {
    const mark = join(folder, 'mark');
    const plain = gunzipSync(readFileSync(join(folder, 'backup-20250115-143000.sql.gz'))).toString();
    const file = join(folder, 'hostile.sql');
    writeFileSync(file, plain.replace('\nCREATE SEQUENCE', `\n${line(mark)}\nCREATE SEQUENCE`));
    expect(await refusal(file, what.replaceAll(' ', '-'))).toMatchObject({
      code: expect.stringMatching(/guard-refused|restore-failed/),
    });
    expect(existsSync(mark)).toBe(false);
  });

  it('a command that is part of a string is one to nobody', async () => {
    const mark = join(folder, 'mark');
    const plain = readFileSync(join(folder, 'backup-20250115-143000.sql'), 'utf8');
    const file = join(folder, 'string.sql');
    const lines = `SET standard_conforming_strings = off;\nSELECT 'a\\'; \\! touch ${mark}\n', 'b';`;
    writeFileSync(file, plain.replace('\nCREATE SEQUENCE', `\n${lines}\nCREATE SEQUENCE`));
    expect((await adopted(file, 'string')).verdict).toBe('pass');
    expect(existsSync(mark)).toBe(false);
  });

  it('SQL that runs a program sees nothing of this machine but the programs', async () => {
    // Anybody may write here: not by rights is it kept from it.
    const open = mkdtempSync('/var/tmp/lifeboat-open-');
    onTestFinished(() => rmSync(open, { recursive: true }));
    chmodSync(open, 0o777);
    const mark = join(open, 'mark');
    const plain = readFileSync(join(folder, 'backup-20250115-143000.sql'), 'utf8');
    const file = join(folder, 'program.sql');
    const copy = `COPY (SELECT 1) TO PROGRAM 'cat > ${mark}';`;
    writeFileSync(file, plain.replace('\nCREATE TABLE', `\n${copy}\nCREATE TABLE`));
    expect(await refusal(file, 'program')).toMatchObject({ code: 'restore-failed' });
    expect(existsSync(mark)).toBe(false);
  });

  it.each([
    ['cluster.sql', '--\n-- PostgreSQL database cluster dump\n--\n', 'pg_dumpall'],
    ['empty.sql', '', 'is empty'],
    ['other.sql', 'SELECT 1;\n', 'no dump of PostgreSQL'],
    ['other.sql.gz', 'SELECT 1;\n', 'no dump of PostgreSQL'],
  ])('%s, which is something else', async (name, text, says) => {
    const file = join(folder, name);
    writeFileSync(file, name.endsWith('.gz') ? gzipSync(text) : text);
    expect(await refusal(file, 'other')).toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining(says),
    });
  });

  it('one that would be of the future, and one that is not there', async () => {
    const file = join(folder, 'backup-20250115-143000.sql');
    await expect(adopted(file, 'other', { 'taken-at': '2999-01-01T00:00:00Z' })).rejects.toThrow('in the future');
    await expect(adopted(join(folder, 'nothing.dump'), 'other')).rejects.toMatchObject({ code: 'invalid-input' });
  });

  it('leaves no scratch server behind', () => {
    expect(readdirSync(scratchDir)).toEqual([]);
  });
});
