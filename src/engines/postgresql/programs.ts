import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../core/failure.ts';
import type { Connection } from '../../core/ports.ts';
import { childEnvironment, type Environment } from '../../sys/environment.ts';
import type { Command } from '../../sys/process.ts';
import { askProgram } from '../../sys/short-command.ts';
import { parseTarget, type Target } from './connection.ts';
import { explain } from './explain.ts';
import { type Options, optionsEnvironment, optionsIn, unhindered, withOptions } from './options.ts';

export type ClientProgram = 'psql' | 'pg_dump' | 'pg_dumpall' | 'pg_restore' | 'pg_amcheck';

/** Programs of one PostgreSQL installation. */
export interface Installation {
  readonly major: number;
  readonly folder: string;
}

/** How to reach one server with libpq's own programs. */
export interface Client {
  readonly target: Target;
  /** True when the programs run elsewhere (`tools-prefix`): nothing is known of their folder. */
  readonly wrapped: boolean;
  /** A command that carries the password by environment; `args` must hold none. `sh`: beside wrapped programs. */
  command(program: ClientProgram | 'sh', args: readonly string[], extraEnv?: Environment): Command;
}

/** Folders where distributions put them, Debian's first. Its `pg_dump` in PATH is a wrapper that picks the highest. */
const LAYOUTS: readonly { base: string; folder: RegExp }[] = [
  { base: '/usr/lib/postgresql', folder: /^(\d+)$/ },
  { base: '/usr', folder: /^pgsql-(\d+)$/ },
  { base: '/opt', folder: /^postgresql-?(\d+)$/ },
];

/** Installations found on this machine that hold `program`, highest major first; with `binDir`, only that one. */
export async function findInstallations(
  env: NodeJS.ProcessEnv,
  binDir: string | undefined,
  program: string,
): Promise<Installation[]> {
  const known = binDir === undefined ? LAYOUTS.flatMap(foldersOf) : [{ folder: binDir, major: undefined }];
  const onPath = binDir === undefined ? pathFolders(env) : [];
  const found: Installation[] = [];
  for (const { folder, major } of [...known, ...onPath]) {
    if (!isExecutable(join(folder, program)) || found.some((other) => other.folder === folder)) continue;
    const actual = major ?? (await majorOf(join(folder, program), env));
    if (actual !== undefined) found.push({ folder, major: actual });
  }
  if (binDir !== undefined && found.length === 0) {
    const others = (await findInstallations(env, undefined, program)).map(({ folder }) => folder);
    const where = others.length === 0 ? 'e.g. /usr/lib/postgresql/16/bin' : `here ${others.join(' or ')}`;
    throw new Failure('tool-missing', `There is no ${program} in ${binDir}.`, {
      hint: `Point \`bin-dir\` at a folder with PostgreSQL programs, ${where}, or leave it out.`,
    });
  }
  return found.toSorted((a, b) => b.major - a.major);
}

