import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { freePort, runPsql, type TestPostgres } from './postgresql.ts';

/** Where scripts/setup.sh unpacks it, with the libraries that it needs. */
const unpacked = resolve(import.meta.dirname, '../../node_modules/.cache/pgbouncer/usr');

/** Path of PgBouncer; undefined when it is not on this machine. */
function pgbouncerProgram(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', join(unpacked, 'sbin')];
  return folders.map((folder) => join(folder, 'pgbouncer')).find((path) => existsSync(path));
}

/** Why tests with a real pooler cannot run here, or undefined. With LIFEBOAT_TEST_REQUIRE_ALL=1 that is an error. */
export function whyNoPgbouncer(): string | undefined {
  if (pgbouncerProgram() !== undefined) return undefined;
  const why = 'pgbouncer not found: bash scripts/setup.sh test unpacks it from its package';
  if (process.env.LIFEBOAT_TEST_REQUIRE_ALL === '1') throw new Error(why);
  console.warn(`Skipped, needs a pooler: ${why}`);
  return why;
}

/** Lines of its section `[pgbouncer]`, e.g. `{ pool_mode: 'transaction' }`. */
export type PgbouncerSettings = Readonly<Record<string, string | number>>;

/**
 * A pool before a server, without passwords, for this test; everybody is the superuser there.
 *
 * @returns how a database is reached through the pool
 */
export async function startPgbouncer(
  server: TestPostgres,
  settings: PgbouncerSettings,
): Promise<Pick<TestPostgres, 'urlOf' | 'psql'>> {
  const home = mkdtempSync(join(tmpdir(), 'lb-pool-'));
  chmodSync(home, 0o755);
  const port = await freePort();
  const lines = {
    ...{ listen_addr: '127.0.0.1', listen_port: port, unix_socket_dir: '', auth_type: 'any' },
    ...settings,
  };
  const section = Object.entries(lines).map(([name, value]) => `${name} = ${value}\n`);
  const databases = `* = host=127.0.0.1 port=${server.port} user=${server.superuser}\n`;
  writeFileSync(join(home, 'ini'), `[databases]\n${databases}[pgbouncer]\n${section.join('')}`);
  // It does not run as root, and nobody else gets into a checkout of root's.
  copyFileSync(pgbouncerProgram() ?? '', join(home, 'pgbouncer'));
  for (const folder of globSync(join(unpacked, 'lib/*')))
    for (const name of readdirSync(folder).filter((one) => one.includes('.so.')))
      copyFileSync(join(folder, name), join(home, name));
  const rights = process.getuid?.() === 0 ? ['--reuid=65534', '--regid=65534', '--clear-groups'] : [];
  const args = [...rights, '--pdeathsig', 'KILL', '--', join(home, 'pgbouncer'), '-q', join(home, 'ini')];
  const child = spawn('setpriv', args, { stdio: ['ignore', 'ignore', 'pipe'], env: { LD_LIBRARY_PATH: home } });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  onTestFinished(async () => {
    if (child.exitCode === null && child.kill()) await once(child, 'exit');
    rmSync(home, { recursive: true, force: true });
  });
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`PgBouncer ended: ${said}`);
    await delay(20);
  }
  const urlOf = (database: string) => server.urlOf(database).replace(`:${server.port}/`, `:${port}/`);
  const psql = (sql: string, database = 'postgres') => runPsql(join(server.clientDir, 'psql'), urlOf(database), sql);
  return { urlOf, psql };
}

function answers(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      settle(true);
    });
    socket.on('error', () => settle(false));
  });
}
