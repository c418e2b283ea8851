import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { formatDuration } from '../../core/duration.ts';
import { Failure } from '../../core/failure.ts';
import type { DumpRequest, Log } from '../../core/ports.ts';
import { type Finding, finding } from '../../core/report.ts';
import { withTicker } from '../../core/ticker.ts';
import type { Connecting } from './connecting.ts';
import type { Client } from './programs.ts';
import { literal, type Session } from './session.ts';
import { isParallel } from './stream-plan.ts';
import {
  listRelations,
  type Relation,
  readTableSizes,
  type SelectedTables,
  selectTables,
  type TableSizes,
} from './tables.ts';

/** How often a snapshot that DDL disturbed is taken again. */
const ATTEMPTS = 4;
/**
 * With the locks held, a table can only be out of reach because DDL queues for it, behind ourselves: a deadlock
 * that PostgreSQL cannot see and that keeps everybody else from the table, so it is not waited out.
 */
const BEHIND_DDL_MS = 10_000;
/** Names in one LOCK statement. */
const LOCK_BATCH = 500;

/** An exported snapshot whose tables are locked and known to be untouched since it was taken. */
export interface GuardedSnapshot {
  readonly snapshotId: string;
  readonly takenAt: Date;
  readonly selected: SelectedTables;
  readonly sizes: TableSizes;
  readonly findings: readonly Finding[];
  /** Rejects when the exporting transaction is gone: from then on nothing kept the tables from being rewritten. */
  confirm(): Promise<void>;
  /** Ends the exporting transaction and its locks. */
  close(): Promise<void>;
}

/**
 * Takes a snapshot and ACCESS SHARE locks on every table to be dumped, and starts over when one was
 * rewritten or dropped in between: a TRUNCATE there gives an empty table that even counts under the
 * snapshot agree with (measured on 15.20). With the locks held, nothing can come between any more.
 *
 * @throws {Failure} `source-denied` naming tables we may not read, `source-busy` naming who blocks,
 *                   `source-changed` when four snapshots in a row were disturbed
 */
export async function takeGuardedSnapshot(
  client: Client,
  control: Session,
  request: DumpRequest,
  given: { applicationName: string; connections: Connecting; log: Log },
): Promise<GuardedSnapshot> {
  const findings: Finding[] = [];
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const session = await openOwn(client, request, given);
    try {
      const taken = await exportAndLock(session, control, request, given.log);
      const confirm = () => session.execute('SELECT 1 WHERE false');
      return { ...taken, findings, confirm, close: () => session.close() };
    } catch (error) {
      await session.close();
      if (!(error instanceof Failure) || error.code !== 'source-changed') throw error;
      given.log.warning(`Snapshot ${attempt} was disturbed: ${error.message} Taking a new one.`);
      findings.push(finding('backup-restarted', 'warn', `Snapshot ${attempt} was given up: ${error.message}`));
    }
  }
  throw new Failure(
    'source-changed',
    `DDL disturbed ${ATTEMPTS} snapshots in a row; the last: ${findings.at(-1)?.message ?? ''}`,
    {
      hint: 'Run the backup when no migration or TRUNCATE job runs, or leave out the rows of such tables with `exclude-table-data`.',
    },
  );
}

