import { Failure } from '../../core/failure.ts';
import type { TableChoice } from '../../core/table-choice.ts';
import { identifier, literal, type Session } from './session.ts';
import { readShapes, type TableShape } from './table-shapes.ts';

const MOST_NAMED = 20;

/** A database that tables are put into. */
export interface LoadTarget {
  readonly session: Session;
  /** Its name, for messages. */
  readonly database: string;
}

/**
 * Refuses a schema that holds something, before anything is restored.
 *
 * @returns whether it is there, empty
 * @throws {Failure} `guard-refused`
 */
export async function checkSchema(
  { session, database }: LoadTarget,
  schema: string,
  role: string | undefined,
): Promise<boolean> {
  const who = role === undefined ? 'current_user' : literal(role);
  if (role !== undefined) await refuseRole(session, role);
  const state = await session.one<{ exists: boolean; used: boolean; mayCreate: boolean }>(`
    SELECT n.oid IS NOT NULL AS exists,
      EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass
        AND d.refobjid = n.oid) AS used,
      CASE WHEN n.oid IS NULL THEN has_database_privilege(${who}, current_database(), 'CREATE')
        ELSE has_schema_privilege(${who}, n.oid, 'CREATE') END AS "mayCreate"
    FROM (SELECT ${literal(schema)}::text AS wanted) w LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = w.wanted`);
  if (state.used)
    throw new Failure('guard-refused', `The schema ${schema} of ${database} is there and is not empty.`, {
      hint: `Name with \`into-schema\` one that does not exist, or drop it when nothing in it is needed: DROP SCHEMA ${identifier(schema)} CASCADE.`,
    });
  if (!state.mayCreate)
    throw new Failure(
      'guard-refused',
      `${role ?? 'The user of `target-url`'} may not create anything in ${database} for it.`,
      {
        hint: `GRANT CREATE ON ${state.exists ? `SCHEMA ${identifier(schema)}` : `DATABASE ${identifier(database)}`} TO ${role === undefined ? 'that user' : identifier(role)}, or use another one.`,
      },
    );
  return state.exists;
}

async function refuseRole(session: Session, role: string): Promise<void> {
  const known = await session.query<{ member: boolean }>(
    `SELECT pg_has_role(oid, 'MEMBER') AS member FROM pg_catalog.pg_roles WHERE rolname = ${literal(role)}`,
  );
  if (known[0]?.member === true) return;
  const why =
    known.length === 0 ? 'there is no such role in the target' : 'the user of `target-url` is no member of it';
  throw new Failure('guard-refused', `\`role\` cannot be ${role}: ${why}.`, {
    hint: 'Nothing was written. Name a role that the user of `target-url` may become (SET ROLE), or leave it out.',
  });
}

/** Something that is used by the tables and does not come along. */
export interface Needed {
  readonly type: string;
  readonly identity: string;
  readonly names: readonly string[];
  readonly args: readonly string[];
}

/**
 * Refuses to begin where types, functions and the like are missing that the tables are made of.
 *
 * @throws {Failure} `guard-refused`, naming each
 */
export async function refuseMissing({ session, database }: LoadTarget, needed: readonly Needed[]): Promise<void> {
  const missing: string[] = [];
  for (const one of needed) if (!(await isThere(session, one))) missing.push(`${one.type} ${one.identity}`);
  if (missing.length === 0) return;
  throw new Failure('guard-refused', `The tables need what ${database} does not have: ${named(missing)}.`, {
    hint: 'Nothing was written. Create these there first (an extension brings its own), or restore the backup into a new database: leave `into-schema` out.',
  });
}

async function isThere(session: Session, { type, names, args }: Needed): Promise<boolean> {
  const array = (words: readonly string[]) => `ARRAY[${words.map(literal).join(', ')}]::text[]`;
  const sql = `SELECT (pg_catalog.pg_get_object_address(${literal(type)}, ${array(names)}, ${array(args)})).objid > 0 AS there`;
  try {
    return (await session.one<{ there: boolean }>(sql)).there;
  } catch (error) {
    if (error instanceof Failure && error.code === 'tool-failed') return false;
    throw error;
  }
}

/**
 * Refuses live tables that cannot take the rows as they are.
 *
 * @param shapes of the tables in the backup
 * @throws {Failure} `guard-refused`, naming every table and what is wrong with it
 */
export async function checkTables(
  target: LoadTarget,
  choice: TableChoice,
  shapes: ReadonlyMap<string, TableShape>,
): Promise<void> {
  const { session, database } = target;
  const live = await readShapes(session, choice.leaves);
  const wrong = choice.leaves.flatMap((name) => {
    const [shape, there] = [shapes.get(name), live.get(name)];
    const why = shape === undefined ? undefined : there === undefined ? 'is missing' : differs(shape, there);
    return why === undefined ? [] : [`${name} ${why}`];
  });
  const filled = await filledOf(session, [...live.keys()]);
  wrong.push(...filled.map((name) => `${name} holds rows`));
  if (wrong.length === 0) return;
  throw new Failure('guard-refused', `Rows cannot be put into the tables of ${database}: ${named(wrong)}.`, {
    hint: 'Nothing was written. Tables must be there, empty, with the columns of the backup: restore them beside the live ones with `tables` and `into-schema` instead, or make a new database with `schema-only`.',
  });
}

