import { formatDuration } from '../../core/duration.ts';
import { Failure, messageOf } from '../../core/failure.ts';
import type { Connection, Scratch, ScratchRequest } from '../../core/ports.ts';
import { type Finding, finding } from '../../core/report.ts';
import { makeScratchDir } from '../../sys/scratch-dir.ts';
import { buildDatabase, globalsOf } from './build-database.ts';
import { refuseSourceServer } from './drill-guard.ts';
import { drillDatabase, drillMark } from './drill-mark.ts';
import { dropDead, dropSurely, hasDatabase } from './drill-traces.ts';
import { askAnew, whileAnswering } from './heartbeat.ts';
import { shielded } from './options.ts';
import { anyClient, type Client, clientForMajor } from './programs.ts';
import type { OpenArtifact, RestoreTarget } from './restore.ts';
import { restoreJobs } from './restore-plan.ts';
import { createMarkedRole, createMissingRoles, roleNames } from './restore-roles.ts';
import type { ConnectedContext } from './scratch.ts';
import { checksOf } from './scratch-checks.ts';
import { mayCreateRoles } from './scratch-role.ts';
import { readServerInfo } from './server-info.ts';
import type { Session } from './session.ts';

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
  const finder = await anyClient(connection, context.env);
  const { stallMs, signal } = request;
  const fellSilent = () => silent(finder.target.label, stallMs);
  return whileAnswering({ ask: askAnew(finder), stallMs, signal, fellSilent }, (alive) =>
    lendDatabase({ ...request, signal: alive.signal }, { connection, finder, silence: alive.silence }, context, use),
  );
}

function silent(where: string, stallMs: number): Failure {
  const message = `The server of \`scratch-url\` (${where}) gave no answer for ${formatDuration(stallMs)}.`;
  return new Failure('scratch-failed', message, {
    hint: 'That server or the network to it hangs: look at both, and drill again. If it is only slow, raise `stall-timeout`.',
  });
}

async function lendDatabase<T>(
  request: ScratchRequest,
  { connection, finder, silence }: { connection: Connection; finder: Client; silence: AbortSignal },
  context: ConnectedContext,
  use: (scratch: Scratch) => Promise<T>,
): Promise<T> {
  const open = (client: Client) =>
    context.connections.open(client, { applicationName: 'lifeboat', signal: silence }, request.signal);
  const first = await open(finder).catch(unreachable);
  const { server, superuser } = await readServerInfo(first).finally(() => first.close());
  await refuseSourceServer(server, request.knownServers ?? []);
  refuseOlder(server.major, request);
  const client = await clientForMajor(connection, context.env, {
    major: server.major,
    program: 'pg_restore',
    allowNewer: true,
    options: shielded(server.major, superuser),
  });
  const folder = await makeScratchDir(request.scratchDir, request.drillId.toLowerCase(), 0);
  // Not bound to the signal: it is what cleans up when we are cancelled.
  const session = await open(client);
  let isDone = false;
  try {
    for (const what of await dropDead(session, context.log)) context.log.info(`Removed ${what} of a killed drill.`);
    const given = { request, context, client, session, folder: folder.path };
    const used = await use(describe(given, { version: server.version, location: client.target.label }));
    isDone = true;
    return used;
  } finally {
    await dropSurely({ client, session, silence, drillId: request.drillId })
      .catch((error: unknown) => {
        if (isDone) throw error;
        // What went wrong before is what the reader needs.
        context.log.warning(messageOf(error));
      })
      .finally(() => folder.remove());
  }
}

/** The hints for a failed connection name `database-url`, and there is none here. */
function unreachable(error: unknown): never {
  // Of a server that fell silent everything is said.
  if (!(error instanceof Failure) || error.code === 'scratch-failed') throw error;
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
  // One of this name that is there is not ours, and must not become it by a role of ours.
  const isFree = !(await hasDatabase(target.session, target.database));
  if (isFree && (await mayCreateRoles(target.session))) await createMarkedRole(target.session, target.database, mark);
  const message = `${created} of ${names.length} roles were missing and were created without login for the time of the drill.`;
  const roles = finding('roles-restored', 'pass', message, { numbers: { created } });
  return [roles, ...(await buildDatabase(target, { comment: mark, explicitLocale: true }, open))];
}