async function exportAndLock(session: Session, control: Session, request: DumpRequest, log: Log) {
  // now() is fixed at BEGIN and so never later than the snapshot: what was committed before it is in the dump.
  await session.execute('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { snapshotId, takenAt } = await session.one<{ snapshotId: string; takenAt: string | null }>(`
    SELECT pg_export_snapshot() AS "snapshotId",
      to_char(date_trunc('second', CASE WHEN pg_is_in_recovery() THEN pg_last_xact_replay_timestamp() ELSE now() END),
        'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "takenAt"`);
  if (takenAt === null) throw noReplay();
  const relations = await listRelations(session);
  const selected = selectTables(relations, request);
  refuseUnreadable(selected.dumped);
  const locked = isParallel(request) ? [...selected.dumped, ...othersToLock(relations, selected)] : selected.dumped;
  const waitMs = request.tableLockTimeoutMs;
  const waiting = () => `Waiting, at most ${formatDuration(waitMs)} each, for the locks on ${locked.length} tables.`;
  const sleep = (ms: number, signal?: AbortSignal) => delay(ms, undefined, { signal, ref: false }).catch(() => {});
  await withTicker({ sleep, log }, waiting, () => lockTables(session, control, locked, waitMs));
  await refuseRewritten(session, selected.dumped);
  return {
    snapshotId,
    takenAt: new Date(takenAt),
    selected,
    sizes: await readTableSizes(session, selected.dumped, request.scope),
  };
}

/**
 * Tables dumped without rows: one pg_dump locks them itself, but of several each would see them at another
 * moment. Which it may not lock, pg_dump refuses in its own words.
 */
function othersToLock(relations: readonly Relation[], { dumped, excluded }: SelectedTables): Relation[] {
  const known = new Set([...dumped, ...excluded].map(({ oid }) => oid));
  const isTable = ({ kind }: Relation) => kind === 'r' || kind === 'p';
  return relations.filter((one) => isTable(one) && one.extension === null && one.canSelect && !known.has(one.oid));
}

function noReplay(): Failure {
  return new Failure(
    'source-refused',
    'The standby has not replayed any transaction yet: nobody knows how old its data are.',
    {
      hint: 'Wait until it has replayed something from the primary, or back up the primary.',
    },
  );
}

function refuseUnreadable(tables: readonly Relation[]): void {
  const denied = tables.filter((one) => !one.canSelect);
  if (denied.length > 0) {
    throw new Failure('source-denied', `The backup role may not read ${listed(denied)}.`, {
      hint: 'GRANT pg_read_all_data TO the role (PostgreSQL 14 and later), or USAGE on the schemas and SELECT on these tables; or leave them out with `exclude-table-data`.',
    });
  }
  const hidden = tables.filter((one) => one.rowsHidden);
  if (hidden.length > 0) {
    throw new Failure('source-denied', `Row security hides rows of ${listed(hidden)} from the backup role.`, {
      hint: 'ALTER ROLE <role> BYPASSRLS, or leave these tables out with `exclude-table-data`.',
    });
  }
}

function listed(tables: readonly Relation[]): string {
  const more = tables.length > 10 ? ` and ${tables.length - 10} more` : '';
  return (
    tables
      .slice(0, 10)
      .map((one) => one.name)
      .join(', ') + more
  );
}

async function lockTables(
  session: Session,
  control: Session,
  tables: readonly Relation[],
  waitMs: number,
): Promise<void> {
  await session.execute(`SET LOCAL lock_timeout = ${Math.max(1, Math.round(waitMs))}`);
  for (let from = 0; from < tables.length; from += LOCK_BATCH) {
    const batch = tables.slice(from, from + LOCK_BATCH);
    const names = batch.map((one) => `ONLY ${one.name}`).join(', ');
    await session.execute(`LOCK TABLE ${names} IN ACCESS SHARE MODE`).catch(async (error: unknown) => {
      throw await explainLock(error, control, session.pid, batch);
    });
  }
  await session.execute('SET LOCAL lock_timeout = 0');
}

async function explainLock(
  error: unknown,
  control: Session,
  pid: number,
  batch: readonly Relation[],
): Promise<unknown> {
  if (!(error instanceof Failure)) return error;
  if (/does not exist/.test(error.message))
    return new Failure('source-changed', 'a table was dropped or renamed before it could be locked.', { cause: error });
  if (!/lock timeout/.test(error.message)) return error;
  const oids = batch.map((one) => one.oid).join(', ');
  const blockers = await control.query<{
    table: string;
    pid: number;
    user: string;
    application: string;
    state: string;
  }>(`
    SELECT l.relation::regclass::text AS table, a.pid, a.usename AS user, a.application_name AS application, a.state
    FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
    WHERE l.mode = 'AccessExclusiveLock' AND l.granted AND l.relation IN (${oids}) AND a.pid <> ${pid} LIMIT 3`);
  const who = blockers.map(
    (one) =>
      `${one.table} is locked by process ${one.pid} (user ${one.user}, application "${one.application}", ${one.state ?? 'state hidden'})`,
  );
  return new Failure('source-busy', `DDL is in the way: ${who.join('; ') || error.message}.`, {
    cause: error,
    hint: 'A migration, TRUNCATE or VACUUM FULL, or a transaction somebody left open, holds the table longer than `table-lock-timeout`. End it, or run the backup later.',
  });
}

/**
 * pg_class is read under the snapshot, pg_relation_filenode() sees the present: they differ after a rewrite. Only
 * of tables that are dumped: one that is emptied all day long may be left out for that very reason.
 */
async function refuseRewritten(session: Session, dumped: readonly Relation[]): Promise<void> {
  const rewritten = await session.query<{ name: string }>(`
    SELECT format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = ANY ('{${dumped.map(({ oid }) => oid).join(',')}}'::oid[]) AND c.relkind = 'r'
      AND c.relfilenode <> 0 AND c.relfilenode IS DISTINCT FROM pg_relation_filenode(c.oid) LIMIT 5`);
  if (rewritten.length > 0)
    throw new Failure(
      'source-changed',
      `${rewritten.map((one) => one.name).join(', ')} was truncated, rewritten or dropped in the meantime.`,
    );
}

/** A name no other run has, within the 63 bytes PostgreSQL keeps; `holder` tells a waiting run who we are. */
export function makeApplicationName(holder: string): string {
  return `lifeboat ${randomBytes(3).toString('hex')} ${holder}`.slice(0, 60);
}

/** How long whoever works under a guarded snapshot may wait for a lock, in whole milliseconds. */
export function lockWaitMs({ tableLockTimeoutMs }: Pick<DumpRequest, 'tableLockTimeoutMs'>): number {
  return Math.max(1, Math.round(Math.min(tableLockTimeoutMs, BEHIND_DDL_MS)));
}

type OpenGiven = { readonly applicationName: string; readonly connections: Connecting };

function openOwn(client: Client, { signal }: DumpRequest, { applicationName, connections }: OpenGiven) {
  return connections.open(client, { applicationName, signal }, signal);
}

/** A second session in the snapshot, for counting beside the dump. The caller closes. */
export async function openInSnapshot(
  client: Client,
  snapshotId: string,
  request: DumpRequest,
  given: OpenGiven,
): Promise<Session> {
  const session = await openOwn(client, request, given);
  await session.execute(`SET lock_timeout = ${lockWaitMs(request)}`);
  await session.execute('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await session.execute(`SET TRANSACTION SNAPSHOT ${literal(snapshotId)}`);
  return session;
}
