import type { TableFact } from '../../core/facts.ts';
import { oidArray } from './facts-scope.ts';
import { identifier, type Session } from './session.ts';
import type { DumpedTable } from './tables.ts';

export interface TablesRequest {
  readonly level: 'counts' | 'fingerprints';
  readonly tables: readonly DumpedTable[];
  readonly onProgress?: (table: string, done: number, total: number) => void;
}

/** Counts every table, one statement each: none holds more than its own answer, and progress is seen. */
export async function readTables(session: Session, request: TablesRequest): Promise<TableFact[]> {
  const { tables } = request;
  const columns = request.level === 'fingerprints' ? await readColumns(session, tables) : new Map<number, string[]>();
  const encoding = await readEncoding(session);
  const facts: TableFact[] = [];
  for (const table of tables) {
    const from = `FROM ONLY ${table.name} ${table.condition ?? ''}`;
    facts.push(
      request.level === 'counts'
        ? await count(session, table.name, from)
        : await fingerprint(session, table.name, from, columns.get(table.oid) ?? [], encoding),
    );
    request.onProgress?.(table.name, facts.length, tables.length);
  }
  return facts.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function count(session: Session, name: string, from: string): Promise<TableFact> {
  const { rows } = await session.one<{ rows: number }>(`SELECT count(*) AS rows ${from}`);
  return { name, rows };
}

/**
 * `v1:<count>:<sum>`: the sum over all rows of the first 64 bits (as a signed integer) of the SHA-256
 * of the row's text. A sum and no XOR, in which two equal rows would cancel out.
 */
async function fingerprint(
  session: Session,
  name: string,
  from: string,
  columns: readonly string[],
  encoding: string,
): Promise<TableFact> {
  const row = `ROW(${columns.map(identifier).join(', ')})::text`;
  const hash = `sha256(convert_to(${row}, '${encoding}'))`;
  const { rows, sum } = await session.one<{ rows: number; sum: string }>(
    `SELECT count(*) AS rows,
      coalesce(sum(('x' || encode(substr(${hash}, 1, 8), 'hex'))::bit(64)::int8), 0)::text AS sum ${from}`,
  );
  return { name, rows, fingerprint: `v1:${rows}:${sum}` };
}

/** Columns by name, so that dropped ones and the order of inheritance do not matter; virtual ones hold nothing. */
async function readColumns(session: Session, tables: readonly DumpedTable[]): Promise<Map<number, string[]>> {
  const rows = await session.query<{ oid: number; columns: string[] }>(`
    SELECT a.attrelid::int8 AS oid, jsonb_agg(a.attname ORDER BY a.attname COLLATE "C") AS columns
    FROM pg_attribute a WHERE a.attrelid = ANY (${oidArray(tables.map((table) => table.oid))})
      AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v' GROUP BY a.attrelid`);
  return new Map(rows.map(({ oid, columns }) => [oid, columns]));
}

/** Bytes of a SQL_ASCII database mean nothing: a conversion would refuse the first one above 127. */
async function readEncoding(session: Session): Promise<string> {
  const { encoding } = await session.one<{ encoding: string }>(`SELECT current_setting('server_encoding') AS encoding`);
  return encoding === 'SQL_ASCII' ? 'SQL_ASCII' : 'UTF8';
}

/** Those whose rows a dump of a standby holds: unlogged tables are empty there, and pg_dump leaves them out. */
export async function withoutUnlogged(session: Session, tables: readonly DumpedTable[]): Promise<DumpedTable[]> {
  const unlogged = await session.query<{ oid: number }>(`SELECT c.oid::int8 AS oid FROM pg_class c
    WHERE c.relpersistence = 'u' AND c.oid = ANY (${oidArray(tables.map((table) => table.oid))})`);
  const oids = new Set(unlogged.map(({ oid }) => oid));
  return tables.filter((table) => !oids.has(table.oid));
}

/**
 * Whether materialized views will be populated after a restore: pg_dump refreshes none whose rows are
 * left out, and none that reads, through whatever views, from one that is not populated.
 */
export async function readMaterializedViews(
  session: Session,
  given: { withoutRows: readonly number[]; excluded: readonly number[] },
): Promise<{ name: string; populated: boolean }[]> {
  return await session.query(`
    WITH RECURSIVE reads (root, oid) AS (
      SELECT c.oid, c.oid FROM pg_class c WHERE c.relkind = 'm'
      UNION SELECT r.root, c.oid FROM reads r
        JOIN pg_rewrite w ON w.ev_class = r.oid
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
        JOIN pg_class c ON c.oid = d.refobjid AND c.relkind IN ('m', 'v'))
    SELECT format('%I.%I', n.nspname, m.relname) AS name,
      bool_and(c.relispopulated) AND NOT m.oid = ANY (${oidArray(given.withoutRows)}) AS populated
    FROM reads r JOIN pg_class c ON c.oid = r.oid JOIN pg_class m ON m.oid = r.root
    JOIN pg_namespace n ON n.oid = m.relnamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT m.oid = ANY (${oidArray(given.excluded)})
    GROUP BY m.oid, m.relname, n.nspname ORDER BY 1`);
}
