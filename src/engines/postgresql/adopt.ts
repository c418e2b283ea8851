import { randomBytes } from 'node:crypto';
import { Transform } from 'node:stream';
import type { Adopted, AdoptRequest, DumpFile } from '../../core/adopt-port.ts';
import { Failure } from '../../core/failure.ts';
import type { Manifest, ServerInfo } from '../../core/manifest.ts';
import type { DumpRequest, Snapshot } from '../../core/ports.ts';
import { childEnvironment } from '../../sys/environment.ts';
import { feed, startPipeline } from '../../sys/process.ts';
import { makeScratchDir } from '../../sys/scratch-dir.ts';
import { openPlain } from './dump-file.ts';
import { planIsolation } from './isolation.ts';
import { optionsEnvironment, shielded } from './options.ts';
import { plainDumpReader } from './plain-dump.ts';
import { type Client, findInstallations, type Installation } from './programs.ts';
import { explainRestore } from './restore-failure.ts';
import { explainDisk, explainFullDisk, refuseClosedFolder, type ScratchContext } from './scratch.ts';
import { findServer, type ScratchServer, startScratchServer } from './scratch-server.ts';
import { identifier, openSession, type Session } from './session.ts';

/** Lends a guarded snapshot of a database; the engine's own. */
export type TakeSnapshot = <T>(
  request: DumpRequest,
  env: NodeJS.ProcessEnv,
  use: (snapshot: Snapshot) => Promise<T>,
) => Promise<T>;

const BOOTSTRAP = 'postgres';
const MIB = 1024 * 1024;
/** These are in every cluster: nothing is made under such a name. */
const TAKEN = new Set(['postgres', 'template0', 'template1']);

/**
 * Restores a file into a scratch server of its own, isolated like a drill's, and lends what is there as a snapshot to
 * be dumped: with facts, in the form of every other backup. Server, folder and socket are gone when `use` settles.
 *
 * @throws {Failure} `restore-failed` when the file does not make a database, `tool-missing`, `scratch-failed`, `disk-full`
 */
export async function withAdopted<T>(
  request: AdoptRequest,
  context: ScratchContext,
  takeSnapshot: TakeSnapshot,
  use: (adopted: Adopted) => Promise<T>,
): Promise<T> {
  const { file, signal } = request;
  const installation = await serverFor(file, request, context);
  const needed = 256 * MIB + Math.round(file.plainBytes * 1.5);
  const folder = await makeScratchDir(request.scratchDir, request.scratchId.toLowerCase(), needed);
  let server: ScratchServer | undefined;
  try {
    const isolation = await planIsolation(context.env, { own: folder.path, programs: installation.folder });
    if (isolation.user !== undefined) await refuseClosedFolder(folder.path);
    const like = likeSource(file, installation.major);
    const settings: string[] = [];
    const plan = { manifest: like, installation, isolation, folder: folder.path, settings, env: context.env, signal };
    server = await startScratchServer(plan);
    const database = await load(server.client, request);
    const options = optionsEnvironment('', shielded(installation.major));
    const env = { ...childEnvironment(context.env, { libpq: false }), ...options };
    const { notIsolated } = isolation;
    return await takeSnapshot(dumpRequest(request, server.client, database), env, (snapshot) =>
      use({ snapshot: { ...snapshot, server: honest(snapshot.server) }, notIsolated }),
    );
  } catch (error) {
    throw (await explainFullDisk(folder.path, error)) ?? explainDisk(folder.path, error);
  } finally {
    await server?.stop('at once');
    await folder.remove().catch((error: unknown) => context.log.warning(String(error)));
  }
}

/** The server's own major, else the next one that is installed: what it makes, no older server takes back. */
async function serverFor(
  { server }: DumpFile,
  { binDir }: AdoptRequest,
  { env, log }: ScratchContext,
): Promise<Installation> {
  const all = (await findInstallations(env, binDir, 'postgres')).toReversed();
  const major = server === undefined ? undefined : Number.parseInt(server, 10);
  if (major === undefined) return all.at(-1) ?? findServer(env, binDir, 0);
  const found = all.find((one) => one.major >= major);
  if (found === undefined) return findServer(env, binDir, major);
  if (found.major > major)
    log.warning(`PostgreSQL ${major} is not installed here: the backup will be one of PostgreSQL ${found.major}.`);
  return found;
}

