import { literal, type Session } from './session.ts';

/** What a table looks like to who reads and writes its rows. */
export interface TableShape {
  readonly oid: number;
  /** As facts write it. */
  readonly name: string;
  readonly partitioned: boolean;
  readonly columns: readonly ColumnShape[];
  /** Columns of the primary key in its order; none without one. */
  readonly key: readonly string[];
  /** Sequences that belong to a column: of serial and identity columns. */
  readonly sequences: readonly OwnedSequence[];
  /** Names of tables that its foreign keys lead to. */
  readonly references: readonly string[];
}

export interface ColumnShape {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly generated: boolean;
  readonly identity: boolean;
  readonly hasDefault: boolean;
}

export interface OwnedSequence {
  readonly column: string;
  readonly sequence: string;
  readonly ascending: boolean;
}

const SHAPE = `
  SELECT c.oid::int8 AS oid, format('%I.%I', n.nspname, c.relname) AS name, c.relkind = 'p' AS partitioned,
    coalesce((SELECT jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
        'notNull', a.attnotnull, 'generated', a.attgenerated <> '', 'identity', a.attidentity <> '',
        'hasDefault', a.atthasdef) ORDER BY a.attnum)
      FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]') AS columns,
    coalesce((SELECT jsonb_agg(a.attname ORDER BY k.at)
      FROM pg_catalog.pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, at), pg_catalog.pg_attribute a
      WHERE i.indrelid = c.oid AND i.indisprimary AND k.at <= i.indnkeyatts
        AND a.attrelid = c.oid AND a.attnum = k.attnum), '[]') AS key,
    coalesce((SELECT jsonb_agg(jsonb_build_object('column', a.attname, 'sequence', format('%I.%I', sn.nspname, s.relname),
        'ascending', q.seqincrement > 0) ORDER BY s.oid)
      FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
      JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
      JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
      WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
        AND d.refobjid = c.oid AND d.deptype IN ('a', 'i')), '[]') AS sequences,
    coalesce((SELECT jsonb_agg(DISTINCT format('%I.%I', rn.nspname, r.relname))
      FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
      JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
      WHERE k.conrelid = c.oid AND k.contype = 'f'), '[]') AS references
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p')`;

/** Shapes of tables by their names as facts write them; one that is not there is missing from the answer. */
export async function readShapes(session: Session, names: readonly string[]): Promise<Map<string, TableShape>> {
  const oids = names.map((name) => `to_regclass(${literal(name)})::oid`).join(', ');
  const rows = await session.query<TableShape>(`${SHAPE} AND c.oid = ANY (ARRAY[${oids}]::oid[]) ORDER BY 2`);
  return new Map(rows.map((row) => [row.name, row]));
}
