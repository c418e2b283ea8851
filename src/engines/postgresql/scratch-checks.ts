import { availableParallelism } from 'node:os';
import { text } from 'node:stream/consumers';
import type { Facts } from '../../core/facts.ts';
import { Failure } from '../../core/failure.ts';
import type { Manifest } from '../../core/manifest.ts';
import type { Connection, Scratch } from '../../core/ports.ts';
import { type Finding, finding } from '../../core/report.ts';
import type { Tampering } from '../../core/self-test-trial.ts';
import { endOnAbort, failureOf, runText, start } from '../../sys/process.ts';
import type { Connecting } from './connecting.ts';
import { type FactsRequest, type Reread, readFacts } from './facts.ts';
import { anyClient, type Client } from './programs.ts';
import { openSession, type Session } from './session.ts';
import { listRelations, type Relation } from './tables.ts';
import { tamperWith } from './tamper.ts';

/** A restored database, to be looked at. */
export interface RestoredDatabase {
  readonly client: Client;
  readonly database: string;
  readonly manifest: Manifest;
  readonly facts: Facts | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly connections: Connecting;
  readonly signal: AbortSignal;
}

type Checks = Pick<Scratch, 'readFacts' | 'tamper' | 'assert' | 'amcheck' | 'compareWith'>;

export function checksOf(restored: RestoredDatabase): Checks {
  return {
    readFacts: (level) => inDatabase(restored, (session) => readRestoredFacts(restored, session, level)),
    tamper: (known) => tamperRestored(restored, known),
    assert: (name, sql) => assertTrue(restored, name, sql),
    amcheck: () => runAmcheck(restored),
    compareWith: (live) => inDatabase(restored, (session) => compareCounts(session, live, restored)),
  };
}

async function inDatabase<T>(restored: RestoredDatabase, use: (session: Session) => Promise<T>): Promise<T> {
  const { client, database, signal } = restored;
  const session = await openSession(client, { applicationName: 'lifeboat', database, signal });
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

/** Facts of the tables that the backup's facts name: what else there is, the schema's facts tell. */
async function readRestoredFacts(
  restored: RestoredDatabase,
  session: Session,
  level: 'counts' | 'fingerprints',
  known?: FactsRequest['known'],
): Promise<Facts> {
  const tables = await listExpected(restored, session);
  const { scope } = restored.manifest;
  return readFacts(session, { level, tables, scope, unloggedRows: true, ...(known && { known }) });
}

async function listExpected({ facts }: RestoredDatabase, session: Session): Promise<Relation[]> {
  const expected = new Set(facts?.tables.map(({ name }) => name));
  return (await listRelations(session)).filter(({ kind, name }) => kind === 'r' && expected.has(name));
}

async function* tamperRestored(restored: RestoredDatabase, known: Facts): AsyncGenerator<Tampering> {
  const { client, database, signal, facts: expected = known } = restored;
  const session = await openSession(client, { applicationName: 'lifeboat', database, signal });
  try {
    const tables = await listExpected(restored, session);
    const reread = (what: Reread) => readRestoredFacts(restored, session, known.level, { facts: known, reread: what });
    yield* tamperWith({ session, known, expected, tables }, reread);
  } finally {
    await session.close();
  }
}

/** The user's SQL, but none of psql's own commands: it runs outside the scratch server, with our rights. */
async function assertTrue(restored: RestoredDatabase, name: string, sql: string): Promise<Finding> {
  const { client, database, signal } = restored;
  const dsn = client.target.dsn({ applicationName: 'lifeboat', database });
  const args = ['-X', '-q', '-A', '-t', '-w', '-v', 'ON_ERROR_STOP=1', '-d', dsn, '-c', sql.trim()];
  if (sql.trim().startsWith('\\'))
    return finding('assertion', 'unknown', `${name}: a command of psql is no SQL.`, {
      hint: 'Give one statement that yields one row with one boolean.',
    });
  try {
    const answer = await runText(client.command('psql', args, { LC_ALL: 'C' }), { signal });
    if (answer === 't\n') return finding('assertion', 'pass', `${name}: true.`);
    return finding('assertion', 'fail', `${name}: expected one true, got ${describeAnswer(answer)}. ${sql}`, {
      hint: 'Ask the live database the same. If it is false there too, mend the data or the assertion; if not, look at the data of this backup: `keep-scratch: true` keeps them.',
    });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    return finding('assertion', 'unknown', `${name} could not be answered: ${error.message.trim()}`, {
      hint: 'Give one statement that yields one row with one boolean.',
    });
  }
}

/** A row with a null is an empty line to psql, no row is no line at all. */
function describeAnswer(answer: string): string {
  if (answer === '') return 'no row';
  if (answer === '\n') return 'null';
  return answer === 'f\n' ? 'false' : `"${answer.trimEnd().slice(0, 200)}"`;
}

/** Exits with 0: sound; 2: corruption, a line each; anything else: it could not look. */
async function runAmcheck(restored: RestoredDatabase): Promise<Finding[]> {
  const { client, database, signal } = restored;
  const dsn = client.target.dsn({ applicationName: 'lifeboat', database });
  const jobs = `--jobs=${Math.max(1, availableParallelism())}`;
  const args = ['--install-missing', '--heapallindexed', '--no-password', jobs, dsn];
  const running = start(client.command('pg_amcheck', args, { LC_ALL: 'C' }), ['ignore', 'pipe', 'pipe']);
  const stop = endOnAbort(running, signal);
  const output = running.child.stdout === null ? '' : await text(running.child.stdout);
  const exit = await running.exit;
  stop();
  signal.throwIfAborted();
  if (exit.code === 0)
    return [finding('amcheck', 'pass', 'pg_amcheck found no corruption in tables and B-tree indexes.')];
  const said = `${output}\n${exit.stderr}`.trim();
  if (exit.code === 2 && output.trim() !== '')
    return [finding('amcheck', 'fail', `pg_amcheck found corruption: ${said.slice(0, 1000)}`)];
  return [
    finding('amcheck', 'unknown', `pg_amcheck could not look: ${failureOf(exit)?.message ?? said}`.slice(0, 1000), {
      hint: 'It needs PostgreSQL 14 or later and the amcheck extension (Debian: in the server package; elsewhere postgresql-contrib).',
    }),
  ];
}

async function compareCounts(session: Session, connection: Connection, restored: RestoredDatabase) {
  const { env, connections, signal } = restored;
  const live = await connections.open(
    await anyClient(connection, env),
    { applicationName: 'lifeboat', signal },
    signal,
  );
  try {
    const [here, there] = [await tableNames(session), await tableNames(live)];
    const rows: { table: string; live: number | null; restored: number | null }[] = [];
    for (const table of [...new Set([...here, ...there])].sort()) {
      rows.push({
        table,
        live: there.has(table) ? await countRows(live, table) : null,
        restored: here.has(table) ? await countRows(session, table) : null,
      });
    }
    return rows;
  } finally {
    await live.close();
  }
}

async function tableNames(session: Session): Promise<Set<string>> {
  const tables = (await listRelations(session)).filter(({ kind, extension }) => kind === 'r' && extension === null);
  return new Set(tables.map(({ name }) => name));
}

/** Null when it may not be read or is gone: this is for information only. */
async function countRows(session: Session, table: string): Promise<number | null> {
  try {
    return (await session.one<{ rows: number }>(`SELECT count(*) AS rows FROM ONLY ${table}`)).rows;
  } catch (error) {
    if (error instanceof Failure) return null;
    throw error;
  }
}
