import { Failure } from '../../core/failure.ts';
import type { Connection, Log, Scratch, ScratchRequest } from '../../core/ports.ts';
import { type Finding, finding } from '../../core/report.ts';
import { childEnvironment, type Environment } from '../../sys/environment.ts';
import { makeScratchDir } from '../../sys/scratch-dir.ts';
import { buildDatabase, globalsOf } from './build-database.ts';
import { refuseSourceServer } from './drill-guard.ts';
import { DRILL_PREFIX, drillDatabase, drillMark, isDeadMark } from './drill-mark.ts';
import { anyClient, type Client, clientForMajor } from './programs.ts';
import type { OpenArtifact, RestoreTarget } from './restore.ts';
import { restoreJobs } from './restore-plan.ts';
import { createMissingRoles, roleNames } from './restore-roles.ts';
import type { ConnectedContext } from './scratch.ts';
import { checksOf } from './scratch-checks.ts';
import { shieldedOptions } from './scratch-settings.ts';
import { readServerInfo } from './server-info.ts';
import { identifier, literal, type Session } from './session.ts';

/**
 * Lends a database of our own on a server that is not ours. Only what bears a drill's mark is ever
 * dropped there, and no role that was there before is touched.
 *
 * @throws {Failure} `guard-refused` when a backup comes from this server
 */
export async function withElsewhere<T>(
  request: ScratchRequest,
  scratchUrl: string,
  context: ConnectedContext,
  use: (scratch: Scratch) => Promise<T>,
): Promise<T> {
  const connection = { ...request.connection, url: scratchUrl };
  const first = await context.connections
    .open(await anyClient(connection, context.env), { applicationName: 'lifeboat' }, request.signal)
    .catch(unreachable);
  const { server, superuser } = await readServerInfo(first).finally(() => first.close());
  await refuseSourceServer(server, request.knownServers ?? []);
  refuseOlder(server.major, request);
  const env = { ...childEnvironment(context.env, { libpq: true }), ...shieldedOptions(server.major, superuser) };
  const client = await clientForMajor(shielded(connection, env), env, {
    major: server.major,
    program: 'pg_restore',
    allowNewer: true,
  });
  const folder = await makeScratchDir(request.scratchDir, request.drillId.toLowerCase(), 0);
  // Not bound to the signal: it is what cleans up when we are cancelled.
  const session = await context.connections.open(client, { applicationName: 'lifeboat' }, request.signal);
  try {
    for (const what of await dropDead(session, context.log)) context.log.info(`Removed ${what} of a killed drill.`);
    const given = { request, context, client, session, folder: folder.path };
    return await use(describe(given, { version: server.version, location: client.target.label }));
  } finally {
    await dropOwn(session, request.drillId).finally(() => session.close());
    await folder.remove();
  }
}

/** Where the programs run, our environment does not come along. */
function shielded(connection: Connection, { PGOPTIONS = '' }: Environment): Connection {
  const { toolsPrefix } = connection;
  if (toolsPrefix === undefined) return connection;
  return { ...connection, toolsPrefix: [...toolsPrefix, 'env', `PGOPTIONS=${PGOPTIONS}`] };
}

/** The hints for a failed connection name `database-url`, and there is none here. */
function unreachable(error: unknown): never {
  if (!(error instanceof Failure)) throw error;
  const hint = error.hint?.replaceAll('`database-url`', '`scratch-url`');
  throw new Failure(error.code, `The server of \`scratch-url\` cannot be used: ${error.message}`, {
    cause: error,
    ...(hint !== undefined && { hint }),
  });
}

function refuseOlder(major: number, { manifest }: ScratchRequest): void {
  if (major >= manifest.server.major) return;
  throw new Failure(
    'scratch-failed',
    `\`scratch-url\` leads to PostgreSQL ${major}; the backup comes from ${manifest.server.major}.`,
    {
      hint: 'Give a server of the same major, or leave `scratch-url` out.',
    },
  );
}

interface Elsewhere {
  readonly request: ScratchRequest;
  readonly context: ConnectedContext;
  readonly client: Client;
  readonly session: Session;
  readonly folder: string;
}

function describe(given: Elsewhere, server: { version: string; location: string }): Scratch {
  const { request, context, client, session, folder } = given;
  const { manifest, facts, signal, drillId } = request;
  const target = {
    client,
    session,
    database: drillDatabase(drillId),
    manifest,
    facts,
    folder,
    tuned: false,
    jobs: restoreJobs(manifest, request.jobs),
    signal,
    ...context,
  };
  return {
    server: server.location,
    version: server.version,
    notIsolated: [
      'The server of `scratch-url` was not started by us: code in the dump reached what that server reaches.',
    ],
    restore: (open) => restoreThere(given, target, open),
    ...checksOf(target),
    keep: async () => undefined,
  };
}

async function restoreThere(given: Elsewhere, target: RestoreTarget, open: OpenArtifact): Promise<Finding[]> {
  const { drillId } = given.request;
  const names = roleNames(await globalsOf(target, open), target.facts);
  const mark = drillMark(drillId);
  const created = await createMissingRoles(target.session, names, mark);
  const message = `${created} of ${names.length} roles were missing and were created without login for the time of the drill.`;
  const roles = finding('roles-restored', 'pass', message, { numbers: { created } });
  return [roles, ...(await buildDatabase(target, { comment: mark, explicitLocale: true }, open))];
}

async function dropOwn(session: Session, drillId: string): Promise<void> {
  const mark = drillMark(drillId);
  const own = (await drillDatabases(session)).find(({ name }) => name === drillDatabase(drillId));
  if (own?.comment === mark) await dropDatabase(session, own.name);
  for (const name of await markedRoles(session, (comment) => comment === mark)) await dropRole(session, name);
}

/** Databases and roles that bear the mark of a run on this machine which is over. */
async function dropDead(session: Session, log: Log): Promise<string[]> {
  const dead = (await drillDatabases(session)).filter(({ comment }) => isDeadMark(comment)).map(({ name }) => name);
  const gone: string[] = [];
  const attempt = (what: string, drop: Promise<void>) =>
    drop.then(
      () => void gone.push(what),
      // Made by a drill with another role in its URL; ours goes on without.
      (error: unknown) => log.warning(`The ${what} of a killed drill could not be removed: ${error}`),
    );
  for (const name of dead) await attempt(`database ${name}`, dropDatabase(session, name));
  for (const name of await markedRoles(session, isDeadMark)) await attempt(`role ${name}`, dropRole(session, name));
  return gone;
}

/** By name only: the comment says whose each is. */
function drillDatabases(session: Session): Promise<{ name: string; comment: string | null }[]> {
  return session.query(`
    SELECT datname AS name, shobj_description(oid, 'pg_database') AS comment FROM pg_catalog.pg_database
    WHERE starts_with(datname, ${literal(DRILL_PREFIX)})`);
}

async function dropDatabase(session: Session, name: string): Promise<void> {
  await session.execute(`DROP DATABASE IF EXISTS ${identifier(name)} WITH (FORCE)`);
}

async function markedRoles(session: Session, isOurs: (comment: string | null) => boolean): Promise<string[]> {
  const roles = await session.query<{ name: string; comment: string | null }>(`
    SELECT rolname AS name, shobj_description(oid, 'pg_authid') AS comment FROM pg_catalog.pg_roles`);
  return roles.filter(({ comment }) => isOurs(comment)).map(({ name }) => name);
}

async function dropRole(session: Session, name: string): Promise<void> {
  await session.execute(`DROP ROLE IF EXISTS ${identifier(name)}`);
}
