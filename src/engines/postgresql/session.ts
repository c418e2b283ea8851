import { randomBytes } from 'node:crypto';
import { Failure } from '../../core/failure.ts';
import { endOnAbort, failureOf, type Running, start } from '../../sys/process.ts';
import { explain } from './explain.ts';
import { type Beside, inTransactions, refuseTransactionPool } from './pooler.ts';
import type { Client } from './programs.ts';
import { decodeText, encodeText } from './raw-text.ts';

/**
 * One connection, kept by a psql co-process: URLs, sslmode, .pgpass, service files and containers mean
 * what they mean to pg_dump, and no second client disagrees. Statements run one after the other.
 */
export interface Session {
  /** The backend's process id. */
  readonly pid: number;
  /** Host and port as psql resolved them; an absolute path is a socket folder. */
  readonly host: string;
  readonly port: number | null;
  /**
   * Rows of one SELECT (no semicolon) as objects. Integers past 2^53 must be cast to text in `sql`.
   * Rejects with a `Failure`: `tool-failed` carrying the server's message, or what `explain` makes of it.
   */
  query<T>(sql: string): Promise<T[]>;
  /** The one row of a SELECT; rejects when there is none. */
  one<T>(sql: string): Promise<T>;
  /** Runs statements that return nothing. */
  execute(sql: string): Promise<void>;
  /** Ends the connection; an open transaction is rolled back. */
  close(): Promise<void>;
}

// Whatever the role or database sets by ALTER … SET would hit us too: a statement_timeout kills the
// count of a large table, an idle_in_transaction_session_timeout the snapshot (section 5 of the facts).
const SETTINGS: readonly string[] = [
  `search_path = ''`,
  `timezone = 'UTC'`,
  `datestyle = 'ISO, YMD'`,
  `intervalstyle = 'postgres'`,
  `extra_float_digits = 1`,
  `bytea_output = 'hex'`,
  `quote_all_identifiers = off`,
  `row_security = off`,
  `standard_conforming_strings = on`,
  `statement_timeout = 0`,
  `lock_timeout = 0`,
  `idle_in_transaction_session_timeout = 0`,
  `lc_messages = 'C'`,
  `client_min_messages = error`,
  `jit = off`,
  `tcp_keepalives_idle = 60`,
  `xmlbinary = 'base64'`,
];
/** Only where the server knows them (14 and 17 on): set without an error elsewhere. */
const NEWER_SETTINGS = ['idle_session_timeout', 'transaction_timeout'];
/** May be denied (`lc_messages` is for superusers before 15); messages then come in the server's language. */
const OPTIONAL = new Set([`lc_messages = 'C'`]);

const LINE_END = 0x0a;

/** An idle psql ends in a few milliseconds. */
const CLOSE_MS = 2_000;

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A quoted identifier; safe in SQL and as an exact pattern of pg_dump's `-t`. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export interface SessionRequest {
  readonly applicationName: string;
  readonly database?: string;
  readonly signal?: AbortSignal;
  /** Another session was opened on the same way before: whether a pooler is on it need not be found out again. */
  readonly isKnown?: boolean;
}

/**
 * Connects. The caller closes.
 *
 * @throws {Failure} `source-unreachable`, `source-denied`, `source-refused` (a transaction pooler)
 */
export async function openSession(client: Client, given: SessionRequest): Promise<Session> {
  const opened = connect(client, given);
  try {
    if (given.isKnown !== true) await refuseTransactionPool(opened.talk.ask, async () => beside(client, given));
    return await greet(opened);
  } catch (error) {
    opened.stop();
    await opened.running.end();
    throw error;
  }
}

interface Opened {
  readonly talk: Talk;
  readonly running: Running;
  /** Ends the watch over the signal. */
  readonly stop: () => void;
}

function connect(client: Client, given: SessionRequest): Opened {
  const dsn = client.target.dsn(given);
  const args = ['-X', '-q', '-A', '-t', '-w', '-v', 'ON_ERROR_STOP=0', '-v', 'VERBOSITY=default', '-d', dsn];
  const command = client.command('psql', args, { LC_ALL: 'C', PGCONNECT_TIMEOUT: '15' });
  const running = start(command, ['pipe', 'pipe', 'pipe']);
  return { talk: conversation(running, given.signal), running, stop: endOnAbort(running, given.signal) };
}

function beside(client: Client, given: SessionRequest): Beside {
  const { talk, running, stop } = connect(client, given);
  return {
    ask: talk.ask,
    end: async () => {
      stop();
      await running.end();
    },
  };
}

