import type { DefinitionQuery } from './facts-schema.ts';
import { type FactsScope, notHidden, notMember, relations, sorted, userSchema } from './facts-scope.ts';

/** Tables and what belongs to them, in the order a reader expects them. */
export function relationQueries(scope: FactsScope): DefinitionQuery[] {
  return [
    tables(scope),
    columns(scope),
    views(scope),
    sequences(scope),
    indexes(scope),
    constraints(scope),
    domainConstraints(),
    triggers(scope),
    rules(scope),
    policies(scope),
    statistics(scope),
  ];
}

// Attribute numbers, physical order and tablespaces are not part of it: a restore changes them rightly.
function tables(scope: FactsScope): DefinitionQuery {
  return {
    sql: `
    SELECT CASE c.relkind WHEN 'f' THEN 'foreign-table' ELSE 'table' END AS kind, c.name AS identity,
      jsonb_build_array(c.relkind, c.relpersistence, ${sorted('c.reloptions')}, ${sorted('toast.reloptions')},
        c.relrowsecurity, c.relforcerowsecurity, c.relreplident, am.amname, nullif(c.reloftype, 0)::regtype::text,
        (SELECT i.indexrelid::regclass::text FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident),
        (SELECT jsonb_agg(i.inhparent::regclass::text ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid),
        (SELECT jsonb_build_array(s.srvname, f.ftoptions) FROM pg_foreign_table f
          JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = c.oid)) AS exact,
      jsonb_build_array(CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END,
        pg_get_expr(c.relpartbound, c.oid)) AS expressions
    FROM ${relations(scope, 'rpf')} AS c
    LEFT JOIN pg_am am ON am.oid = c.relam
    LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid`,
  };
}

function columns(scope: FactsScope): DefinitionQuery {
  const compression = scope.major >= 14 ? `nullif(a.attcompression, '')` : 'NULL';
  // From 18 on NOT NULL is a constraint of its own, whose name a restore may choose anew.
  const notNull = `(SELECT jsonb_build_array(k.convalidated, k.connoinherit) FROM pg_constraint k
        WHERE k.conrelid = c.oid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum])`;
  // Minor releases of late 2026 keep a version of their own among the options; pg_dump leaves it out.
  const options = `(SELECT jsonb_agg(o ORDER BY o) FROM unnest(a.attoptions) AS o WHERE o !~ '^pg_attver=')`;
  return {
    kind: 'column',
    sql: `
    SELECT format('%s.%I', c.name, a.attname) AS identity,
      jsonb_build_array(format_type(a.atttypid, a.atttypmod), a.attidentity, a.attgenerated,
        CASE WHEN a.attcollation <> t.typcollation THEN
          (SELECT format('%I.%I', n.nspname, k.collname) FROM pg_collation k
            JOIN pg_namespace n ON n.oid = k.collnamespace WHERE k.oid = a.attcollation) END,
        CASE WHEN c.relkind <> 'v' THEN jsonb_build_array(a.attnotnull, nullif(a.attstorage, t.typstorage),
          ${compression}, nullif(a.attstattarget, -1), ${options}, ${sorted('a.attfdwoptions')},
          ${notNull}) END) AS exact,
      jsonb_build_array(pg_get_expr(d.adbin, d.adrelid)) AS expressions
    FROM ${relations(scope, 'rpfmv')} AS c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum`,
  };
}

function views(scope: FactsScope): DefinitionQuery {
  return {
    sql: `
    SELECT CASE c.relkind WHEN 'm' THEN 'materialized-view' ELSE 'view' END AS kind, c.name AS identity,
      jsonb_build_array(${sorted('c.reloptions')}, am.amname) AS exact,
      jsonb_build_array(pg_get_viewdef(c.oid)) AS expressions
    FROM ${relations(scope, 'vm')} AS c LEFT JOIN pg_am am ON am.oid = c.relam`,
  };
}

function sequences(scope: FactsScope): DefinitionQuery {
  return {
    kind: 'sequence',
    sql: `
    SELECT c.name AS identity,
      jsonb_build_array(c.relpersistence, s.seqtypid::regtype::text, s.seqstart, s.seqincrement, s.seqmax, s.seqmin,
        s.seqcache, s.seqcycle,
        (SELECT format('%s %s.%I', d.deptype, d.refobjid::regclass, a.attname) FROM pg_depend d
          JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
          WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
            AND d.deptype IN ('a', 'i') AND ${notHidden(scope, 'pg_class', 'd.refobjid')})) AS exact
    FROM ${relations(scope, 'S')} AS c JOIN pg_sequence s ON s.seqrelid = c.oid`,
  };
}

