import { oidArray } from './facts-scope.ts';
import { identifier } from './session.ts';
import type { Relation } from './tables.ts';
import type { Attempt, DamageKind, TamperedDatabase } from './tamper.ts';

/** The smallest tables with rows: the rows of the one that is damaged are counted again. */
const TABLES = 8;

/** What the rows of a table can suffer; values are in fingerprints only. */
export function rowDamages(level: 'counts' | 'fingerprints'): DamageKind[] {
  const noRows = { notDone: 'none-there', why: 'no table of the backup has a row that takes it' } as const;
  const counted = { notDone: 'not-in-facts', why: 'counts hold no values' } as const;
  const isSeen = level === 'fingerprints';
  return [
    { damage: 'a deleted row', attempts: deleteRow, none: noRows },
    { damage: 'a changed value', attempts: isSeen ? changeValue : async () => [], none: isSeen ? noRows : counted },
    {
      damage: 'values swapped between two rows (their order is no fact)',
      attempts: isSeen ? swapValues : async () => [],
      none: isSeen ? noRows : counted,
    },
  ];
}

/** Division by zero when no row was touched: a damage that was not done must not look overlooked. */
const AT_LEAST = (rows: number, from: string) => `SELECT 1 / (count(*) / ${rows}) FROM ${from}`;

async function deleteRow(database: TamperedDatabase): Promise<Attempt[]> {
  return smallTables(database, 1).map(({ name }) => ({
    target: name,
    sql: `WITH gone AS (DELETE FROM ONLY ${name} WHERE ctid = (SELECT ctid FROM ONLY ${name} LIMIT 1) RETURNING 1)
      ${AT_LEAST(1, 'gone')}`,
    expect: [{ rule: 'facts-tables', names: `table ${name}` }],
    reread: { schema: false, tables: new Set([name]), largeObjects: false },
  }));
}

async function changeValue(database: TamperedDatabase): Promise<Attempt[]> {
  const tables = smallTables(database, 1);
  const columns = await readColumns(database, tables);
  return columns.flatMap(({ table, column, category, nullable }) =>
    otherValues(identifier(column), category, nullable).map((value) => ({
      ...seenByFingerprint(table.name, column),
      sql: `WITH old AS (SELECT x.ctid AS at, ROW(x.*)::text AS was FROM ONLY ${table.name} x
          WHERE x.${identifier(column)} IS NOT NULL LIMIT 1),
        new AS (UPDATE ONLY ${table.name} x SET ${identifier(column)} = ${value} FROM old WHERE x.ctid = old.at
          RETURNING ROW(x.*)::text <> old.was AS changed)
        ${AT_LEAST(1, 'new WHERE changed')}`,
    })),
  );
}

/** Of which one may fit; what the column does not take is an error, and the next is tried. */
function otherValues(quoted: string, category: string, nullable: boolean): string[] {
  const column = `x.${quoted}`;
  const byCategory: Record<string, string> = {
    N: `${column} + 1`,
    S: `CASE WHEN ${column}::text = 'x' THEN 'y' ELSE 'x' END`,
    B: `NOT ${column}`,
    D: `${column} + interval '1 day'`,
  };
  const value = byCategory[category];
  return [...(value === undefined ? [] : [value]), ...(nullable ? ['NULL'] : [])];
}

/** Two rows that differ in one column and in the rest of them: else a swap is the same rows in another order. */
async function swapValues(database: TamperedDatabase): Promise<Attempt[]> {
  const tables = smallTables(database, 2);
  const columns = await readColumns(database, tables);
  return columns.flatMap(({ table, column, inUnique }) => {
    const others = columns.filter((one) => one.table === table && one.column !== column);
    if (others.length === 0 || inUnique) return [];
    const value = identifier(column);
    const rest = (alias: string) =>
      `ROW(${others.map((one) => `${alias}.${identifier(one.column)}`).join(', ')})::text`;
    return {
      ...seenByFingerprint(table.name, column),
      sql: `WITH one AS MATERIALIZED (SELECT x.ctid AS at, x.${value} AS v, ${rest('x')} AS rest FROM ONLY ${table.name} x
          WHERE x.${value} IS NOT NULL LIMIT 1),
        two AS MATERIALIZED (SELECT x.ctid AS at, x.${value} AS v FROM ONLY ${table.name} x, one
          WHERE x.${value}::text <> one.v::text AND ${rest('x')} <> one.rest LIMIT 1),
        swapped AS (UPDATE ONLY ${table.name} x SET ${value} = CASE WHEN x.ctid = one.at THEN two.v ELSE one.v END
          FROM one, two WHERE x.ctid IN (one.at, two.at) RETURNING 1)
        ${AT_LEAST(2, 'swapped')}`,
    };
  });
}

function seenByFingerprint(table: string, column: string): Omit<Attempt, 'sql'> {
  return {
    target: `${table}, column ${identifier(column)}`,
    expect: [{ rule: 'facts-fingerprints', names: `values of table ${table}` }],
    reread: { schema: false, tables: new Set([table]), largeObjects: false },
  };
}

/** Fewest rows first; of an extension's configuration table some rows only are counted. */
function smallTables({ known, tables }: TamperedDatabase, rows: number): Relation[] {
  const rowsOf = new Map(known.tables.map((one) => [one.name, one.rows]));
  const count = ({ name }: Relation) => rowsOf.get(name) ?? 0;
  const fitting = tables.filter((one) => one.condition === null && count(one) >= rows);
  return fitting.toSorted((a, b) => count(a) - count(b)).slice(0, TABLES);
}

interface Column {
  readonly table: Relation;
  readonly column: string;
  /** pg_type.typcategory of it, or of what its domain is made of. */
  readonly category: string;
  readonly nullable: boolean;
  readonly inUnique: boolean;
}

/** Those a row may be given other values for, as they stand, unique ones last. */
async function readColumns({ session }: TamperedDatabase, tables: readonly Relation[]): Promise<Column[]> {
  const rows = await session.query<Omit<Column, 'table'> & { oid: number }>(`
    SELECT a.attrelid::int8 AS oid, a.attname AS column, t.typcategory AS category,
      NOT a.attnotnull AND NOT t.typnotnull AS nullable,
      EXISTS (SELECT FROM pg_index x WHERE x.indrelid = a.attrelid AND (x.indisunique OR x.indisexclusion)
        AND a.attnum = ANY (x.indkey)) AS "inUnique"
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = ANY (${oidArray(tables.map(({ oid }) => oid))}) AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attgenerated = '' AND a.attidentity <> 'a'
    ORDER BY 5, a.attnum`);
  return tables.flatMap((table) => rows.filter(({ oid }) => oid === table.oid).map((row) => ({ ...row, table })));
}