function likeSource(file: DumpFile, major: number): Pick<Manifest, 'server' | 'totals'> {
  const { provider, collate, ctype, icuLocale } = file.locale ?? {
    ...{ provider: 'libc', collate: 'C.UTF-8', ctype: 'C.UTF-8', icuLocale: undefined },
  };
  const locale = { localeProvider: provider, collate, ctype, ...(icuLocale !== undefined && { icuLocale }) } as const;
  const { objects: schemaObjects, plainBytes: databaseBytes } = file;
  return {
    server: {
      ...{
        version: String(major),
        major,
        systemIdentifier: null,
        host: '',
        port: null,
        database: '',
        owner: BOOTSTRAP,
      },
      ...{ acl: null, connectionLimit: -1, settings: [], encoding: file.encoding, ...locale },
      ...{ bootstrapRole: BOOTSTRAP, standby: false, clockOffsetSeconds: 0 },
    },
    totals: { databaseBytes, tables: schemaObjects, rows: null, schemaObjects },
  };
}

/** Nobody knows where the file's database was: neither its server nor what its clock said. */
function honest(server: ServerInfo): ServerInfo {
  return { ...server, systemIdentifier: null, host: '', port: null, clockOffsetSeconds: 0 };
}

/** Resolves with the name of the database that holds what was in the file. */
async function load(client: Client, { file, source, signal }: AdoptRequest): Promise<string> {
  const session = await openSession(client, { applicationName: 'lifeboat', signal });
  try {
    for (const role of file.roles.filter((name) => name !== BOOTSTRAP)) {
      await session.execute(`CREATE ROLE ${identifier(role)}`);
    }
    const named = file.database !== undefined && !TAKEN.has(file.database) ? file.database : undefined;
    const database = named ?? source;
    try {
      if (file.format === 'sql') await loadPlain(client, session, file, { database, signal });
      else await loadArchive(client, session, file, { database, isNamed: named !== undefined, signal });
    } catch (error) {
      throw withHint(explainRestore(error, file.name));
    }
    return database;
  } finally {
    await session.close();
  }
}

function withHint(error: unknown): unknown {
  if (!(error instanceof Failure) || error.code !== 'restore-failed' || error.hint !== undefined) return error;
  return new Failure(error.code, error.message, {
    cause: error,
    hint: 'The file alone does not make a database, and so is no backup. Usual reasons: it holds single tables or rows only (`-t`, `-a`), was made with `--clean` without `--if-exists`, needs an extension that is not installed here, or is damaged.',
  });
}

async function loadArchive(
  client: Client,
  session: Session,
  file: DumpFile,
  { database, isNamed, signal }: { database: string; isNamed: boolean; signal: AbortSignal },
): Promise<void> {
  // With `--create` come owner, settings, grants and locale of the database itself.
  if (!isNamed) await session.execute(`CREATE DATABASE ${identifier(database)} TEMPLATE template0`);
  const where = client.target.dsn({ applicationName: 'lifeboat', ...(!isNamed && { database }) });
  const args = ['--exit-on-error', '--no-tablespaces', '--no-subscriptions', '--no-password', '-d', where];
  const command = client.command('pg_restore', [...args, ...(isNamed ? ['--create'] : [])], { LC_ALL: 'C' });
  await feed(startPipeline([command], 'pipe', signal), openPlain(file));
}

/**
 * psql has our rights, and a file may come from anywhere: `\!` in it would run a shell. So psql is told with its own
 * `\restrict`, under a key that the file cannot know, to refuse every command but the matching `\unrestrict`; its own
 * lexer decides what is one. What pg_dump itself writes of them is taken out before.
 */
