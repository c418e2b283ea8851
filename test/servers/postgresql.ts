import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, chownSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';

export interface TestPostgresOptions {
  /** 15 from the distribution, 16 and 18 from npm; default: the highest one with a complete client. */
  readonly major?: number;
  /** Server programs of `major` in another place, e.g. of `programsWithExtension()`. */
  readonly binDir?: string;
  /** Lines of postgresql.conf, e.g. `{ wal_level: 'logical' }`. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Appended to ours (`--encoding=UTF8 --locale=C.UTF-8 --auth=trust`), so they win. */
  readonly initdbArgs?: readonly string[];
  /** The bootstrap role; default `postgres`. */
  readonly superuser?: string;
  /** A server of the same major that this one is to be a standby of, from a base backup on. */
  readonly standbyOf?: TestPostgres;
}

export interface TestPostgres {
  /** Over TCP, as the superuser, to the database `postgres`. */
  readonly url: string;
  urlOf(database: string, user?: string): string;
  readonly socketDir: string;
  readonly port: number;
  /** `initdb`, `postgres`, `pg_ctl` of the server; client programs only when it is the distribution's. */
  readonly binDir: string;
  /** psql, pg_dump, … of the highest major installed on the machine. */
  readonly clientDir: string;
  readonly major: number;
  readonly dataDir: string;
  readonly superuser: string;
  readonly pid: number;
  /** Runs a script, stopping at the first error; gives unaligned tuples. */
  psql(sql: string, database?: string, user?: string): Promise<string>;
  /** What the server has logged so far. */
  log(): string;
  /** As `pg_ctl restart` does: ends it (`fast`: sessions are cut, `immediate`: as in a crash), and starts it again. */
  restart(mode: 'fast' | 'immediate'): Promise<void>;
  /** The two halves of that. */
  down(mode: 'fast' | 'immediate'): Promise<void>;
  up(): Promise<void>;
  /** Ends the server and removes its directory. */
  stop(): Promise<void>;
}

const DISTRIBUTION = '/usr/lib/postgresql';
const START_TRIES = 5;
/** Nothing here has to survive a power cut. */
const FAST = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', max_connections: 40 };

/** Majors that `startPostgres` can start on this machine, ascending. */
export function availableMajors(): number[] {
  return [12, 13, 14, 15, 16, 17, 18, 19].filter((major) => serverDir(major) !== undefined);
}

/** Folder of psql, pg_dump, pg_restore: of `major`, or of the highest one there is. */
export function clientBinDir(major?: number): string {
  const majors = (existsSync(DISTRIBUTION) ? readdirSync(DISTRIBUTION) : []).filter((name) => /^\d+$/.test(name));
  const wanted = majors.filter((name) => major === undefined || Number(name) === major);
  const folders = wanted.sort((a, b) => Number(b) - Number(a)).map((name) => join(DISTRIBUTION, name, 'bin'));
  const found = folders.find((folder) => existsSync(join(folder, 'pg_dump')));
  if (found === undefined) throw new Error(`No PostgreSQL client programs ${major ?? ''} below ${DISTRIBUTION}.`);
  return found;
}

/**
 * Starts an empty cluster of its own on a free port of 127.0.0.1 and a socket in its own directory.
 * As root it runs as an unprivileged user; it dies with this process even when that is killed.
 */
export async function startPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const clientDir = clientBinDir();
  const major = options.major ?? Number(clientDir.split('/').at(-2));
  const binDir = options.binDir ?? reachable(major);
  const superuser = options.superuser ?? 'postgres';
  const home = ownedDirectory();
  try {
    initialise(binDir, home, superuser, options);
    const started = await startOnFreePort(binDir, home);
    return describe({ ...started, home, binDir, clientDir, major, superuser });
  } catch (error) {
    rmSync(home, { recursive: true, force: true });
    throw error;
  }
}

function serverDir(major: number): string | undefined {
  const folders = [join(DISTRIBUTION, String(major), 'bin'), resolve('node_modules', `pg${major}`, 'native', 'bin')];
  return folders.find((folder) => existsSync(join(folder, 'initdb')));
}

const copies = new Map<number, string>();

/** The programs of `major` where the unprivileged user can execute them: a checkout below /root is not. */
function reachable(major: number): string {
  const folder = copies.get(major) ?? serverDir(major);
  if (folder === undefined) {
    throw new Error(`No PostgreSQL ${major} server programs: have ${availableMajors().join(', ') || 'none'}.`);
  }
  const [program, args] = asUser(join(folder, 'initdb'), ['--version']);
  if (spawnSync(program, args, { env: environment() }).status === 0) return folder;
  const copy = mkdtempSync(join(tmpdir(), `lb-pg${major}-`));
  chmodSync(copy, 0o755);
  cpSync(resolve(folder, '..'), copy, { recursive: true, verbatimSymlinks: true });
  process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
  copies.set(major, join(copy, 'bin'));
  return join(copy, 'bin');
}

