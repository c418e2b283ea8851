import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../../core/duration.ts';
import type { Facts } from '../../core/facts.ts';
import { Failure } from '../../core/failure.ts';
import type { DumpRequest, Engine, Log, Snapshot } from '../../core/ports.ts';
import { askProgram } from '../../sys/short-command.ts';
import { withAdopted } from './adopt.ts';
import { type Connecting, connecting } from './connecting.ts';
import { planStreams } from './dump.ts';
import { readDumpEncoding } from './dump-encoding.ts';
import { inspectDump } from './dump-file.ts';
import { readGlobals } from './dump-globals.ts';
import { administer, examine } from './examine.ts';
import { SNAPSHOT_LOST } from './explain.ts';
import { mergeSequences, readFacts, readSequences } from './facts.ts';
import { whileAnswering } from './heartbeat.ts';
import { listLeftOut, refuseDependents } from './left-out.ts';
import { loadTables } from './load-tables.ts';
import { anyClient, type Client, clientForMajor, parseVersion } from './programs.ts';
import { removeLeftovers, withScratch } from './scratch.ts';
import { readServerInfo } from './server-info.ts';
import type { Session } from './session.ts';
import {
  type GuardedSnapshot,
  lockWaitMs,
  makeApplicationName,
  openInSnapshot,
  takeGuardedSnapshot,
} from './snapshot.ts';
import { endOwnBackends, lockSource } from './source-lock.ts';
import { withTarget } from './target.ts';

const END_BACKENDS_MS = 3_000;

export interface EngineContext {
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  now(): Date;
}

/** PostgreSQL through its own programs: psql, pg_dump, pg_dumpall, pg_restore, initdb, postgres. */
export function postgresql(context: EngineContext): Engine {
  const connections = connecting(context);
  return {
    name: 'postgresql',
    withSnapshot: (request, use) => withSnapshot(request, { ...context, connections }, use),
    withScratch: (request, use) => withScratch(request, context, use, connections),
    inspectDump: (path, given) => inspectDump(path, { ...given, env: context.env }),
    withAdopted: (request, use) =>
      withAdopted(
        request,
        context,
        (dump, env, useSnapshot) => withSnapshot(dump, { ...context, env, connections }, useSnapshot),
        use,
      ),
    withTarget: (request, use) => withTarget(request, { ...context, connections }, use),
    loadTables: (request) => loadTables(request, { ...context, connections }),
    administer: (connection, statements, signal) =>
      administer(connection, statements, { ...context, connections }, signal),
    examine: (request) => examine(request, { ...context, connections }),
    removeLeftovers: (scratchDir) => removeLeftovers(scratchDir, context),
    retries: () => connections.retries(),
  };
}

type SourceContext = EngineContext & { readonly connections: Connecting };

async function withSnapshot<T>(
  request: DumpRequest,
  context: SourceContext,
  use: (snapshot: Snapshot) => Promise<T>,
): Promise<T> {
  const finder = await anyClient(request.connection, context.env);
  // It may be waiting for a lock.
  const stallMs = request.stallMs + request.tableLockTimeoutMs;
  let control: Session | undefined;
  const heartbeat = {
    // Not on one more connection, since a role may have few. One that was ended is not silent; and as long as there is
    // none, connecting has limits of its own, and its retries take their time.
    ask: async () => void (await control?.one('SELECT 1 AS alive').catch(() => {})),
    stallMs,
    signal: request.signal,
    fellSilent: () => silent(stallMs),
  };
  return whileAnswering(heartbeat, async ({ signal, silence }) => {
    const applicationName = makeApplicationName(request.holder);
    // Not bound to the signal: it is what ends our other backends when we are cancelled.
    control = await context.connections.open(finder, { applicationName, signal: silence }, request.signal);
    return await lockAndUse({ ...request, signal }, context, { control, applicationName }, use);
  });
}

function silent(stallMs: number): Failure {
  return new Failure('stalled', `The database server gave no answer for ${formatDuration(stallMs)}.`, {
    hint: 'The database server or the network to it hangs. Look at its activity, or raise `stall-timeout`.',
  });
}

async function lockAndUse<T>(
  request: DumpRequest,
  context: SourceContext,
  { control, applicationName }: { control: Session; applicationName: string },
  use: (snapshot: Snapshot) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const signal = AbortSignal.any([request.signal, over.signal]);
  try {
    const { source, lockTimeoutMs: waitMs } = request;
    await lockSource(control, { source, waitMs, signal: request.signal, log: context.log });
    await control.execute(`SET lock_timeout = ${lockWaitMs(request)}`);
    return await useSnapshot({ request: { ...request, signal }, context, control, applicationName }, use);
  } finally {
    over.abort();
    await endBackends(control, applicationName, context.log);
    await control.close();
  }
}

