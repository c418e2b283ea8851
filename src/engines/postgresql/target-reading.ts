import type { Facts } from '../../core/facts.ts';
import { Failure } from '../../core/failure.ts';
import { checksOf } from './scratch-checks.ts';
import { identifier } from './session.ts';
import { inDatabase, type Lent } from './target-lent.ts';

/** Facts of the tables that the backup's facts name. */
export function readFactsOf(lent: Lent, database: string, level: 'counts' | 'fingerprints'): Promise<Facts> {
  const { client, request, context } = lent;
  const { facts, part, signal } = request;
  const manifest = part === 'schema' ? { ...request.manifest, scope: 'schema' as const } : request.manifest;
  return checksOf({ client, database, manifest, facts, signal, ...context }).readFacts(level);
}

/** Null for what is not there or may not be read. */
export async function countTables(lent: Lent, database: string, tables: readonly string[]) {
  return inDatabase(lent, database, async (session) => {
    const rows: { table: string; rows: number | null }[] = [];
    for (const table of tables) {
      const found = await session
        .one<{ rows: number }>(`SELECT count(*) AS rows FROM ${quoted(table)}`)
        .catch((error: unknown) => {
          if (error instanceof Failure && !lent.request.signal.aborted) return { rows: null };
          throw error;
        });
      rows.push({ table, rows: found.rows });
    }
    return rows;
  });
}

/** A name as facts write it, `shop.orders` or `"My Shop"."Orders"`; never any other SQL. */
function quoted(table: string): string {
  const parts = table.match(/"(?:[^"]|"")*"|[^".]+/g) ?? [];
  return parts.map((part) => (part.startsWith('"') ? part : identifier(part))).join('.');
}

export async function analyzeDatabase(lent: Lent, database: string): Promise<void> {
  await inDatabase(lent, database, (session) => session.execute('ANALYZE'));
}

export async function reindexDatabase(lent: Lent, database: string): Promise<void> {
  await inDatabase(lent, database, (session) => session.execute(`REINDEX DATABASE ${identifier(database)}`));
}