/** Nothing of PG* or LD_*: a PGPORT from outside would make the server listen somewhere else. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

let cachedUser: { uid: number; gid: number } | undefined;

function unprivileged(): { uid: number; gid: number } {
  const idOf = (flag: string, name: string) => Number(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout);
  const name = spawnSync('id', ['-u', 'postgres']).status === 0 ? 'postgres' : 'nobody';
  cachedUser ??= { uid: idOf('-u', name), gid: idOf('-g', name) };
  return cachedUser;
}

function asUser(program: string, args: readonly string[]): [string, string[]] {
  const rights = isRoot()
    ? [`--reuid=${unprivileged().uid}`, `--regid=${unprivileged().gid}`, '--clear-groups']
    : ['--no-new-privs'];
  return ['setpriv', [...rights, '--pdeathsig', 'KILL', '--', program, ...args]];
}

function ownedDirectory(): string {
  const home = mkdtempSync(join(tmpdir(), 'lb-pg-')); // short: a socket path ends at 107 bytes
  chmodSync(home, 0o755);
  if (isRoot()) chownSync(home, unprivileged().uid, unprivileged().gid);
  return home;
}

function initialise(binDir: string, home: string, superuser: string, options: TestPostgresOptions): void {
  const fixed = ['-D', join(home, 'data'), '-U', superuser, '--no-sync', '--encoding=UTF8', '--locale=C.UTF-8'];
  const { standbyOf, initdbArgs = [] } = options;
  const [program, words] =
    standbyOf === undefined
      ? asUser(join(binDir, 'initdb'), [...fixed, '--auth=trust', ...initdbArgs])
      : asUser(join(standbyOf.clientDir, 'pg_basebackup'), [
          ...['-D', join(home, 'data'), '-d', standbyOf.url, '--write-recovery-conf', '--checkpoint=fast', '--no-sync'],
        ]);
  execFileSync(program, words, { env: environment(), cwd: home, stdio: ['ignore', 'pipe', 'pipe'] });
  const settings = { ...FAST, listen_addresses: '127.0.0.1', unix_socket_directories: home, ...options.settings };
  const quoted = (value: string | number) => `'${String(value).replaceAll("'", "''")}'`;
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quoted(value)}\n`);
  // Of a standby it says already where the primary is; what comes last holds.
  appendFileSync(join(home, 'data', 'postgresql.auto.conf'), lines.join(''));
}

async function startOnFreePort(binDir: string, home: string) {
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    const { child, log } = launch(binDir, home, port);
    if (await isReady(child, log)) return { child, port, log };
    // Somebody else took the port between the look and the start.
    if (tries === START_TRIES || !/could not bind|Address already in use/.test(log())) throw new Error(log());
  }
}

function launch(binDir: string, home: string, port: number): { child: ChildProcess; log: () => string } {
  const [program, args] = asUser(join(binDir, 'postgres'), ['-D', join(home, 'data'), '-p', String(port)]);
  const child = spawn(program, args, { env: environment(), cwd: home, stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    log = (log + chunk).slice(-200_000);
  });
  return { child, log: () => log };
}

function isReady(child: ChildProcess, log: () => string): Promise<boolean> {
  return new Promise((resolvePromise) => {
    child.once('exit', () => resolvePromise(false));
    child.once('error', () => resolvePromise(false));
    child.stderr?.on('data', () => {
      if (log().includes('database system is ready to accept')) resolvePromise(true);
    });
  });
}

/** A port of 127.0.0.1 that nobody has at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolvePromise, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolvePromise(port));
    });
  });
}

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
  readonly log: () => string;
  readonly home: string;
  readonly binDir: string;
  readonly clientDir: string;
  readonly major: number;
  readonly superuser: string;
}

function describe(started: Started): TestPostgres {
  const { home, port, superuser } = started;
  let { child, log } = started;
  const urlOf = (database: string, user = superuser) =>
    `postgresql://${encodeURIComponent(user)}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
  const { binDir, clientDir, major } = started;
  const down = (mode: 'fast' | 'immediate') => end(child, mode);
  const up = async () => {
    const earlier = log();
    const again = launch(binDir, home, port);
    child = again.child;
    log = () => earlier + again.log();
    if (!(await isReady(child, again.log))) throw new Error(`The server did not start again: ${again.log()}`);
  };
  return {
    ...{ url: urlOf('postgres'), urlOf, socketDir: home, port, binDir, clientDir, major, superuser },
    dataDir: join(home, 'data'),
    log: () => log(),
    get pid() {
      return child.pid ?? -1;
    },
    restart: (mode) => down(mode).then(up),
    ...{ down, up },
    psql: (sql, database = 'postgres', user = superuser) =>
      runPsql(join(clientDir, 'psql'), urlOf(database, user), sql),
    stop: () => stop(child, home),
  };
}

/** Runs a script, stopping at the first error; gives unaligned tuples. */
export async function runPsql(program: string, url: string, sql: string): Promise<string> {
  const args = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-f', '-', '-d', url];
  const child = spawn(program, args, { env: environment(), stdio: 'pipe' });
  const closed = new Promise<number | null>((resolvePromise) => child.once('close', resolvePromise));
  child.stdin.on('error', () => {}); // it stopped at an error; its exit code says so
  child.stdin.end(sql);
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  if (code !== 0) throw new Error(`psql exited with ${code}: ${errors.trim()}`);
  return output.replace(/\n$/, '');
}

async function stop(child: ChildProcess, home: string): Promise<void> {
  await end(child, 'fast'); // connections are cut, nobody is waited for
  rmSync(home, { recursive: true, force: true });
}

async function end(child: ChildProcess, mode: 'fast' | 'immediate'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolvePromise) => child.once('exit', resolvePromise));
  child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  const timer = setTimeout(() => child.kill('SIGQUIT'), 10_000);
  await exited;
  clearTimeout(timer);
}
