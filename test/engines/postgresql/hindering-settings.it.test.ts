import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { compareFacts } from '../../../src/core/compare-facts.ts';
import type { Connection } from '../../../src/core/ports.ts';
import { shielded } from '../../../src/engines/postgresql/options.ts';
import { type Client, clientForMajor, clientIn } from '../../../src/engines/postgresql/programs.ts';
import { withScratch } from '../../../src/engines/postgresql/scratch.ts';
import { openSession } from '../../../src/engines/postgresql/session.ts';
import { runText } from '../../../src/sys/process.ts';
import { strictPooler } from '../../e2e/failures-proxies.ts';
import { availableMajors, startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { scratchRequest, silent, takeBackup } from './backup-fixture.ts';

const base = join('/var/tmp', `lbh-${process.pid}`);
const never = new AbortController().signal;
let server: TestPostgres;

// As short as they can be, so that whatever they hold for is ended by them; but for the one that no session could
// begin with which does not know the server's major yet.
const HINDERING = {
  statement_timeout: "'1ms'",
  lock_timeout: "'1ms'",
  idle_in_transaction_session_timeout: "'1ms'",
  idle_session_timeout: "'1h'",
  default_transaction_read_only: 'on',
  default_transaction_isolation: 'serializable',
  search_path: 'nowhere',
  row_security: 'on',
};
const IN_THE_WAY = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout'];
const FREE = { default_transaction_read_only: 'off', default_transaction_isolation: 'read committed' };

beforeAll(async () => {
  server = await startPostgres();
  await server.psql('CREATE DATABASE hindered; CREATE DATABASE "in database"; CREATE ROLE slow LOGIN SUPERUSER');
  for (const database of ['hindered', '"in database"'])
    await server.psql('CREATE TABLE t AS SELECT g FROM generate_series(1, 100000) g', database.replaceAll('"', ''));
  for (const [name, value] of Object.entries(HINDERING))
    await server.psql(`ALTER DATABASE hindered SET ${name} = ${value};
      ALTER ROLE slow IN DATABASE "in database" SET ${name} = ${value}`);
});
afterAll(async () => {
  await server?.stop();
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function clientOf(connection: Connection, env: NodeJS.ProcessEnv = process.env): Client {
  return clientIn(connection, env, server.clientDir);
}

/** Settings of a session that a program of ours opens, which sets nothing itself. */
async function settingsOf(client: Client, names: readonly string[]): Promise<Record<string, string>> {
  const sql = names.map((name) => `SELECT '${name}=' || current_setting('${name}');`).join(' ');
  const args = ['-X', '-A', '-t', '-q', '-d', client.target.dsn({ applicationName: 'test' })];
  const said = await runText(client.command('psql', args.concat(names.length === 0 ? [] : ['-c', sql])), {
    signal: never,
  });
  return Object.fromEntries(
    said
      .trim()
      .split('\n')
      .map((line) => line.split('=', 2)),
  );
}

describe.each([
  { where: 'of the database', url: () => server.urlOf('hindered') },
  { where: 'of the role in the database', url: () => server.urlOf('in database', 'slow') },
])('settings $where', ({ url }) => {
  it('do not hold for our programs', async () => {
    const client = await clientForMajor({ url: url() }, process.env, {
      major: server.major,
      program: 'psql',
      allowNewer: true,
    });
    const none = Object.fromEntries(IN_THE_WAY.map((name) => [name, '0']));
    const expected = { ...none, ...FREE, row_security: 'off' };
    expect(await settingsOf(client, Object.keys(expected))).toEqual(expected);
    const given = client.command('psql', []).env.PGOPTIONS;
    for (const program of ['pg_dump', 'pg_dumpall', 'pg_restore', 'pg_amcheck'] as const)
      expect(client.command(program, []).env.PGOPTIONS).toBe(given);
  });

  it('do not hold where the programs run somewhere else', async () => {
    const [host] = url().match(/127.*:\d+/) ?? [];
    const elsewhere = { toolsPrefix: ['env', '-u', 'PGOPTIONS', 'PATH=/usr/bin:/bin'], toolsHost: host ?? '' };
    expect(await settingsOf(clientOf({ url: url(), ...elsewhere }), Object.keys(FREE))).toEqual(FREE);
  });
});

it('are no hindrance to a backup and its drill, and are restored', async () => {
  const backup = await takeBackup(server, 'hindered');
  expect(backup.manifest.server.settings).toHaveLength(Object.keys(HINDERING).length);
  const left = await withScratch(scratchRequest(backup, base), { env: process.env, log: silent }, async (scratch) => {
    const findings = await scratch.restore(backup.open);
    const facts = await scratch.readFacts('fingerprints');
    if (backup.facts === undefined) throw new Error('There are no facts.');
    return [...findings, ...compareFacts(backup.facts, facts, { sameMajor: true, scope: 'full' })];
  });
  expect(left.filter(({ status }) => status !== 'pass')).toEqual([]);
}, 60_000);

describe('options of the user', () => {
  const WORK_MEM = '-c work_mem=7MB -c statement_timeout=5';

  it('are kept in the environment, and ours come behind them', async () => {
    const client = clientOf({ url: server.url }, { ...process.env, PGOPTIONS: WORK_MEM });
    const expected = { work_mem: '7MB', statement_timeout: '0' };
    expect(await settingsOf(client, Object.keys(expected))).toEqual(expected);
  });

  it('are kept in the URL, where libpq leaves the environment aside', async () => {
    const url = `${server.url}?options=${encodeURIComponent(WORK_MEM)}&connect_timeout=10`;
    const client = clientOf({ url }, { ...process.env, PGOPTIONS: '-c work_mem=9MB' });
    const expected = { work_mem: '7MB', statement_timeout: '0' };
    expect(await settingsOf(client, Object.keys(expected))).toEqual(expected);
    expect(client.target.dsn({ applicationName: 'test' }).match(/options=/g)).toHaveLength(1);
  });

  it('do not undo what shields sessions of a restored database', async () => {
    await server.psql('CREATE ROLE other');
    const url = `${server.url}?options=${encodeURIComponent('-c role=other')}`;
    const client = clientIn({ url }, process.env, server.clientDir, shielded(server.major));
    expect(await settingsOf(client, ['role'])).toEqual({ role: 'none' });
  });
});

it('are refused by a pooler, with the way past it', async () => {
  const pooler = await strictPooler(server.port);
  const client = clientOf({ url: server.url.replace(`:${server.port}/`, `:${pooler.port}/`) });
  await expect(openSession(client, { applicationName: 'test' })).rejects.toMatchObject({
    code: 'source-refused',
    message: expect.stringContaining('unsupported startup parameter: options'),
    hint: expect.stringMatching(/the port of PostgreSQL itself.*ignore_startup_parameters = options/),
  });
});

it.each(availableMajors())(
  'all of them are known to PostgreSQL %i',
  async (major) => {
    const one = await startPostgres({ major });
    try {
      for (const options of [undefined, shielded(major)]) {
        const client = clientIn({ url: one.url }, process.env, one.clientDir, options);
        await (await openSession(client, { applicationName: 'test' })).close();
      }
      const source = await clientForMajor({ url: one.url }, process.env, {
        major,
        program: 'psql',
        allowNewer: true,
      }).catch(
        () => undefined, // programs of the server are newer than those of the client
      );
      if (source !== undefined) await (await openSession(source, { applicationName: 'test' })).close();
    } finally {
      await one.stop();
    }
  },
  60_000,
);