function foldersOf({ base, folder }: { base: string; folder: RegExp }): { folder: string; major: number }[] {
  return namesIn(base).flatMap((name) => {
    const major = folder.exec(name)?.[1];
    return major === undefined ? [] : [{ folder: join(base, name, 'bin'), major: Number(major) }];
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // a layout this machine does not have
  }
}

function pathFolders(env: NodeJS.ProcessEnv): { folder: string; major: undefined }[] {
  // Debian's wrappers in /usr/bin answer for an installation that is in the list already.
  const isWrapper = (folder: string) => safeRealpath(join(folder, 'psql')).endsWith('/pg_wrapper');
  const folders = (env.PATH ?? '').split(':').filter((folder) => folder.startsWith('/') && !isWrapper(folder));
  return folders.map((folder) => ({ folder, major: undefined }));
}

function safeRealpath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The major in `psql (PostgreSQL) 15.20 (Debian …)`; undefined when it cannot be run. */
async function majorOf(path: string, env: NodeJS.ProcessEnv): Promise<number | undefined> {
  const command = { program: path, args: ['--version'], env: childEnvironment(env, { libpq: false }) };
  return parseMajor(await askProgram(command).catch(() => ''));
}

export function parseVersion(text: string): string | undefined {
  return /\(PostgreSQL\) (\d+(?:\.\d+)*(?:(?:beta|rc)\d+)?)/.exec(text)?.[1];
}

function parseMajor(text: string): number | undefined {
  const version = parseVersion(text);
  return version === undefined ? undefined : Number.parseInt(version, 10);
}

/**
 * A client whose programs are those in `folder`, or the wrapped ones of `tools-prefix`.
 *
 * @param options that hold in every session, over those of the user, the role and the database
 */
export function clientIn(
  connection: Connection,
  env: NodeJS.ProcessEnv,
  folder: string | undefined,
  options: Options = unhindered(undefined),
): Client {
  const given = env.PGOPTIONS ?? '';
  const target = withTargetOptions(connection, given, options);
  const password = target.password === undefined ? {} : { PGPASSWORD: target.password };
  const [wrapper, ...words] = connection.toolsPrefix ?? [];
  return {
    target,
    wrapped: wrapper !== undefined,
    command: (program, args, extraEnv = {}) => {
      const childEnv = {
        ...childEnvironment(env, { libpq: true }),
        PGCLIENTENCODING: 'UTF8',
        ...optionsEnvironment(given, options),
        ...password,
        ...extraEnv,
      };
      if (wrapper !== undefined) return { program: wrapper, args: [...words, program, ...args], env: childEnv };
      return { program: folder === undefined ? program : join(folder, program), args, env: childEnv };
    },
  };
}

/** Where our environment does not come along, or `options` of the URL would hold in its place. */
function withTargetOptions(connection: Connection, before: string, options: Options): Target {
  const target = parseTarget(connection);
  const isWrapped = connection.toolsPrefix !== undefined;
  return {
    ...target,
    dsn: (given) => {
      const dsn = target.dsn(given);
      return isWrapped || optionsIn(dsn) !== undefined ? withOptions(dsn, before, options) : dsn;
    },
  };
}

/** A client good enough to ask the server its version: the newest psql talks to every older server. */
export async function anyClient(connection: Connection, env: NodeJS.ProcessEnv): Promise<Client> {
  if (connection.toolsPrefix !== undefined) return clientIn(connection, env, undefined);
  const [newest] = await findInstallations(env, connection.binDir, 'psql');
  if (newest !== undefined) return clientIn(connection, env, newest.folder);
  throw new Failure('tool-missing', 'There is no psql on this runner.', {
    hint: "Install PostgreSQL's client programs of the server's major (Debian: apt-get install postgresql-client), or name their folder with `bin-dir`.",
  });
}

/**
 * The client for dumping from a server of `major`: its own major, or with `allowNewer` the lowest above.
 *
 * @throws {Failure} `tool-version`, naming the package; `tool-missing`
 */
export async function clientForMajor(
  connection: Connection,
  env: NodeJS.ProcessEnv,
  given: { major: number; program: ClientProgram; allowNewer: boolean; options?: Options },
): Promise<Client> {
  const { major, program, allowNewer, options = unhindered(major) } = given;
  if (connection.toolsPrefix !== undefined) {
    const client = clientIn(connection, env, undefined, options);
    checkMajor(given, await wrappedMajor(client, program), 'the one that `tools-prefix` runs');
    return client;
  }
  const all = await findInstallations(env, connection.binDir, program);
  const exact = all.find((one) => one.major === major);
  const newer = all.filter((one) => one.major > major).at(-1);
  const chosen = exact ?? (allowNewer ? newer : undefined);
  if (chosen !== undefined) return clientIn(connection, env, chosen.folder, options);
  const best = newer ?? all[0];
  if (best === undefined)
    throw new Failure('tool-missing', `There is no ${program} on this runner.`, { hint: packageHint(major) });
  throw wrongMajor(given, best.major, best.folder);
}

const PREFIX_HINT =
  'The prefix in `tools-prefix` must run the program named after it and pass its output through, e.g. `docker exec -i db`.';

async function wrappedMajor(client: Client, program: ClientProgram): Promise<number> {
  const answer = await askProgram(client.command(program, ['--version'])).catch((error: unknown) => {
    throw explainPrefix(error);
  });
  const major = parseMajor(answer);
  if (major !== undefined) return major;
  throw new Failure(
    'tool-failed',
    `\`tools-prefix\` answered "${answer.trim().slice(0, 80)}" to ${program} --version.`,
    { hint: PREFIX_HINT },
  );
}

/** A failure of the wrapper, or of the program behind it: the words of a known one say more than ours. */
function explainPrefix(error: unknown): unknown {
  if (!(error instanceof Failure)) return error;
  const { code, message, hint } = explain(error, PREFIX_HINT);
  return new Failure(code, message, { ...(hint !== undefined && { hint }), cause: error });
}

function checkMajor(
  given: { major: number; program: string; allowNewer: boolean },
  found: number,
  where: string,
): void {
  if (found === given.major || (given.allowNewer && found > given.major)) return;
  throw wrongMajor(given, found, where);
}

function wrongMajor(given: { major: number; program: string }, found: number, where: string): Failure {
  const why =
    found < given.major
      ? `${given.program} ${found} (${where}) is older than the server, which is ${given.major}: it cannot ${given.program === 'pg_restore' ? 'read its dumps' : 'dump it'}.`
      : `${given.program} ${found} (${where}) is newer than the server, which is ${given.major}: the server's own major may not take such a dump back.`;
  const also = found > given.major ? ' Or accept that with `allow-newer-client: true`.' : '';
  return new Failure('tool-version', why, { hint: packageHint(given.major) + also });
}

function packageHint(major: number): string {
  return `Install postgresql-client-${major} on the runner before this step (on Debian and Ubuntu from apt.postgresql.org), or name its folder with \`bin-dir\`.`;
}
