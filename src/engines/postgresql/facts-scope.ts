import type { Session } from './session.ts';

/** Oids below are given by initdb: casts, languages and the like have no schema to tell them apart. */
export const FIRST_NORMAL_OID = 16_384;

export interface HiddenOids {
  /** Oids by catalog (`pg_class`, `pg_constraint`, …): what hangs on tables that are not dumped. */
  readonly hidden: ReadonlyMap<string, readonly number[]>;
}

export const EVERYTHING: HiddenOids = { hidden: new Map() };

/** What the queries for facts leave out, beside extension members and system schemas. */
export interface FactsScope extends HiddenOids {
  readonly major: number;
  readonly largeObjects: boolean;
}

/** A condition: the schema is the user's. `^pg_` is reserved, temporary schemas among them. */
export function userSchema(column: string): string {
  return `${column} !~ '^pg_' AND ${column} <> 'information_schema'`;
}

/** A condition: no member of an extension, which brings its objects itself. */
export function notMember(catalog: string, oid: string): string {
  return `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_catalog.${catalog}'::regclass
    AND e.objid = ${oid} AND e.deptype = 'e')`;
}

/** A condition: not the array type that comes with every other type. */
export function notArray(type: string): string {
  return `(SELECT e.typarray FROM pg_type e WHERE e.oid = ${type}.typelem) IS DISTINCT FROM ${type}.oid`;
}

export function notHidden(scope: HiddenOids, catalog: string, oid: string): string {
  const oids = scope.hidden.get(catalog) ?? [];
  return oids.length === 0 ? 'true' : `NOT ${oid} = ANY (${oidArray(oids)})`;
}

export function oidArray(oids: readonly number[]): string {
  return `'{${oids.join(',')}}'::oid[]`;
}

/** The user's relations of some kinds, as a FROM item: pg_class and `name`. */
export function relations(scope: FactsScope, kinds: string): string {
  const list = [...kinds].map((kind) => `'${kind}'`).join(', ');
  return `(SELECT c.*, format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN (${list}) AND ${userSchema('n.nspname')}
      AND ${notMember('pg_class', 'c.oid')} AND ${notHidden(scope, 'pg_class', 'c.oid')})`;
}

/** Elements of an array of texts in order, as jsonb; null when there are none. */
export function sorted(array: string): string {
  return `(SELECT jsonb_agg(x::text ORDER BY x::text) FROM unnest(${array}) AS x)`;
}

/**
 * Finds what is not part of this dump: everything of tables left out whole, and foreign keys into
 * tables whose rows are left out, which no restore can create again.
 */
export async function readScope(
  session: Session,
  given: { major: number; excluded: readonly number[]; held: readonly number[]; rows: boolean; largeObjects: boolean },
): Promise<FactsScope> {
  const found = [
    ...(given.excluded.length > 0 ? await session.query<Hidden>(partsOf(given.excluded)) : []),
    ...(given.rows ? await session.query<Hidden>(foreignKeysWithoutRows(given.held)) : []),
  ];
  const hidden = new Map<string, number[]>();
  for (const { catalog, oid } of found) hidden.set(catalog, [...(hidden.get(catalog) ?? []), oid]);
  return { major: given.major, hidden, largeObjects: given.largeObjects };
}

interface Hidden {
  readonly catalog: string;
  readonly oid: number;
}

function partsOf(oids: readonly number[]): string {
  const among = (column: string) => `${column} = ANY (${oidArray(oids)})`;
  return `
    SELECT 'pg_class' AS catalog, c.oid::int8 AS oid FROM pg_class c WHERE ${among('c.oid')}
    UNION ALL SELECT 'pg_class', i.indexrelid::int8 FROM pg_index i WHERE ${among('i.indrelid')}
    UNION ALL SELECT 'pg_class', d.objid::int8 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
      AND d.refclassid = 'pg_class'::regclass AND ${among('d.refobjid')} AND d.deptype = 'i'
    UNION ALL SELECT 'pg_constraint', k.oid::int8 FROM pg_constraint k WHERE ${among('k.conrelid')}
    UNION ALL SELECT 'pg_trigger', t.oid::int8 FROM pg_trigger t WHERE ${among('t.tgrelid')}
    UNION ALL SELECT 'pg_policy', p.oid::int8 FROM pg_policy p WHERE ${among('p.polrelid')}
    UNION ALL SELECT 'pg_rewrite', r.oid::int8 FROM pg_rewrite r WHERE ${among('r.ev_class')}
    UNION ALL SELECT 'pg_statistic_ext', s.oid::int8 FROM pg_statistic_ext s WHERE ${among('s.stxrelid')}`;
}

function foreignKeysWithoutRows(held: readonly number[]): string {
  return `
    WITH RECURSIVE leaves (root, oid) AS (
      SELECT k.confrelid, k.confrelid FROM pg_constraint k WHERE k.contype = 'f'
      UNION SELECT l.root, i.inhrelid FROM leaves l
        JOIN pg_class p ON p.oid = l.oid AND p.relkind = 'p' JOIN pg_inherits i ON i.inhparent = l.oid),
    rowless AS (
      SELECT l.root FROM leaves l JOIN pg_class c ON c.oid = l.oid
      WHERE c.relkind = 'r' AND NOT c.oid = ANY (${oidArray(held)}) AND ${notMember('pg_class', 'c.oid')})
    SELECT 'pg_constraint' AS catalog, k.oid::int8 AS oid FROM pg_constraint k
    WHERE k.contype = 'f' AND k.confrelid IN (SELECT root FROM rowless)`;
}