/** Those pg_dump dumps: an index that CREATE INDEX CONCURRENTLY left invalid is not there after a restore. */
function indexes(scope: FactsScope): DefinitionQuery {
  return {
    kind: 'index',
    sql: `
    SELECT format('%I.%I', n.nspname, i.relname) AS identity,
      jsonb_build_array(x.indisclustered, x.indisreplident, x.indisvalid,
        (SELECT p.inhparent::regclass::text FROM pg_inherits p WHERE p.inhrelid = i.oid),
        (SELECT jsonb_agg(jsonb_build_array(a.attnum, a.attstattarget) ORDER BY a.attnum) FROM pg_attribute a
          WHERE a.attrelid = i.oid AND a.attstattarget >= 0)) AS exact,
      jsonb_build_array(pg_get_indexdef(i.oid)) AS expressions
    FROM ${relations(scope, 'rpm')} AS c JOIN pg_index x ON x.indrelid = c.oid
    JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
    WHERE (x.indisvalid OR c.relkind = 'p') AND x.indisready`,
  };
}

/** Without those that a parent's brings (`conparentid`), and without NOT NULL: the column knows it. */
function constraints(scope: FactsScope): DefinitionQuery {
  return {
    sql: `
    SELECT CASE k.contype WHEN 'f' THEN 'foreign-key' ELSE 'constraint' END AS kind,
      format('%I on %s', k.conname, c.name) AS identity, to_jsonb(k.contype) AS exact,
      jsonb_build_array(pg_get_constraintdef(k.oid)) AS expressions
    FROM ${relations(scope, 'rpf')} AS c JOIN pg_constraint k ON k.conrelid = c.oid
    WHERE k.contype IN ('c', 'f', 'p', 'u', 'x') AND k.conparentid = 0
      AND ${notHidden(scope, 'pg_constraint', 'k.oid')}`,
  };
}

function domainConstraints(): DefinitionQuery {
  return {
    kind: 'constraint',
    sql: `
    SELECT format('%I on %I.%I', k.conname, n.nspname, t.typname) AS identity, to_jsonb(k.contype) AS exact,
      jsonb_build_array(pg_get_constraintdef(k.oid)) AS expressions
    FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE k.contype = 'c' AND ${userSchema('n.nspname')} AND ${notMember('pg_type', 't.oid')}`,
  };
}

/**
 * A partition's copy of its parent's trigger counts only when it is switched differently, under the
 * parent's name: before 15 a rename of the parent's left it behind, and the restore does not.
 */
function triggers(scope: FactsScope): DefinitionQuery {
  const parent = `(SELECT d.refobjid FROM pg_depend d WHERE d.classid = 'pg_trigger'::regclass
      AND d.objid = t.oid AND d.refclassid = 'pg_trigger'::regclass LIMIT 1)`;
  return {
    kind: 'trigger',
    sql: `
    SELECT format('%I on %s', coalesce(p.tgname, t.tgname), c.name) AS identity, to_jsonb(t.tgenabled) AS exact,
      jsonb_build_array(CASE WHEN p.oid IS NULL THEN pg_get_triggerdef(t.oid) END) AS expressions
    FROM ${relations(scope, 'rpfv')} AS c JOIN pg_trigger t ON t.tgrelid = c.oid
    LEFT JOIN pg_trigger p ON p.oid = ${parent}
    WHERE (p.oid IS NULL AND NOT t.tgisinternal) OR (NOT p.tgisinternal AND p.tgenabled <> t.tgenabled)`,
  };
}

function rules(scope: FactsScope): DefinitionQuery {
  return {
    kind: 'rule',
    sql: `
    SELECT format('%I on %s', r.rulename, c.name) AS identity, to_jsonb(r.ev_enabled) AS exact,
      jsonb_build_array(pg_get_ruledef(r.oid)) AS expressions
    FROM ${relations(scope, 'rpfv')} AS c JOIN pg_rewrite r ON r.ev_class = c.oid
    WHERE r.rulename <> '_RETURN'`,
  };
}

function policies(scope: FactsScope): DefinitionQuery {
  return {
    kind: 'policy',
    sql: `
    SELECT format('%I on %s', p.polname, c.name) AS identity,
      jsonb_build_array(p.polcmd, p.polpermissive,
        (SELECT jsonb_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END
          ORDER BY CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END)
          FROM unnest(p.polroles) AS r)) AS exact,
      jsonb_build_array(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) AS expressions
    FROM ${relations(scope, 'rp')} AS c JOIN pg_policy p ON p.polrelid = c.oid`,
  };
}

function statistics(scope: FactsScope): DefinitionQuery {
  const target = scope.major >= 13 ? 'nullif(s.stxstattarget, -1)' : 'NULL';
  return {
    kind: 'statistics',
    sql: `
    SELECT format('%I.%I', n.nspname, s.stxname) AS identity, jsonb_build_array(${target}) AS exact,
      jsonb_build_array(pg_get_statisticsobjdef(s.oid)) AS expressions
    FROM ${relations(scope, 'rpfm')} AS c JOIN pg_statistic_ext s ON s.stxrelid = c.oid
    JOIN pg_namespace n ON n.oid = s.stxnamespace`,
  };
}
