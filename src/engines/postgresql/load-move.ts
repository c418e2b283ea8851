import { Failure } from '../../core/failure.ts';
import type { TableChoice } from '../../core/table-choice.ts';
import type { Needed } from './load-target.ts';
import { identifier, literal, type Session } from './session.ts';

/** Name of a table after it was moved, its own part as the server wrote it. */
export function movedName(name: string, schema: string): string {
  const [table = ''] = /(?:"(?:[^"]|"")*"|[^".]+)$/su.exec(name) ?? [];
  return `${identifier(schema)}.${table}`;
}

/**
 * Moves the tables, in the scratch server, into a schema of their own: with indexes, keys, checks and the sequences
 * of their columns, and without what ties them to tables that stay.
 *
 * @returns what was left out, a sentence each
 * @throws {Failure} `guard-refused` when two things would have one name there
 */
export async function moveTables(session: Session, choice: TableChoice, schema: string): Promise<string[]> {
  const oids = `ARRAY[${choice.all.map((name) => `${literal(name)}::regclass::oid`).join(', ')}]`;
  const loose = await session.query<{ sql: string; left: string }>(cutLoose(oids));
  const sequences = await session.query<{ name: string }>(sharedSequences(oids));
  const statements = [
    `CREATE SCHEMA ${identifier(schema)}`,
    ...loose.map(({ sql }) => sql),
    ...choice.all.map((name) => `ALTER TABLE ${name} SET SCHEMA ${identifier(schema)}`),
    ...sequences.flatMap(({ name }) => [
      `ALTER SEQUENCE ${name} OWNED BY NONE`,
      `ALTER SEQUENCE ${name} SET SCHEMA ${identifier(schema)}`,
    ]),
  ];
  for (const statement of statements) await session.execute(statement).catch((error: unknown) => throwMove(error));
  return loose.map(({ left }) => left).filter((left) => left !== '');
}

function throwMove(error: unknown): never {
  if (!(error instanceof Failure) || !/already exists in schema/.test(error.message)) throw error;
  throw new Failure('guard-refused', `Two of these tables cannot stand in one schema: ${error.message.trim()}`, {
    cause: error,
    hint: 'Nothing was written. Restore them one by one, each with an `into-schema` of its own.',
  });
}

/** Partitions of parents that stay, children of parents that stay, foreign keys into tables that stay. */
function cutLoose(oids: string): string {
  const name = (oid: string) =>
    `(SELECT format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ${oid})`;
  return `
    SELECT CASE WHEN child.relispartition THEN format('ALTER TABLE %s DETACH PARTITION %s', ${name('i.inhparent')}, ${name('i.inhrelid')})
        ELSE format('ALTER TABLE %s NO INHERIT %s', ${name('i.inhrelid')}, ${name('i.inhparent')}) END AS sql,
      format('%s is a table of its own there, without %s', ${name('i.inhrelid')}, ${name('i.inhparent')}) AS left
    FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class child ON child.oid = i.inhrelid AND child.relkind IN ('r', 'p')
    WHERE i.inhrelid = ANY (${oids}) AND NOT i.inhparent = ANY (${oids})
    UNION ALL
    SELECT format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', ${name('k.conrelid')}, k.conname),
      format('foreign key %s %I (into %s)', ${name('k.conrelid')}, k.conname, ${name('k.confrelid')})
    FROM pg_catalog.pg_constraint k
    WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid = ANY (${oids}) AND NOT k.confrelid = ANY (${oids})`;
}

/** Sequences that a default takes its values from and that belong to no column which moves. */
function sharedSequences(oids: string): string {
  return `
    SELECT DISTINCT format('%I.%I', n.nspname, s.relname) AS name
    FROM pg_catalog.pg_attrdef a
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = a.oid
      AND d.refclassid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
    JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
    WHERE a.adrelid = ANY (${oids}) AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend o
      WHERE o.classid = 'pg_catalog.pg_class'::regclass AND o.objid = s.oid AND o.deptype IN ('a', 'i')
        AND o.refclassid = 'pg_catalog.pg_class'::regclass AND o.refobjid = ANY (${oids}))`;
}

/**
 * What the tables use and what does not come along with them: types, functions, operators, collations, access
 * methods, parents.
 */
export async function readNeeded(session: Session, choice: TableChoice): Promise<Needed[]> {
  const oids = `ARRAY[${choice.all.map((name) => `${literal(name)}::regclass::oid`).join(', ')}]`;
  return session.query<Needed>(`
    WITH own (classid, objid) AS (
      SELECT 'pg_catalog.pg_class'::regclass, unnest(${oids})
      UNION SELECT 'pg_catalog.pg_class'::regclass, i.indexrelid FROM pg_catalog.pg_index i WHERE i.indrelid = ANY (${oids})
      UNION SELECT 'pg_catalog.pg_attrdef'::regclass, a.oid FROM pg_catalog.pg_attrdef a WHERE a.adrelid = ANY (${oids})
      UNION SELECT 'pg_catalog.pg_constraint'::regclass, k.oid FROM pg_catalog.pg_constraint k
        WHERE k.conrelid = ANY (${oids}) AND k.contype <> 'f'
      UNION SELECT 'pg_catalog.pg_type'::regclass, t.oid FROM pg_catalog.pg_type t
        WHERE t.typrelid = ANY (${oids}) OR t.typelem IN (SELECT r.reltype FROM pg_catalog.pg_class r WHERE r.oid = ANY (${oids}))),
    used AS (
      SELECT DISTINCT d.refclassid, d.refobjid FROM own JOIN pg_catalog.pg_depend d USING (classid, objid)
      WHERE d.refclassid = ANY ('{pg_type,pg_proc,pg_operator,pg_opclass,pg_opfamily,pg_collation,pg_am,pg_ts_config,pg_ts_dict,pg_language}'::regclass[])
      EXCEPT SELECT classid, objid FROM own)
    SELECT a.type, i.identity, a.object_names AS names, a.object_args AS args
    FROM used u, pg_catalog.pg_identify_object_as_address(u.refclassid, u.refobjid, 0) AS a,
      pg_catalog.pg_identify_object(u.refclassid, u.refobjid, 0) AS i
    ORDER BY 1, 2`);
}
