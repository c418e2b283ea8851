import { Failure, type FailureCode } from '../../core/failure.ts';
import { PAST_THE_POOLER } from './pooler.ts';

interface Explanation {
  readonly pattern: RegExp;
  readonly code: FailureCode;
  readonly hint: string;
}

/** Said to whoever comes too late for an exported snapshot. */
export const SNAPSHOT_LOST =
  /invalid snapshot identifier|could not import the requested snapshot|snapshot ".*" does not exist/;

const GRANTS =
  'Grant the backup role what it needs (README, "The database role"): GRANT pg_read_all_data TO <role>, BYPASSRLS where row security is used, and SELECT on large objects or superuser where there are any.';

// First match wins. Patterns are those of libpq and the server in their untranslated form: sessions
// and programs run with LC_MESSAGES=C.
const explanations: readonly Explanation[] = [
  {
    // Of a session that waits it is `terminating connection due to …`, which says another thing elsewhere.
    pattern: /due to conflict with recovery/,
    code: 'source-busy',
    hint: 'The standby had to replay what the backup kept waiting: a VACUUM, DROP or TRUNCATE of the primary. Raise `max_standby_streaming_delay` on the standby above what a backup takes (and for VACUUM set `hot_standby_feedback`), or back up the primary.',
  },
  {
    // PgBouncer; of later versions `unsupported startup parameter in options: statement_timeout`.
    pattern: /unsupported startup parameter|not allowed in statement pooling mode/,
    code: 'source-refused',
    hint: PAST_THE_POOLER,
  },
  {
    pattern: /docker daemon|docker API|podman.*connect|No such container|container \S+ is not running/i,
    code: 'tool-failed',
    hint: 'Check that the container of `tools-prefix` runs (`docker ps`), and that the user of this runner may use it (group docker).',
  },
  {
    pattern: /password authentication failed|no password supplied/,
    code: 'source-denied',
    hint: 'Check user and password in `database-url` (special characters percent-encoded), or PGPASSWORD and ~/.pgpass of the runner.',
  },
  {
    pattern: /no pg_hba\.conf entry/,
    code: 'source-denied',
    hint: "Allow this runner's address in pg_hba.conf of the server, and reload it. `no encryption` in the message means that only TLS is allowed: add ?sslmode=require.",
  },
  {
    pattern: /(Peer|Ident) authentication failed/,
    code: 'source-denied',
    hint: 'The socket asks for the system user of that name: connect over TCP (postgresql://user:password@127.0.0.1/…) or map the user in pg_ident.conf.',
  },
  {
    pattern: /permission denied for database/,
    code: 'source-denied',
    hint: 'GRANT CONNECT ON DATABASE <database> TO <role>, as an owner of the database (README, "The database role").',
  },
  {
    pattern: /is not permitted to log in/,
    code: 'source-denied',
    hint: 'ALTER ROLE <role> LOGIN, or use another user in `database-url`.',
  },
  {
    pattern: /is not currently accepting connections/,
    code: 'source-denied',
    hint: 'Name the database at the end of `database-url`; this one is closed (ALTER DATABASE <database> ALLOW_CONNECTIONS true opens it).',
  },
  {
    pattern: /cannot connect to invalid database/,
    code: 'source-denied',
    hint: 'A DROP DATABASE of it was cut off: nothing in it can be read any more. Drop it (DROP DATABASE <database>, from another database), and try again.',
  },
  {
    pattern: /server does not support SSL/,
    code: 'source-unreachable',
    hint: 'Switch on `ssl` on the server, or, where the network is private, leave `sslmode` out of `database-url`.',
  },
  {
    pattern: /certificate verify failed|root certificate file|server certificate for|SSL error|tlsv1 alert/,
    code: 'source-unreachable',
    hint: "Check the certificate of the server: `sslrootcert` must name the authority that signed it, and with `sslmode=verify-full` the host of `database-url` must be the certificate's.",
  },
  {
    pattern:
      /invalid (URI|connection option|sslmode|port number|integer value)|missing "=" after|definition of service/,
    code: 'invalid-input',
    hint: 'Correct `database-url`: postgresql://user:password@host:5432/name?sslmode=require, special characters percent-encoded; parameters are those of libpq.',
  },
  {
    pattern: /database ".*" does not exist/,
    code: 'source-unreachable',
    hint: 'Correct the database name at the end of `database-url`.',
  },
  {
    pattern: /role ".*" does not exist/,
    code: 'source-denied',
    hint: 'Create the role (README, "The database role"), or correct the user in `database-url`.',
  },
  {
    pattern: /too many (connections|clients)|remaining connection slots/,
    code: 'source-busy',
    hint: 'Raise max_connections, or reserve connections for the backup role; a backup needs four.',
  },
  {
    pattern: /could not translate host name|Name or service not known|Temporary failure in name resolution/,
    code: 'source-unreachable',
    hint: 'Correct the host in `database-url`, or the DNS of this runner.',
  },
  {
    pattern:
      /Connection refused|could not connect|timeout expired|No route to host|Network is unreachable|Is the server running|server closed the connection unexpectedly|connection to server .* failed|terminating connection|the database system is (starting up|shutting down|in recovery)/,
    code: 'source-unreachable',
    hint: 'Check that the server runs and that this runner reaches its host and port (firewall, container network, `tools-prefix`).',
  },
  {
    pattern: /row-level security|row security/,
    code: 'source-denied',
    hint: 'Rows hidden by a policy would be missing without a word: give the backup role BYPASSRLS (ALTER ROLE <role> BYPASSRLS).',
  },
  { pattern: /permission denied|must be (superuser|owner)/, code: 'source-denied', hint: GRANTS },
  {
    // pg_dump's `--lock-wait-timeout` is a statement_timeout for its LOCK TABLE.
    pattern: /lock timeout|could not obtain lock|lock-wait-timeout|statement timeout.*LOCK TABLE/s,
    code: 'source-busy',
    hint: 'DDL (ALTER, TRUNCATE, VACUUM FULL, a migration) held a table longer than `table-lock-timeout`, or queued for one while it was read. Run the backup at another time, or raise the limit.',
  },
  {
    pattern: SNAPSHOT_LOST,
    code: 'source-unreachable',
    hint: 'The session that held the snapshot was ended: by somebody on the server (pg_terminate_backend), by a restart, or with its connection. Look at the log of the server, then run it again.',
  },
  {
    pattern: /canceling statement due to user request/,
    code: 'source-refused',
    hint: 'Somebody cancelled it on the server (pg_cancel_backend), or something does so with long statements. Leave backups alone, and run it again.',
  },
  {
    pattern: /server version mismatch/,
    code: 'tool-version',
    hint: "Install the client programs of the server's major on the runner.",
  },
  {
    pattern: /out of shared memory/,
    code: 'source-refused',
    hint: 'The server has no room for the locks: a backup holds one on every table to its end, as pg_dump does. Raise `max_locks_per_transaction` there (64 by default; 512 are enough for some 50,000 tables), and restart it.',
  },
  {
    pattern: /No space left on device|disk full/,
    code: 'disk-full',
    hint: 'Free space where the message says, then run again.',
  },
];

const UNKNOWN =
  'The words are those of the program: search for them in its manual, and in the log of the server. With debug logging (RUNNER_DEBUG=1, `--debug`) the log shows how it was called.';

/**
 * The same failure with the code and hint for an operator, when the message is a known one.
 *
 * @param otherwise the hint for words of a program that nobody knows
 */
export function explain(failure: Failure, otherwise = UNKNOWN): Failure {
  if (failure.hint !== undefined) return failure;
  const known = explanations.find(({ pattern }) => pattern.test(failure.message));
  if (known === undefined && failure.code !== 'tool-failed') return failure;
  const { code, hint } = known ?? { code: failure.code, hint: otherwise };
  return new Failure(code, failure.message, { hint, cause: failure });
}

/** The same for anything thrown; what is no failure of a program stays as it is. */
export function explainError(error: unknown): unknown {
  return error instanceof Failure ? explain(error) : error;
}
