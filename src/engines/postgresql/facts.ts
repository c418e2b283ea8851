import type { Facts } from '../../core/facts.ts';
import type { Scope } from '../../core/manifest.ts';
import { readExtensions, readLargeObjects, readSettings } from './facts-database.ts';
import { readMigration } from './facts-migration.ts';
import { readRoles } from './facts-roles.ts';
import { readSchema } from './facts-schema.ts';
import { readScope } from './facts-scope.ts';
import { asFacts, readSequences } from './facts-sequences.ts';
import { readMaterializedViews, readTables, withoutUnlogged } from './facts-tables.ts';
import type { Session } from './session.ts';
import type { DumpedTable } from './tables.ts';

export { mergeSequences, readSequences } from './facts-sequences.ts';

export interface FactsRequest {
  readonly level: 'counts' | 'fingerprints';
  /** Tables whose rows this dump holds. */
  readonly tables: readonly DumpedTable[];
  readonly scope: Scope;
  /** False on a standby: pg_dump leaves the rows of unlogged tables out there. */
  readonly unloggedRows: boolean;
  /** Relations of which this dump holds nothing at all (`exclude-tables`); none in a restored database. */
  readonly excluded?: readonly { readonly oid: number }[];
  /** Relations dumped without their rows; counts for materialized views, which are then not refreshed. */
  readonly withoutRows?: readonly { readonly oid: number }[];
  readonly onProgress?: (table: string, done: number, total: number) => void;
  /** Facts of the same database read before, and what of them is to be read anew; everything when absent. */
  readonly known?: { readonly facts: Facts; readonly reread: Reread };
}

/** What is too much to be read for every small question; the rest always is. */
export interface Reread {
  readonly schema: boolean;
  /** Names of tables whose rows are counted again. Which tables there are is always read. */
  readonly tables: ReadonlySet<string>;
  readonly largeObjects: boolean;
}

/**
 * Reads facts in the session's current transaction: of the snapshot the caller has set, or of a
 * restored database. Sequences stand as they stand now (`mergeSequences` puts it right for a dump).
 *
 * @throws {Failure} `source-denied` when a table, sequence or large object may not be read
 */
export async function readFacts(session: Session, request: FactsRequest): Promise<Facts> {
  // The text of `money` depends on it, and a scratch server need not have the source's.
  await session.execute(`SET lc_monetary = 'C'`);
  const { major } = await session.one<{ major: number }>(
    `SELECT current_setting('server_version_num')::int / 10000 AS major`,
  );
  const tables = request.unloggedRows ? request.tables : await withoutUnlogged(session, request.tables);
  const oids = (relations: readonly { readonly oid: number }[] = []) => relations.map(({ oid }) => oid);
  const [excluded, withoutRows, held] = [oids(request.excluded), oids(request.withoutRows), oids(tables)];
  const rows = request.scope !== 'schema';
  const largeObjects = request.scope === 'full' || request.scope === 'data';
  const scope = await readScope(session, { major, excluded, held, rows, largeObjects });
  const { known } = request;
  return {
    format: 1,
    engine: 'postgresql',
    level: request.level,
    schema: known?.reread.schema === false ? known.facts.schema : await readSchema(session, scope),
    tables: rows ? await readRows(session, { ...request, tables }) : [],
    // pg_dump --data-only refreshes none.
    materializedViews:
      rows && request.scope !== 'data' ? await readMaterializedViews(session, { withoutRows, excluded }) : [],
    sequences: rows ? asFacts(await readSequences(session, scope)) : [],
    extensions: await readExtensions(session),
    roles: await readRoles(session, major),
    largeObjects:
      known?.reread.largeObjects === false
        ? known.facts.largeObjects
        : largeObjects
          ? await readLargeObjects(session)
          : null,
    settings: await readSettings(session),
    migration: rows ? await readMigration(session, tables) : null,
  };
}

async function readRows(session: Session, request: FactsRequest): Promise<Facts['tables']> {
  const { known, tables } = request;
  if (known === undefined) return readTables(session, request);
  const { facts, reread } = known;
  const there = new Set(tables.map(({ name }) => name));
  const kept = facts.tables.filter(({ name }) => there.has(name) && !reread.tables.has(name));
  const anew = await readTables(session, { ...request, tables: tables.filter(({ name }) => reread.tables.has(name)) });
  return [...kept, ...anew].sort((a, b) => (a.name < b.name ? -1 : 1));
}
