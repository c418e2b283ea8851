import { named } from './load-target.ts';
import { literal, type Session } from './session.ts';

/** A sequence as it stands in the backup. */
export interface SequenceState {
  readonly name: string;
  readonly value: string;
  readonly isCalled: boolean;
  readonly ascending: boolean;
}

/** What becomes of sequences when rows are put into live tables. */
export interface SequencePlan {
  /** Set as they stood. */
  readonly own: readonly string[];
  /** Tables that keep their rows take numbers from them too: set forward only. */
  readonly shared: readonly SequenceState[];
  /** Not there. */
  readonly missing: readonly string[];
}

/**
 * Sequences of the tables, or all of them when all tables are loaded.
 *
 * @param restored session in the scratch server
 * @param live session in the target
 */
export async function readSequences(
  restored: Session,
  live: Session,
  given: { all: boolean; leaves: readonly string[] },
): Promise<SequencePlan> {
  const found = given.all ? await allSequences(restored) : await sequencesOf(restored, given.leaves);
  const own: string[] = [];
  const shared: SequenceState[] = [];
  const missing: string[] = [];
  for (const name of found) {
    const { there } = await live.one<{ there: boolean }>(`SELECT to_regclass(${literal(name)}) IS NOT NULL AS there`);
    if (!there) missing.push(name);
    else if (await isShared(live, name, given.leaves)) shared.push(await stateOf(restored, name));
    else own.push(name);
  }
  return { own, shared, missing };
}

async function allSequences(session: Session): Promise<string[]> {
  const rows = await session.query<{ name: string }>(`
    SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'S' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid
        AND e.deptype = 'e') ORDER BY 1`);
  return rows.map(({ name }) => name);
}

/** Those that belong to columns of the tables, and those that their defaults take numbers from. */
async function sequencesOf(session: Session, tables: readonly string[]): Promise<string[]> {
  const oids = oidsOf(tables);
  const rows = await session.query<{ name: string }>(`
    SELECT format('%I.%I', n.nspname, s.relname) AS name FROM pg_catalog.pg_class s
    JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
    WHERE s.relkind = 'S' AND (
      EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = s.oid
        AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = ANY (${oids}) AND d.deptype IN ('a', 'i'))
      OR EXISTS (${usersOf('s.oid')} AND a.adrelid = ANY (${oids}))) ORDER BY 1`);
  return rows.map(({ name }) => name);
}

/** A table that is not loaded and holds rows uses it. */
async function isShared(live: Session, sequence: string, loaded: readonly string[]): Promise<boolean> {
  const oid = `${literal(sequence)}::regclass::oid`;
  const users = await live.query<{ name: string }>(`
    SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND NOT c.oid = ANY (${oidsOf(loaded)}) AND EXISTS (${usersOf(oid)} AND a.adrelid = c.oid)`);
  return users.length > 0;
}

/** The first half of a query for defaults that call nextval on a sequence. */
function usersOf(sequence: string): string {
  return `SELECT FROM pg_catalog.pg_attrdef a JOIN pg_catalog.pg_depend d
    ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = a.oid
    WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = ${sequence}`;
}

function oidsOf(tables: readonly string[]): string {
  return `ARRAY[${tables.map((name) => `to_regclass(${literal(name)})::oid`).join(', ')}]::oid[]`;
}

async function stateOf(session: Session, name: string): Promise<SequenceState> {
  return session.one<SequenceState>(`
    SELECT ${literal(name)} AS name, last_value::text AS value, is_called AS "isCalled",
      (SELECT seqincrement > 0 FROM pg_catalog.pg_sequence WHERE seqrelid = ${literal(name)}::regclass) AS ascending
    FROM ${name}`);
}

export async function setForward(live: Session, sequences: readonly SequenceState[]): Promise<void> {
  for (const { name, value, isCalled, ascending } of sequences) {
    const ahead = ascending ? '<' : '>';
    await live.query(`SELECT pg_catalog.setval(${literal(name)}, ${value}, ${isCalled}) AS set
      FROM ${name} WHERE last_value ${ahead} ${value}`);
  }
}

/** Foreign keys that were at rest while rows came, into tables that did not come with them. */
export async function keysNotHeld(live: Session, loaded: readonly string[]): Promise<string[]> {
  const oids = oidsOf(loaded);
  const keys = await live.query<{ name: string; from: string; to: string; columns: string[]; referenced: string[] }>(`
    SELECT format('%I', k.conname) AS name, format('%I.%I', n.nspname, c.relname) AS from,
      format('%s%I.%I', CASE WHEN r.relkind = 'p' THEN '' ELSE 'ONLY ' END, rn.nspname, r.relname) AS to,
      (SELECT jsonb_agg(format('%I', a.attname) ORDER BY u.at) FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, at)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum) AS columns,
      (SELECT jsonb_agg(format('%I', a.attname) ORDER BY u.at) FROM unnest(k.confkey) WITH ORDINALITY AS u (attnum, at)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum) AS referenced
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_class r ON r.oid = k.confrelid JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
    WHERE k.contype = 'f' AND k.convalidated AND k.conrelid = ANY (${oids}) AND NOT k.confrelid = ANY (${oids})
    ORDER BY 2, 1`);
  const broken: string[] = [];
  for (const { name, from, to, columns, referenced } of keys) {
    const set = columns.map((column) => `l.${column} IS NOT NULL`).join(' AND ');
    const same = columns.map((column, at) => `r.${referenced[at]} = l.${column}`).join(' AND ');
    const { rows } = await live.one<{ rows: number }>(
      `SELECT count(*) AS rows FROM ONLY ${from} AS l WHERE ${set} AND NOT EXISTS (SELECT FROM ${to} AS r WHERE ${same})`,
    );
    if (rows > 0) broken.push(`${rows} rows of ${from} lead, by the foreign key ${name}, to rows that are not there.`);
  }
  return broken;
}

/** Materialized views hold what their tables held before. */
export async function viewsToRefresh(live: Session): Promise<string[]> {
  const views = await live.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, matviewname) AS name FROM pg_catalog.pg_matviews WHERE ispopulated ORDER BY 1`,
  );
  if (views.length === 0) return [];
  return [
    `Materialized views were not refreshed: ${named(views.map(({ name }) => `REFRESH MATERIALIZED VIEW ${name}`))}.`,
  ];
}
