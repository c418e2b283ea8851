import type { SchemaFact } from '../../core/facts.ts';
import { digestOf } from './facts-digest.ts';
import { grantQueries } from './facts-grants.ts';
import { objectQueries } from './facts-objects.ts';
import { relationQueries } from './facts-relations.ts';
import type { FactsScope } from './facts-scope.ts';
import type { Session } from './session.ts';

/**
 * One SELECT over a catalog that yields `identity`, `exact` (jsonb, compared as it is) and, where
 * there are any, `expressions` (array of texts as the server deparses them); `kind` unless given here.
 */
export interface DefinitionQuery {
  readonly kind?: string;
  readonly sql: string;
}

interface Definition {
  readonly kind?: string;
  readonly identity: string;
  readonly exact: unknown;
  readonly expressions?: readonly (string | null)[] | null;
}

/** Every object of the schema, with a digest of its definition, by kind and identity. */
export async function readSchema(session: Session, scope: FactsScope): Promise<SchemaFact[]> {
  const facts: SchemaFact[] = [];
  for (const query of [...relationQueries(scope), ...objectQueries(scope), ...grantQueries(scope)]) {
    for (const row of await session.query<Definition>(bounded(query))) facts.push(describe(query, row));
  }
  return facts.sort((a, b) => compare(a.kind, b.kind) || compare(a.identity, b.identity));
}

/** Bytes beyond which the server sends a hash of what is compared as it is: a function may hold a gigabyte. */
const LONGEST_EXACT = 2_000;
/** The same for expressions. Casts, parentheses and white space then go by rougher rules than `normalise` has. */
const LONGEST_EXPRESSIONS = 250_000;

function bounded({ kind, sql }: DefinitionQuery): string {
  const hash = (text: string) =>
    `'sha256:' || encode(sha256(convert_to(${text}, current_setting('server_encoding'))), 'hex')`;
  const bare = `translate(regexp_replace(d.expressions::text, '::("[^"]*"|[a-z0-9_. ])+', '', 'g'), ' ()', '')`;
  const expressions = `CASE WHEN octet_length(d.expressions::text) > ${LONGEST_EXPRESSIONS}
    THEN jsonb_build_array(${hash(bare)}) ELSE to_jsonb(d.expressions) END AS expressions`;
  // OFFSET keeps the planner from working out a definition once for each time it is named here.
  return `SELECT ${kind === undefined ? 'd.kind, ' : ''}d.identity,
      CASE WHEN octet_length(d.exact::text) > ${LONGEST_EXACT}
        THEN to_jsonb(${hash('d.exact::text')}) ELSE to_jsonb(d.exact) END AS exact
      ${/ AS expressions\b/.test(sql) ? `, ${expressions}` : ''}
    FROM (${sql} OFFSET 0) AS d`;
}

function describe(query: DefinitionQuery, row: Definition): SchemaFact {
  const kind = query.kind ?? row.kind ?? 'object';
  return { kind, identity: row.identity, digest: digestOf(row.exact, row.expressions ?? []) };
}

/** By code units: the same on every machine, whatever its locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