async function loadPlain(
  client: Client,
  session: Session,
  file: DumpFile,
  { database, signal }: { database: string; signal: AbortSignal },
): Promise<void> {
  await session.execute(`CREATE DATABASE ${identifier(database)} TEMPLATE template0`);
  const dsn = client.target.dsn({ applicationName: 'lifeboat', database });
  const args = ['-X', '-q', '-w', '-v', 'ON_ERROR_STOP=1', '-d', dsn, '-f', '-'];
  const command = { ...client.command('psql', args, { LC_ALL: 'C' }), cwd: '/' };
  const key = randomBytes(32).toString('hex');
  const plain = openPlain(file);
  const filtered = restrictedScript(key);
  plain.once('error', (error) => filtered.destroy(error));
  filtered.once('close', () => plain.destroy());
  await feed(startPipeline([command], 'pipe', signal), plain.pipe(filtered)).catch((error: unknown) => {
    throw explainPsql(error, file.name);
  });
}

/** psql exits with 2 when the server is gone, and with 3 when a statement or a command failed. */
function explainPsql(error: unknown, name: string): unknown {
  if (!(error instanceof Failure) || !error.message.startsWith('psql exited with 3')) return error;
  if (error.message.includes('invalid command \\restrict'))
    return new Failure('tool-version', 'This psql does not know `\\restrict`, so nothing of the file was run.', {
      cause: error,
      hint: 'Install the latest minor release of the client programs (13.22, 14.19, 15.14, 16.10, 17.6 or later).',
    });
  if (error.message.includes('backslash commands are restricted'))
    return new Failure('guard-refused', `${name} holds commands for psql beside SQL, which pg_dump does not write.`, {
      cause: error,
      hint: 'They could run programs on this machine, so it was not taken. Look at the lines that begin with a backslash, and find out who put them there.',
    });
  const said = error.message.split('\n').filter((line) => /ERROR|FATAL|PANIC|error:/.test(line));
  const what = said.at(-1)?.replace(/^psql:<stdin>:\d+: /, '') ?? error.message;
  return new Failure('restore-failed', `${name} could not be restored: ${what.slice(0, 500)}`, { cause: error });
}

/** What pg_dump writes for psql alone, or for a server of another major; only where it cannot be part of a text. */
const LEFT_OUT_IN_HEAD =
  /^\\(restrict|unrestrict) [A-Za-z0-9]+$|^(CREATE|DROP) DATABASE .*;$|^SET transaction_timeout = 0;$/;

/** The script as it is given to psql. */
export function restrictedScript(key: string): Transform {
  let made: string | undefined;
  const reader = plainDumpReader((line, { isHead, isTail }) => {
    if (isTail) return /^\\unrestrict [A-Za-z0-9]+$/.test(line);
    // To the database that the dump has just made, and again when its settings hold; psql refuses any other.
    if (isHead && line.startsWith('\\connect ')) made ??= line;
    if (isHead && line === made) return true;
    return isHead && LEFT_OUT_IN_HEAD.test(line);
  });
  const script = new Transform({
    transform(chunk: Buffer, _, done) {
      for (const piece of reader.take(chunk)) this.push(piece);
      done();
    },
    flush(done) {
      for (const piece of reader.end()) this.push(piece);
      done();
    },
  });
  script.push(`\\restrict ${key}\n`);
  return script;
}

function dumpRequest(request: AdoptRequest, client: Client, database: string): DumpRequest {
  const { source, facts, jobs, binDir, stallMs, holder, signal } = request;
  return {
    ...{ source, facts, stallMs, holder, signal, scope: 'full', tables: [], excludeTables: [], excludeTableData: [] },
    connection: {
      url: client.target.dsn({ applicationName: 'lifeboat', database }),
      ...(binDir !== undefined && { binDir }),
    },
    ...{ rolePasswords: false, lockTimeoutMs: 0, tableLockTimeoutMs: 60_000, allowNewerClient: true },
    ...(jobs !== undefined && { jobs }),
  };
}
