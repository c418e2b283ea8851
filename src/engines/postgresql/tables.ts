import { Failure } from '../../core/failure.ts';
import type { Scope } from '../../core/manifest.ts';
import { type NamePattern, parsePattern } from '../../core/table-pattern.ts';
import type { Session } from './session.ts';

/** A table whose rows this dump holds. */
export interface DumpedTable {
  readonly oid: number;
  readonly schema: string;
  readonly relname: string;
  /** `quote_ident(schema).quote_ident(table)`. */
  readonly name: string;
  /** `WHERE …` of an extension's configuration table (`pg_extension_config_dump`). */
  readonly condition: string | null;
}

export interface TableSelection {
  readonly scope: Scope;
  /** Names as the user wrote them: exact, case kept, `*` and `?` as wildcards. */
  readonly tables: readonly string[];
  readonly excludeTables: readonly string[];
  readonly excludeTableData: readonly string[];
}

/** A relation of the user's schemas that may hold rows, or shapes which do (`p`, `m`). */
export interface Relation extends DumpedTable {
  readonly kind: 'r' | 'p' | 'm' | 'f';
  readonly unlogged: boolean;
  /** Extension it belongs to; its rows are dumped only when `configuration`. */
  readonly extension: string | null;
  readonly configuration: boolean;
  /** Oid of the partitioned table it is a partition of. */
  readonly partitionOf: number | null;
  readonly canSelect: boolean;
  readonly rowsHidden: boolean;
}

/** What a selection comes to in one database. */
export interface SelectedTables {
  /** Rows dumped. */
  readonly dumped: readonly Relation[];
  /** Definition dumped, rows left out because the user said so. */
  readonly withoutRows: readonly Relation[];
  /** Nothing dumped. */
  readonly excluded: readonly Relation[];
}

const RELATIONS = `
  SELECT c.oid::int8 AS oid, n.nspname AS schema, c.relname, c.relkind AS kind,
    format('%I.%I', n.nspname, c.relname) AS name,
    c.relpersistence = 'u' AS unlogged, e.extname AS extension,
    coalesce(c.oid = ANY (e.extconfig), false) AS configuration,
    nullif(e.extcondition[array_position(e.extconfig, c.oid)], '') AS condition,
    CASE WHEN c.relispartition THEN
      (SELECT i.inhparent::int8 FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid) END AS "partitionOf",
    has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS "canSelect",
    c.relkind IN ('r', 'p') AND row_security_active(c.oid) AS "rowsHidden"
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_depend d
    ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
  WHERE c.relkind IN ('r', 'p', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  ORDER BY 2, 3`;

/** Every relation of the database that a dump could hold, by schema and name. */
export async function listRelations(session: Session): Promise<Relation[]> {
  return await session.query<Relation>(RELATIONS);
}

/** How much there is to dump. */
export interface TableSizes {
  /** Bytes of heap and TOAST, without indexes, by oid. */
  readonly tables: ReadonlyMap<number, number>;
  /** Of all large objects; 0 where the scope holds none. */
  readonly largeObjects: number;
}

/** Waits for whoever has locked one of the tables: lock them first. */
export async function readTableSizes(
  session: Session,
  tables: readonly DumpedTable[],
  scope: Scope,
): Promise<TableSizes> {
  const oids = tables.map((one) => one.oid).join(',');
  const rows = await session.query<{ oid: number; bytes: number | null }>(
    `SELECT oid::int8 AS oid, pg_table_size(oid)::int8 AS bytes FROM unnest('{${oids}}'::oid[]) AS oid`,
  );
  const { bytes } = await session.one<{ bytes: number }>(
    `SELECT pg_table_size('pg_catalog.pg_largeobject')::int8 AS bytes`,
  );
  const hasLargeObjects = scope === 'full' || scope === 'data';
  return { tables: new Map(rows.map((one) => [one.oid, one.bytes ?? 0])), largeObjects: hasLargeObjects ? bytes : 0 };
}

/**
 * Applies a selection.
 *
 * @throws {Failure} `invalid-input` when a pattern matches nothing: a misspelt table must not be an empty backup
 */
export function selectTables(relations: readonly Relation[], selection: TableSelection): SelectedTables {
  const excluded = matching(relations, selection.excludeTables, 'exclude-tables');
  const left = relations.filter((one) => !excluded.has(one.oid));
  const named = selection.scope === 'tables' ? matching(left, selection.tables, 'tables') : undefined;
  const dataless = matching(left, selection.excludeTableData, 'exclude-table-data');
  const holdsRows = (one: Relation) =>
    selection.scope !== 'schema' && (named === undefined || named.has(one.oid)) && !dataless.has(one.oid);
  const isTable = (one: Relation) => one.kind === 'r' && (one.extension === null || one.configuration);
  return {
    dumped: left.filter((one) => isTable(one) && holdsRows(one)),
    withoutRows: left.filter((one) => (isTable(one) || one.kind === 'm') && !holdsRows(one)),
    excluded: relations.filter((one) => excluded.has(one.oid)),
  };
}

/** Tables whose rows this dump holds, as facts count them. */
export async function listDumpedTables(session: Session, selection: TableSelection): Promise<DumpedTable[]> {
  return [...selectTables(await listRelations(session), selection).dumped];
}

/** Oids that the patterns match; a partitioned table stands for its partitions. */
function matching(relations: readonly Relation[], patterns: readonly string[], input: string): Set<number> {
  const found = new Set<number>();
  for (const text of patterns) {
    const hits = matchOne(relations, parsePattern(text, input));
    if (hits.length === 0) throw noSuchTable(relations, text, input);
    for (const hit of hits) addWithPartitions(relations, hit, found);
  }
  return found;
}

function matchOne(relations: readonly Relation[], pattern: NamePattern): Relation[] {
  return relations.filter((one) => pattern.table.test(one.relname) && (pattern.schema?.test(one.schema) ?? true));
}

function addWithPartitions(relations: readonly Relation[], one: Relation, into: Set<number>): void {
  into.add(one.oid);
  if (one.kind !== 'p') return;
  for (const child of relations.filter((other) => other.partitionOf === one.oid))
    addWithPartitions(relations, child, into);
}

function noSuchTable(relations: readonly Relation[], text: string, input: string): Failure {
  const folded = text.toLowerCase();
  const near = relations.filter((one) => [one.relname, one.name].some((name) => name.toLowerCase() === folded));
  const maybe = near.length > 0 ? ` Did you mean ${near.map((one) => one.name).join(' or ')}?` : '';
  return new Failure('invalid-input', `\`${input}\`: no table is named "${text}".${maybe}`, {
    hint: 'Names are exact and keep their case; `*` and `?` are wildcards; without a schema every schema is searched.',
  });
}
