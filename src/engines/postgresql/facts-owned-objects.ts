import { type FactsScope, FIRST_NORMAL_OID, notArray, notHidden, userSchema } from './facts-scope.ts';

/**
 * A FROM item: objects with an owner. `acl_kind`, as acldefault wants it, is null where nothing can be
 * granted; `system` objects are initdb's, of which a dump holds changed grants only.
 */
export function ownedObjects(scope: FactsScope): string {
  const parts = [
    relations(scope),
    functions(),
    types(),
    schemas(),
    operators(),
    withoutSchema('language', 'pg_language', 'lan', 'l'),
    withoutSchema('foreign-data wrapper', 'pg_foreign_data_wrapper', 'fdw', 'F'),
    withoutSchema('server', 'pg_foreign_server', 'srv', 'S'),
    withoutSchema('publication', 'pg_publication', 'pub'),
    withoutSchema('event trigger', 'pg_event_trigger', 'evt'),
    inSchema('operator class', 'pg_opclass', 'opc', 'opcnamespace'),
    inSchema('operator family', 'pg_opfamily', 'opf', 'opfnamespace'),
    inSchema('collation', 'pg_collation', 'coll', 'collnamespace'),
    inSchema('conversion', 'pg_conversion', 'con', 'connamespace'),
    inSchema('text search dictionary', 'pg_ts_dict', 'dict', 'dictnamespace'),
    inSchema('text search configuration', 'pg_ts_config', 'cfg', 'cfgnamespace'),
    `${inSchema('statistics', 'pg_statistic_ext', 'stx', 'stxnamespace')}
      AND ${notHidden(scope, 'pg_statistic_ext', 'x.oid')}`,
  ];
  return `(${parts.join(' UNION ALL ')})`;
}

const userOrSystem = (column: string) => `(${userSchema(column)} OR ${column} = 'pg_catalog')`;

function relations(scope: FactsScope): string {
  return `
    SELECT 'pg_class'::regclass AS classid, c.oid, CASE c.relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view'
        WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'table' END AS type,
      format('%I.%I', n.nspname, c.relname) AS name, c.relowner AS owner, c.relacl AS acl,
      CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END AS acl_kind, n.nspname = 'pg_catalog' AS system
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND ${userOrSystem('n.nspname')}
      AND ${notHidden(scope, 'pg_class', 'c.oid')}`;
}

/** Without those that come with a range type. */
function functions(): string {
  return `
    SELECT 'pg_proc'::regclass, p.oid, 'function',
      format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), p.proowner, p.proacl, 'f',
      n.nspname = 'pg_catalog'
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE ${userOrSystem('n.nspname')} AND (n.nspname <> 'pg_catalog' OR p.proacl IS NOT NULL)
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
        AND d.deptype = 'i')`;
}

/** Without row types of tables, and arrays. */
function types(): string {
  return `
    SELECT 'pg_type'::regclass, t.oid, 'type', format('%I.%I', n.nspname, t.typname), t.typowner, t.typacl, 'T',
      n.nspname = 'pg_catalog'
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class r ON r.oid = t.typrelid
    WHERE ${userOrSystem('n.nspname')} AND t.typtype IN ('b', 'c', 'd', 'e', 'r')
      AND (r.oid IS NULL OR r.relkind = 'c') AND ${notArray('t')}`;
}

function schemas(): string {
  return `
    SELECT 'pg_namespace'::regclass, n.oid, 'schema', quote_ident(n.nspname), n.nspowner, n.nspacl, 'n',
      n.nspname = 'pg_catalog'
    FROM pg_namespace n WHERE ${userOrSystem('n.nspname')}`;
}

/** Without shells that only name an operator another one will commute with. */
function operators(): string {
  return `
    SELECT 'pg_operator'::regclass, o.oid, 'operator',
      (pg_identify_object('pg_operator'::regclass, o.oid, 0)).identity, o.oprowner, NULL, NULL, false
    FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
    WHERE ${userSchema('n.nspname')} AND o.oprcode <> 0`;
}

function inSchema(type: string, catalog: string, prefix: string, schemaColumn: string): string {
  return `
    SELECT '${catalog}'::regclass, x.oid, '${type}', format('%I.%I', n.nspname, x.${prefix}name), x.${prefix}owner,
      NULL::aclitem[], NULL, false
    FROM ${catalog} x JOIN pg_namespace n ON n.oid = x.${schemaColumn} WHERE ${userSchema('n.nspname')}`;
}

function withoutSchema(type: string, catalog: string, prefix: string, aclKind?: string): string {
  const acl = aclKind === undefined ? 'NULL::aclitem[], NULL' : `x.${prefix}acl, '${aclKind}'`;
  return `
    SELECT '${catalog}'::regclass, x.oid, '${type}', quote_ident(x.${prefix}name), x.${prefix}owner, ${acl},
      x.oid < ${FIRST_NORMAL_OID}
    FROM ${catalog} x`;
}