async function greet({ talk, running, stop }: Opened): Promise<Session> {
  const [host = '', port = ''] = await talk.ask('\\echo :HOST\n\\echo :PORT');
  await switchOffNewer(talk);
  await readRawBytes(talk);
  for (const setting of SETTINGS) {
    await talk.ask(`SET ${setting};`).catch((error: unknown) => {
      if (!OPTIONAL.has(setting)) throw error;
    });
  }
  const query = async <T>(sql: string): Promise<T[]> =>
    (await talk.ask(`SELECT to_jsonb(q)::text FROM (${sql}\n) AS q;`)).map((line) => JSON.parse(line) as T);
  const one = async <T>(sql: string): Promise<T> => {
    const [row] = await query<T>(sql);
    if (row === undefined) throw new Failure('tool-failed', `The server gave no row for: ${sql.slice(0, 200)}`);
    return row;
  };
  const { pid } = await one<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  await refusePooler(pid, one);
  const close = async () => {
    stop();
    running.child.stdin?.end('\\q\n');
    // A psql that waits for a server which says nothing any more would wait for ever, and we for it.
    const timer = setTimeout(() => void running.end(), CLOSE_MS);
    await running.exit;
    clearTimeout(timer);
  };
  return {
    pid,
    host,
    port: port === '' ? null : Number(port),
    query,
    one,
    execute: async (sql) => void (await talk.ask(`${sql};`)),
    close,
  };
}

/** Before all else: a transaction_timeout ends the whole session. */
async function switchOffNewer(talk: Talk): Promise<void> {
  await talk.ask(`SET search_path = '';`);
  const newer = NEWER_SETTINGS.map(literal).join(', ');
  await talk.ask(`SELECT set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name IN (${newer});`);
}

/** Any bytes may stand in such a database, and the server would refuse to send as UTF-8 what is none. */
async function readRawBytes(talk: Talk): Promise<void> {
  const [encoding] = await talk.ask('SHOW server_encoding;');
  if (encoding === 'SQL_ASCII') await talk.ask(`SET client_encoding = 'SQL_ASCII';`);
}

async function refusePooler(pid: number, one: <T>(sql: string) => Promise<T>): Promise<void> {
  const again = await one<{ pid: number; zone: string }>(
    `SELECT pg_backend_pid() AS pid, current_setting('timezone') AS zone`,
  );
  if (again.pid !== pid || again.zone !== 'UTC') throw inTransactions();
}

interface Talk {
  /** Sends statements and resolves with the lines they print. */
  ask(text: string): Promise<string[]>;
}

/** Reads psql's stdout line by line; a random word that only we know ends each answer. */
function conversation(running: Running, signal: AbortSignal | undefined): Talk {
  const marker = randomBytes(16).toString('hex');
  const waiting: { lines: string[]; resolve: (lines: string[]) => void; reject: (error: unknown) => void }[] = [];
  const { stdin, stdout } = running.child;
  stdin?.on('error', () => {}); // EPIPE: the exit below says what happened
  onLines(stdout, (line) => {
    const first = waiting[0];
    if (first === undefined) return;
    if (!line.endsWith(marker)) first.lines.push(line);
    else {
      if (line.length > marker.length) first.lines.push(line.slice(0, -marker.length));
      waiting.shift();
      first.resolve(first.lines);
    }
  });
  let ended: unknown;
  void running.exit.then((exit) => {
    ended = signal?.aborted
      ? signal.reason
      : explain(failureOf(exit) ?? new Failure('source-unreachable', 'psql ended before it was asked to.'));
    for (const { reject } of waiting.splice(0)) reject(ended);
  });
  const send = (text: string) =>
    new Promise<string[]>((resolve, reject) => {
      if (ended !== undefined) return reject(ended);
      waiting.push({ lines: [], resolve, reject });
      stdin?.write(encodeText(`${text}\n\\echo ${marker}\n`));
    });
  return { ask: (text) => ask(send, text) };
}

async function ask(send: (text: string) => Promise<string[]>, text: string): Promise<string[]> {
  // `:ERROR` is psql's own word on the last statement; one more line tells success from failure.
  const lines = await send(`${text}\n\\echo :ERROR`);
  if (lines.at(-1) !== 'true') return lines.slice(0, -1);
  const message = (await send('\\echo :LAST_ERROR_MESSAGE')).join('\n');
  const [state] = await send('\\echo :SQLSTATE');
  throw explain(new Failure('tool-failed', `PostgreSQL answered: ${message} (SQLSTATE ${state})`));
}

/** Not node:readline: it also breaks lines at U+2028, which data may hold. */
function onLines(stream: NodeJS.ReadableStream | null, take: (line: string) => void): void {
  let rest: Buffer[] = [];
  stream?.on('data', (chunk: Buffer) => {
    let from = 0;
    for (let end = chunk.indexOf(LINE_END); end !== -1; end = chunk.indexOf(LINE_END, from)) {
      const line = chunk.subarray(from, end);
      take(decodeText(rest.length === 0 ? line : Buffer.concat([...rest, line])));
      rest = [];
      from = end + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  });
}