/** A server that says nothing any more must not keep a step that has failed because of it. */
async function endBackends(control: Session, applicationName: string, log: Log): Promise<void> {
  const ended = endOwnBackends(control, applicationName).catch((error: unknown) =>
    log.debug(`Own connections could not be ended: ${error}`),
  );
  await Promise.race([ended, sleep(END_BACKENDS_MS, undefined, { ref: false })]);
}

interface Run {
  readonly request: DumpRequest;
  readonly context: SourceContext;
  readonly control: Session;
  readonly applicationName: string;
}

async function useSnapshot<T>(run: Run, use: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const { request, context, control, applicationName } = run;
  const info = await readServerInfo(control);
  const { major } = info.server;
  const client = await clientForMajor(request.connection, context.env, {
    major,
    program: 'pg_dump',
    allowNewer: request.allowNewerClient,
  });
  const clockOffsetSeconds = await readClockOffset(control, context);
  const sequencesBefore = await readSequences(control);
  const guard = await takeGuardedSnapshot(client, control, request, { applicationName, ...context });
  try {
    return await use(await describe(run, { info, client, clockOffsetSeconds, sequencesBefore, guard }));
  } catch (error) {
    throw await whyLost(guard, error);
  } finally {
    await guard.close();
  }
}

/** Whoever comes too late for a snapshot learns only that it is gone; the session that held it knows why. */
async function whyLost(guard: GuardedSnapshot, error: unknown): Promise<unknown> {
  if (!(error instanceof Failure) || !SNAPSHOT_LOST.test(error.message)) return error;
  return guard.confirm().then(
    () => error,
    (why: unknown) => why,
  );
}

interface Taken {
  readonly info: Awaited<ReturnType<typeof readServerInfo>>;
  readonly client: Client;
  readonly clockOffsetSeconds: number;
  readonly sequencesBefore: Awaited<ReturnType<typeof readSequences>>;
  readonly guard: GuardedSnapshot;
}

async function describe(run: Run, taken: Taken): Promise<Snapshot> {
  const { request, context, control, applicationName } = run;
  const { info, client, guard } = taken;
  const { selected, snapshotId, sizes } = guard;
  const { standby } = info.server;
  await refuseDependents(control, selected.excluded);
  const globals = await readGlobals(client, control, { ...request, applicationName });
  const { bytes } = await control.one<{ bytes: number }>('SELECT pg_database_size(current_database()) AS bytes');
  const unlogged = selected.dumped.some((one) => one.unlogged);
  return {
    server: { ...info.server, clockOffsetSeconds: taken.clockOffsetSeconds },
    takenAt: guard.takenAt,
    client: await versionOf(client),
    databaseBytes: bytes,
    tables: selected.dumped.length,
    findings: [...guard.findings, ...globals.findings],
    leftOut: await listLeftOut(control, request, { selected, superuser: info.superuser, standby, unlogged }),
    streams: planStreams({
      client,
      request,
      env: context.env,
      snapshotId,
      encoding: await readDumpEncoding(control, info.server.encoding),
      applicationName,
      selected,
      sizes,
      globals: globals.text,
    }),
    readFacts: () => factsInSnapshot(run, taken),
    finish: (facts) => finishFacts(run, taken, facts),
  };
}

async function factsInSnapshot(run: Run, taken: Taken): Promise<Facts | undefined> {
  const { request, applicationName } = run;
  const { selected, snapshotId } = taken.guard;
  if (request.facts === 'none') return undefined;
  const session = await openInSnapshot(taken.client, snapshotId, request, {
    applicationName,
    connections: run.context.connections,
  });
  try {
    const unloggedRows = !taken.info.server.standby;
    return await readFacts(session, {
      level: request.facts,
      tables: selected.dumped,
      excluded: selected.excluded,
      withoutRows: selected.withoutRows,
      scope: request.scope,
      unloggedRows,
    });
  } finally {
    await session.close();
  }
}

async function finishFacts(run: Run, taken: Taken, facts: Facts | undefined) {
  await taken.guard.confirm();
  if (facts === undefined) return { facts, findings: [] };
  return mergeSequences(facts, taken.sequencesBefore, await readSequences(run.control));
}

/** Server minus runner, in seconds, by the middle of one round trip. */
async function readClockOffset(session: Session, context: EngineContext): Promise<number> {
  const asked = context.now().getTime();
  const { at } = await session.one<{ at: number }>('SELECT extract(epoch FROM clock_timestamp())::float8 AS at');
  const middle = (asked + context.now().getTime()) / 2;
  return Math.round(at - middle / 1000);
}

async function versionOf(client: Client): Promise<string> {
  const answer = await askProgram(client.command('pg_dump', ['--version']));
  return `pg_dump ${parseVersion(answer) ?? answer.trim()}`;
}
