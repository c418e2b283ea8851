import { Failure } from '../../core/failure.ts';
import type { Connection } from '../../core/ports.ts';
import { type Pipeline, startPipeline } from '../../sys/process.ts';
import { type Options, unhindered } from './options.ts';
import { type Client, clientForMajor, clientIn } from './programs.ts';
import { identifier } from './session.ts';

/** Where rows come from and where they go. */
export interface Crossing {
  /** Of the scratch server, and its database there. */
  readonly from: { readonly client: Client; readonly database: string; readonly encoding: string };
  readonly to: {
    readonly connection: Connection;
    readonly client: Client;
    readonly database: string;
    readonly major: number;
  };
  readonly role: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/**
 * Writes a schema of the scratch server into the target, in one transaction: no statement of it is undone alone.
 *
 * @param exists the schema is there, empty
 */
export async function copySchema(crossing: Crossing, schema: string, exists: boolean): Promise<void> {
  const dump = ['--schema', identifier(schema), '--no-publications', '--no-subscriptions', '--no-security-labels'];
  await cross(crossing, dump, exists ? ['--schema', schema] : [], {});
}

/**
 * Writes rows into the target's tables, and sets their sequences, in one transaction.
 *
 * @param given `without`: sequences that are left as they are; `rest`: triggers and foreign keys can be put to rest
 */
export async function copyRows(
  crossing: Crossing,
  given: { tables: readonly string[]; sequences: readonly string[]; without: readonly string[]; rest: boolean },
): Promise<void> {
  const wanted = [...given.tables, ...given.sequences].flatMap((name) => ['--table', exactPattern(name)]);
  const env = given.rest ? { session_replication_role: 'replica' } : {};
  const left = given.without.flatMap((name) => ['--exclude-table-data', exactPattern(name)]);
  await cross(crossing, ['--data-only', ...wanted, ...left], ['--data-only'], env);
}

/** Every part quoted: a name that needs none may still mean something to a pattern. */
function exactPattern(name: string): string {
  const parts = name.match(/"(?:[^"]|"")*"|[^".]+/gsu) ?? [];
  return parts.map((part) => (part.startsWith('"') ? part : identifier(part))).join('.');
}

const LANGUAGE = { LC_ALL: 'C' };

async function cross(
  crossing: Crossing,
  dump: readonly string[],
  restore: readonly string[],
  settings: Options,
): Promise<void> {
  const { from, to, role, env, signal } = crossing;
  const source = from.client.target.dsn({ applicationName: 'lifeboat', database: from.database });
  const client = await restoringClient(to, settings, env);
  const target = client.target.dsn({ applicationName: 'lifeboat', database: to.database });
  const always = ['--exit-on-error', '--single-transaction', '--no-owner', '--no-privileges', '--no-tablespaces'];
  // Its bytes may be no UTF-8; of the others the target takes what UTF8 holds.
  const encoding = from.encoding === 'SQL_ASCII' ? ['--encoding=SQL_ASCII'] : [];
  const asRole = role === undefined ? [] : [`--role=${role}`];
  const commands = [
    from.client.command('pg_dump', ['-Fc', '-Z0', '--no-password', ...encoding, ...dump, '-d', source], LANGUAGE),
    client.command('pg_restore', [...always, '--no-password', ...asRole, ...restore, '-d', target], LANGUAGE),
  ];
  const pipe = startPipeline(commands, 'none', signal);
  pipe.stdout.resume();
  await settle(pipe, to.client.target.label);
}

/** Of the target's major, or as near above it as there is. */
async function restoringClient(to: Crossing['to'], settings: Options, env: NodeJS.ProcessEnv): Promise<Client> {
  const options = { ...unhindered(to.major), ...settings };
  if (to.connection.toolsPrefix !== undefined) return clientIn(to.connection, env, undefined, options);
  return clientForMajor(to.connection, env, { major: to.major, program: 'pg_restore', allowNewer: true, options });
}

async function settle(pipe: Pipeline, where: string): Promise<void> {
  try {
    await pipe.done;
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'tool-failed') throw error;
    throw new Failure('tool-failed', `Nothing was written into ${where}: ${error.message}`, {
      cause: error,
      hint: 'It was one transaction, and it was taken back. Mend what the message says, and restore again.',
    });
  } finally {
    await pipe.end();
  }
}
