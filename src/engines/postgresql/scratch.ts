import { Failure, type FailureCode } from '../../core/failure.ts';
import type { Log, Scratch, ScratchRequest } from '../../core/ports.ts';
import type { Finding } from '../../core/report.ts';
import {
  closedFolderAbove,
  freeBytesOf,
  makeScratchDir,
  removeLeftoverDirs,
  type ScratchDir,
} from '../../sys/scratch-dir.ts';
import { buildDatabase, globalsOf } from './build-database.ts';
import { type Connecting, connecting } from './connecting.ts';
import { drillDatabase, drillMark } from './drill-mark.ts';
import { planIsolation } from './isolation.ts';
import type { OpenArtifact, RestoreTarget } from './restore.ts';
import { OUT_OF_ROOM, SCRATCH_FULL } from './restore-failure.ts';
import { restoreJobs } from './restore-plan.ts';
import { ownersAsSql, restoreRoles } from './restore-roles.ts';
import { checksOf } from './scratch-checks.ts';
import { withElsewhere } from './scratch-elsewhere.ts';
import { findServer, type ScratchServer, startScratchServer } from './scratch-server.ts';
import { estimateScratchBytes } from './scratch-space.ts';
import { openSession, type Session } from './session.ts';

/** Less than one segment of WAL. */
const FULL_BYTES = 8 << 20;

export interface ScratchContext {
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
}

export interface ConnectedContext extends ScratchContext {
  readonly connections: Connecting;
}

/**
 * Lends an empty server of the backup's major: an own one, or the one of `scratch-url`. Processes,
 * folder and socket (there: database and roles) are gone when `use` settles.
 *
 * @throws {Failure} `tool-missing`, `scratch-failed`, `disk-full`, `guard-refused`
 */
export async function withScratch<T>(
  request: ScratchRequest,
  context: ScratchContext,
  use: (scratch: Scratch) => Promise<T>,
  connections: Connecting = connecting(context),
): Promise<T> {
  if (request.scratchUrl !== undefined)
    return withElsewhere(request, request.scratchUrl, { ...context, connections }, use);
  return withOwnServer(request, { ...context, connections }, (own) => use(describe(own)));
}

/** A server of our own, and the empty database in it that a backup is to be restored into. */
export interface OwnServer {
  readonly target: RestoreTarget & { readonly connections: Connecting };
  readonly version: string;
  readonly notIsolated: readonly string[];
  /** The comment that its databases bear. */
  readonly mark: string;
  keep(): Promise<string | undefined>;
}

/** As `withScratch`, always of our own, for who works in it with SQL. */
export async function withOwnServer<T>(
  request: ScratchRequest,
  context: ConnectedContext,
  use: (own: OwnServer) => Promise<T>,
): Promise<T> {
  const installation = await findServer(context.env, request.connection.binDir, request.manifest.server.major);
  const needed = estimateScratchBytes(request.manifest, request.artifactBytes);
  const folder = await makeScratchDir(request.scratchDir, request.drillId.toLowerCase(), needed);
  const end = endOf(folder, request, context);
  try {
    const isolation = await planIsolation(context.env, { own: folder.path, programs: installation.folder });
    if (isolation.user !== undefined) await refuseClosedFolder(folder.path);
    const { manifest, settings, signal } = request;
    const plan = { manifest, installation, isolation, folder: folder.path, settings, env: context.env, signal };
    end.server = await startScratchServer(plan);
    const { notIsolated } = isolation;
    return await use(await connect(end, { request, context, folder, notIsolated }));
  } catch (error) {
    end.keep = true;
    throw (await explainFullDisk(folder.path, error)) ?? explainDisk(folder.path, error);
  } finally {
    await end.run();
  }
}

/** What fails because of the machine; damage and wrong keys stay what they are, however full the disk. */
const MAY_BE_FULL: ReadonlySet<FailureCode> = new Set([
  'disk-full',
  'restore-failed',
  'scratch-failed',
  'source-unreachable',
  'tool-failed',
]);

/** A server on a full disk fails in many words, and none of them may disprove a backup. */
export async function explainFullDisk(path: string, error: unknown): Promise<Failure | undefined> {
  if (!(error instanceof Failure) || !MAY_BE_FULL.has(error.code)) return undefined;
  if (error.code !== 'disk-full' && (await freeBytesOf(path)) >= FULL_BYTES) return undefined;
  const message = error.message.startsWith(OUT_OF_ROOM) ? error.message : `${OUT_OF_ROOM}: ${error.message}`;
  return new Failure('disk-full', message, { cause: error, hint: SCRATCH_FULL });
}

