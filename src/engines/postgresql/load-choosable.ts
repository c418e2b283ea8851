import type { Facts } from '../../core/facts.ts';
import type { Choosable } from '../../core/table-choice.ts';
import type { PartlyRestored } from './restore-partly.ts';
import type { Session } from './session.ts';
import { listRelations } from './tables.ts';

/** Which tables there are the definitions tell, and whose rows: the facts, or where there are none the archives. */
export async function listChoosable(
  session: Session,
  facts: Facts | undefined,
  restored: PartlyRestored,
): Promise<Choosable[]> {
  const counted = new Set(facts?.tables.map(({ name }) => name));
  const holdsRows = (name: string) => (facts === undefined ? restored.holdsRows(name) : counted.has(name));
  const relations = await listRelations(session);
  const names = new Map(relations.map(({ oid, name }) => [oid, name]));
  const kinds = { r: 'table', p: 'partitioned table', m: 'materialized view', f: 'foreign table' } as const;
  const views = await session.query<{ name: string; schema: string; table: string }>(
    `SELECT format('%I.%I', schemaname, viewname) AS name, schemaname AS schema, viewname AS table
     FROM pg_catalog.pg_views WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema'`,
  );
  return [
    ...relations.map(({ schema, relname, name, kind, partitionOf, extension }) => ({
      ...{ schema, table: relname, name, extension, kind: kinds[kind] },
      partitionOf: partitionOf === null ? null : (names.get(partitionOf) ?? null),
      holdsRows: kind === 'r' && holdsRows(name),
    })),
    ...views.map((view) => ({
      ...view,
      ...{ kind: 'view' as const, partitionOf: null, holdsRows: false, extension: null },
    })),
  ];
}