function differs(shape: TableShape, live: TableShape): string | undefined {
  const there = new Map(live.columns.map((column) => [column.name, column]));
  const needed = shape.columns.filter(({ generated }) => !generated);
  const missing = needed.filter(({ name }) => !there.has(name)).map(({ name }) => name);
  const other = needed.filter(({ name, type }) => there.has(name) && there.get(name)?.type !== type);
  const computed = needed.filter(({ name }) => there.get(name)?.generated).map(({ name }) => name);
  const unfilled = live.columns.filter(
    (one) =>
      !needed.some(({ name }) => name === one.name) &&
      one.notNull &&
      !one.hasDefault &&
      !one.identity &&
      !one.generated,
  );
  const parts = [
    ...(missing.length === 0 ? [] : [`has no column ${missing.join(', ')}`]),
    ...other.map(({ name, type }) => `has ${name} as ${there.get(name)?.type}, not ${type}`),
    ...(computed.length === 0 ? [] : [`computes ${computed.join(', ')} itself`]),
    ...(unfilled.length === 0 ? [] : [`demands a value for ${unfilled.map(({ name }) => name).join(', ')}`]),
  ];
  return parts.length === 0 ? undefined : parts.join(' and ');
}

/** Tables in one statement. */
const BATCH = 200;

async function filledOf(session: Session, names: readonly string[]): Promise<string[]> {
  const filled: string[] = [];
  for (let from = 0; from < names.length; from += BATCH) {
    const parts = names
      .slice(from, from + BATCH)
      .map((name) => `SELECT ${literal(name)} AS name WHERE EXISTS (SELECT FROM ONLY ${name})`);
    const rows = await session.query<{ name: string }>(parts.join(' UNION ALL '));
    filled.push(...rows.map(({ name }) => name));
  }
  return filled;
}

/**
 * How rows are written: with triggers and foreign keys at rest where we may, so that neither the order of tables
 * matters nor anything runs that ran when the rows were made.
 *
 * @returns whether they can be put to rest
 * @throws {Failure} `guard-refused` where they cannot, and triggers would run
 */
export async function checkTriggers({ session, database }: LoadTarget, leaves: readonly string[]): Promise<boolean> {
  const mayRest = await session.execute('SET session_replication_role = replica').then(
    () => true,
    (error: unknown) => {
      if (error instanceof Failure && error.code !== 'source-unreachable') return false;
      throw error;
    },
  );
  if (mayRest) await session.execute('SET session_replication_role = origin');
  const oids = leaves.map((name) => `to_regclass(${literal(name)})::oid`).join(', ');
  const modes = mayRest ? "'A', 'R'" : "'O', 'A'";
  const triggers = await session.query<{ name: string }>(`
    SELECT format('%I on %s', t.tgname, t.tgrelid::regclass) AS name FROM pg_catalog.pg_trigger t
    WHERE NOT t.tgisinternal AND t.tgenabled IN (${modes}) AND t.tgtype & 4 > 0
      AND t.tgrelid = ANY (ARRAY[${oids}]::oid[]) ORDER BY 1`);
  if (triggers.length === 0) return mayRest;
  const why = mayRest
    ? 'they are enabled ALWAYS or for REPLICA'
    : 'the user of `target-url` may not set `session_replication_role`';
  throw new Failure(
    'guard-refused',
    `Triggers of ${database} would run on the rows, since ${why}: ${named(triggers.map(({ name }) => name))}.`,
    {
      hint: 'Nothing was written. Connect as a superuser (from 15 on also a role with GRANT SET ON PARAMETER session_replication_role), or disable these triggers: ALTER TABLE … DISABLE TRIGGER ….',
    },
  );
}

/**
 * Publications that send on what is written: subscribers get rows of tables that they may not have.
 *
 * @param tables none: those of tables that are about to be made
 */
export async function readPublications({ session }: LoadTarget, tables: readonly string[]): Promise<string[]> {
  const oids = tables.map((name) => `to_regclass(${literal(name)})::oid`).join(', ');
  const of = `EXISTS (SELECT FROM pg_catalog.pg_publication_tables t WHERE t.pubname = p.pubname
    AND to_regclass(format('%I.%I', t.schemaname, t.tablename))::oid = ANY (ARRAY[${oids}]::oid[]))`;
  const found = await session.query<{ name: string }>(`SELECT p.pubname AS name FROM pg_catalog.pg_publication p
    WHERE p.puballtables OR ${of} ORDER BY 1`);
  if (found.length === 0) return [];
  return [`What was written goes to the subscribers of ${named(found.map(({ name }) => name))} too.`];
}

export function named(list: readonly string[]): string {
  const more = list.length - MOST_NAMED;
  return list.slice(0, MOST_NAMED).join('; ') + (more > 0 ? `; and ${more} more` : '');
}