/** An error of the file system on our own folder, e.g. of a disk that the kernel has just mounted read-only. */
export function explainDisk(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || error instanceof Failure) return error;
  return new Failure('scratch-failed', `The scratch folder ${path} failed: ${error.message}`, {
    cause: error,
    hint: 'Check the disk and its mount (`dmesg`, `mount`), or name another folder with `scratch-dir`.',
  });
}

/** Removes what killed runs left below `scratchDir`; says what it was. */
export async function removeLeftovers(scratchDir: string, context: ScratchContext): Promise<string[]> {
  const removed = await removeLeftoverDirs(scratchDir);
  for (const what of removed) context.log.info(`Removed ${what}`);
  return removed;
}

interface End {
  server: ScratchServer | undefined;
  session: Session | undefined;
  /** A person shall look at it; applies with `keepOnFailure` only. */
  keep: boolean;
  run(): Promise<void>;
}

function endOf(folder: ScratchDir, request: ScratchRequest, { log }: ScratchContext): End {
  const end: End = {
    server: undefined,
    session: undefined,
    keep: false,
    run: async () => {
      const isKept = end.keep && request.keepOnFailure && end.server !== undefined && !request.signal.aborted;
      await end.session?.close();
      await end.server?.stop(isKept ? 'tidy' : 'at once');
      // What went wrong before is what the reader needs; the next drill removes the rest.
      if (!isKept) return folder.remove().catch((error: unknown) => log.warning(String(error)));
      await folder.keep();
      log.info(`The scratch server was kept for 24 hours in ${folder.path}.`);
    },
  };
  return end;
}

export async function refuseClosedFolder(path: string): Promise<void> {
  const closed = await closedFolderAbove(path);
  if (closed === undefined) return;
  throw new Failure(
    'scratch-failed',
    `${closed} lets no other user pass, and as root the scratch server runs as one.`,
    {
      hint: `chmod o+x ${closed}, or name another folder with \`scratch-dir\`.`,
    },
  );
}

interface Own {
  readonly request: ScratchRequest;
  readonly context: ConnectedContext;
  readonly folder: ScratchDir;
  readonly notIsolated: readonly string[];
}

async function connect(end: End, own: Own): Promise<OwnServer> {
  const { request, context, folder, notIsolated } = own;
  const { manifest, facts, signal } = request;
  const client = end.server?.client;
  if (client === undefined) throw new Failure('scratch-failed', 'The scratch server is gone.');
  const session = await openSession(client, { applicationName: 'lifeboat', signal });
  end.session = session;
  const { version } = await session.one<{ version: string }>(`SELECT current_setting('server_version') AS version`);
  const database = drillDatabase(request.drillId);
  const jobs = restoreJobs(manifest, request.jobs);
  const given = { manifest, facts, folder: folder.path, tuned: true, jobs, signal, ...context };
  return {
    target: { client, session, database, ...given },
    version: version.split(' ')[0] ?? version,
    notIsolated,
    mark: drillMark(request.drillId),
    keep: async () => {
      end.keep = true;
      return request.keepOnFailure ? folder.path : undefined;
    },
  };
}

function describe(own: OwnServer): Scratch {
  const { target, version, notIsolated, keep } = own;
  return {
    server: 'own',
    version,
    notIsolated,
    restore: (open) => restoreOwn(own, open),
    ...checksOf(target),
    keep,
  };
}

async function restoreOwn({ target, mark }: OwnServer, open: OpenArtifact): Promise<Finding[]> {
  const roles = await restoreOwnRoles(target, open);
  const rest = await buildDatabase(target, { comment: mark, explicitLocale: false }, open);
  return [roles, ...rest];
}

/** Roles of the backup, in a server of our own. */
export async function restoreOwnRoles(target: RestoreTarget, open: OpenArtifact): Promise<Finding> {
  const { session, facts, manifest } = target;
  const globals = await globalsOf(target, open);
  return restoreRoles(session, globals ?? ownersAsSql(facts), manifest.server.bootstrapRole);
}
