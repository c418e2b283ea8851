import type { DefinitionQuery } from './facts-schema.ts';
import {
  type FactsScope,
  FIRST_NORMAL_OID,
  notArray,
  notHidden,
  notMember,
  sorted,
  userSchema,
} from './facts-scope.ts';

/** Objects that are no part of a table. */
export function objectQueries(scope: FactsScope): DefinitionQuery[] {
  return [
    schemas(),
    functions(scope),
    aggregates(),
    enums(),
    domains(),
    composites(),
    ranges(scope),
    baseTypes(),
    eventTriggers(),
    publications(scope),
    publishedTables(scope),
    ...(scope.major >= 15 ? [publishedSchemas()] : []),
    ...textSearch(),
    ...operators(),
    ...conversions(),
    ...foreign(),
  ];
}

function schemas(): DefinitionQuery {
  return {
    kind: 'schema',
    sql: `SELECT quote_ident(n.nspname) AS identity, NULL AS exact FROM pg_namespace n
      WHERE ${userSchema('n.nspname')} AND ${notMember('pg_namespace', 'n.oid')}`,
  };
}

/** The body counts byte by byte; one in SQL's own syntax is deparsed by the server. */
function functions(scope: FactsScope): DefinitionQuery {
  const sqlBody = scope.major >= 14 ? 'pg_get_function_sqlbody(p.oid)' : 'NULL';
  return {
    sql: `
    SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END AS kind,
      format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS identity,
      jsonb_build_array(p.prokind, l.lanname, CASE WHEN ${sqlBody} IS NULL THEN p.prosrc END, p.probin, p.provolatile,
        p.proisstrict, p.prosecdef, p.proleakproof, p.proparallel, p.procost, p.prorows, ${sorted('p.proconfig')},
        nullif(p.prosupport::oid, 0)::regproc::text, ${sorted('p.protrftypes::regtype[]')}) AS exact,
      jsonb_build_array(pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), ${sqlBody}) AS expressions
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    WHERE p.prokind <> 'a' AND ${userSchema('n.nspname')} AND ${notMember('pg_proc', 'p.oid')}
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
        AND d.deptype = 'i')`,
  };
}

function aggregates(): DefinitionQuery {
  return {
    kind: 'aggregate',
    sql: `
    SELECT format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS identity,
      jsonb_build_array(to_jsonb(a) - '{aggfnoid,aggtranstype,aggmtranstype,aggsortop}'::text[],
        a.aggtranstype::regtype::text, a.aggmtranstype::regtype::text, a.aggsortop::regoperator::text,
        p.proparallel) AS exact,
      jsonb_build_array(pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)) AS expressions
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_aggregate a ON a.aggfnoid = p.oid
    WHERE ${userSchema('n.nspname')} AND ${notMember('pg_proc', 'p.oid')}`,
  };
}

function types(typtype: string, exact: string, expressions: string, join = ''): DefinitionQuery {
  return {
    kind: 'type',
    sql: `
    SELECT format('%I.%I', n.nspname, t.typname) AS identity, jsonb_build_array(t.typtype, ${exact}) AS exact,
      jsonb_build_array(${expressions}) AS expressions
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace ${join}
    WHERE t.typtype = '${typtype}' AND ${userSchema('n.nspname')} AND ${notMember('pg_type', 't.oid')}`,
  };
}

function enums(): DefinitionQuery {
  const labels = '(SELECT jsonb_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)';
  return types('e', labels, '');
}

function domains(): DefinitionQuery {
  const collation = `(SELECT format('%I.%I', cn.nspname, k.collname) FROM pg_collation k
    JOIN pg_namespace cn ON cn.oid = k.collnamespace WHERE k.oid = t.typcollation)`;
  return types(
    'd',
    `format_type(t.typbasetype, t.typtypmod), t.typnotnull, ${collation}`,
    `CASE WHEN t.typdefaultbin IS NULL THEN t.typdefault ELSE pg_get_expr(t.typdefaultbin, 0) END`,
  );
}

function composites(): DefinitionQuery {
  const attributes = `(SELECT jsonb_agg(jsonb_build_array(a.attname, format_type(a.atttypid, a.atttypmod),
      (SELECT format('%I.%I', cn.nspname, k.collname) FROM pg_collation k
        JOIN pg_namespace cn ON cn.oid = k.collnamespace WHERE k.oid = a.attcollation)) ORDER BY a.attnum)
    FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)`;
  return types('c', attributes, '', `JOIN pg_class r ON r.oid = t.typrelid AND r.relkind = 'c'`);
}

function ranges(scope: FactsScope): DefinitionQuery {
  const multirange = scope.major >= 14 ? 'r.rngmultitypid::regtype::text' : 'NULL';
  const exact = `r.rngsubtype::regtype::text, r.rngcanonical::text, r.rngsubdiff::text, ${multirange},
    (SELECT format('%I.%I', cn.nspname, k.collname) FROM pg_collation k
      JOIN pg_namespace cn ON cn.oid = k.collnamespace WHERE k.oid = r.rngcollation),
    (SELECT o.opcname FROM pg_opclass o WHERE o.oid = r.rngsubopc)`;
  return types('r', exact, '', 'JOIN pg_range r ON r.rngtypid = t.oid');
}

/** Without the array type that comes with every other type. */
function baseTypes(): DefinitionQuery {
  const exact = `t.typlen, t.typbyval, t.typcategory, t.typispreferred, t.typdelim, t.typalign, t.typstorage,
    t.typinput::text, t.typoutput::text, t.typreceive::text, t.typsend::text, t.typmodin::text, t.typmodout::text,
    t.typanalyze::text, nullif(t.typelem, 0)::regtype::text`;
  const base = types('b', exact, 't.typdefault');
  return { ...base, sql: `${base.sql} AND ${notArray('t')}` };
}

function eventTriggers(): DefinitionQuery {
  return {
    kind: 'event-trigger',
    sql: `
    SELECT quote_ident(t.evtname) AS identity,
      jsonb_build_array(t.evtevent, t.evtfoid::regprocedure::text, t.evtenabled, ${sorted('t.evttags')}) AS exact
    FROM pg_event_trigger t WHERE ${notMember('pg_event_trigger', 't.oid')}`,
  };
}

function publications(scope: FactsScope): DefinitionQuery {
  const viaRoot = scope.major >= 13 ? 'p.pubviaroot' : 'NULL';
  const generated = scope.major >= 18 ? 'p.pubgencols' : 'NULL';
  return {
    kind: 'publication',
    sql: `
    SELECT quote_ident(p.pubname) AS identity,
      jsonb_build_array(p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, ${viaRoot},
        ${generated}) AS exact
    FROM pg_publication p WHERE ${notMember('pg_publication', 'p.oid')}`,
  };
}

function publishedTables(scope: FactsScope): DefinitionQuery {
  const columns = `(SELECT jsonb_agg(a.attname ORDER BY a.attname) FROM pg_attribute a
    WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs))`;
  const newer = scope.major >= 15;
  return {
    kind: 'publication-table',
    sql: `
    SELECT format('%s in %I', r.prrelid::regclass, p.pubname) AS identity,
      ${newer ? columns : 'NULL'} AS exact,
      jsonb_build_array(${newer ? 'pg_get_expr(r.prqual, r.prrelid)' : 'NULL'}) AS expressions
    FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
    WHERE ${notHidden(scope, 'pg_class', 'r.prrelid')}`,
  };
}

function publishedSchemas(): DefinitionQuery {
  return {
    kind: 'publication-schema',
    sql: `SELECT format('%I in %I', n.nspname, p.pubname) AS identity, NULL AS exact FROM pg_publication_namespace s
      JOIN pg_namespace n ON n.oid = s.pnnspid JOIN pg_publication p ON p.oid = s.pnpubid`,
  };
}

/** An object with a schema and nothing else to tell it by, with columns that say what it is. */
function named(kind: string, catalog: string, prefix: string, schemaColumn: string, exact: string): DefinitionQuery {
  return {
    kind,
    sql: `
    SELECT format('%I.%I', n.nspname, x.${prefix}name) AS identity, ${exact} AS exact
    FROM ${catalog} x JOIN pg_namespace n ON n.oid = x.${schemaColumn}
    WHERE ${userSchema('n.nspname')} AND ${notMember(catalog, 'x.oid')}`,
  };
}

function textSearch(): DefinitionQuery[] {
  const mapping = `jsonb_build_array(x.cfgparser::text, (SELECT jsonb_agg(jsonb_build_array(m.maptokentype, m.mapseqno,
      m.mapdict::regdictionary::text) ORDER BY m.maptokentype, m.mapseqno)
    FROM pg_ts_config_map m WHERE m.mapcfg = x.oid))`.replace(
    'x.cfgparser::text',
    '(SELECT p.prsname FROM pg_ts_parser p WHERE p.oid = x.cfgparser)',
  );
  const template = '(SELECT t.tmplname FROM pg_ts_template t WHERE t.oid = x.dicttemplate)';
  const functionsOf = (without: string) => `to_jsonb(x) - '${without}'::text[]`;
  return [
    named('text-search-configuration', 'pg_ts_config', 'cfg', 'cfgnamespace', mapping),
    named(
      'text-search-dictionary',
      'pg_ts_dict',
      'dict',
      'dictnamespace',
      `jsonb_build_array(${template}, x.dictinitoption)`,
    ),
    named('text-search-parser', 'pg_ts_parser', 'prs', 'prsnamespace', functionsOf('{oid,prsnamespace}')),
    named('text-search-template', 'pg_ts_template', 'tmpl', 'tmplnamespace', functionsOf('{oid,tmplnamespace}')),
  ];
}

function operators(): DefinitionQuery[] {
  const identity = (catalog: string) => `(pg_identify_object('${catalog}'::regclass, x.oid, 0)).identity`;
  const members = `(SELECT jsonb_agg(m ORDER BY m) FROM (
      SELECT format('operator %s %s %s', o.amopstrategy, o.amopopr::regoperator, o.amoppurpose) FROM pg_amop o
        WHERE o.amopfamily = x.oid
      UNION ALL SELECT format('function %s %s %s %s', p.amprocnum, p.amproclefttype::regtype,
        p.amprocrighttype::regtype, p.amproc) FROM pg_amproc p WHERE p.amprocfamily = x.oid) AS members (m))`;
  const inSchema = (kind: string, catalog: string, prefix: string, exact: string) => ({
    kind,
    sql: `SELECT ${identity(catalog)} AS identity, ${exact} AS exact FROM ${catalog} x
      JOIN pg_namespace n ON n.oid = x.${prefix}namespace
      WHERE ${userSchema('n.nspname')} AND ${notMember(catalog, 'x.oid')}`,
  });
  const operator = inSchema(
    'operator',
    'pg_operator',
    'opr',
    `jsonb_build_array(x.oprcode::text, x.oprresult::regtype::text, nullif(x.oprcom, 0)::regoperator::text,
      nullif(x.oprnegate, 0)::regoperator::text, x.oprrest::text, x.oprjoin::text, x.oprcanmerge, x.oprcanhash)`,
  );
  return [
    { ...operator, sql: `${operator.sql} AND x.oprcode <> 0` },
    inSchema('operator-family', 'pg_opfamily', 'opf', members),
    inSchema(
      'operator-class',
      'pg_opclass',
      'opc',
      `jsonb_build_array(x.opcintype::regtype::text, x.opcdefault, nullif(x.opckeytype, 0)::regtype::text)`,
    ),
  ];
}

function conversions(): DefinitionQuery[] {
  const cast = `jsonb_build_array(nullif(x.castfunc, 0)::regprocedure::text, x.castcontext, x.castmethod)`;
  return [
    named(
      'collation',
      'pg_collation',
      'coll',
      'collnamespace',
      `to_jsonb(x) - '{oid,collnamespace,collowner,collversion}'::text[]`,
    ),
    named('conversion', 'pg_conversion', 'con', 'connamespace', `to_jsonb(x) - '{oid,connamespace,conowner}'::text[]`),
    {
      kind: 'cast',
      sql: `SELECT format('%s as %s', x.castsource::regtype, x.casttarget::regtype) AS identity, ${cast} AS exact
        FROM pg_cast x WHERE x.oid >= ${FIRST_NORMAL_OID} AND ${notMember('pg_cast', 'x.oid')}`,
    },
    {
      kind: 'language',
      sql: `SELECT quote_ident(x.lanname) AS identity,
          jsonb_build_array(x.lanpltrusted, x.lanplcallfoid::regproc::text, x.laninline::regproc::text) AS exact
        FROM pg_language x WHERE x.oid >= ${FIRST_NORMAL_OID} AND ${notMember('pg_language', 'x.oid')}`,
    },
  ];
}

function foreign(): DefinitionQuery[] {
  return [
    {
      kind: 'foreign-data-wrapper',
      sql: `SELECT quote_ident(x.fdwname) AS identity, jsonb_build_array(x.fdwhandler::regproc::text,
          x.fdwvalidator::regproc::text, x.fdwoptions) AS exact
        FROM pg_foreign_data_wrapper x WHERE ${notMember('pg_foreign_data_wrapper', 'x.oid')}`,
    },
    {
      kind: 'server',
      sql: `SELECT quote_ident(x.srvname) AS identity, jsonb_build_array((SELECT w.fdwname
          FROM pg_foreign_data_wrapper w WHERE w.oid = x.srvfdw), x.srvtype, x.srvversion, x.srvoptions) AS exact
        FROM pg_foreign_server x WHERE ${notMember('pg_foreign_server', 'x.oid')}`,
    },
    {
      // Options hold passwords: not even a digest of one leaves the server.
      kind: 'user-mapping',
      sql: `SELECT format('%s on %I', CASE x.umuser WHEN 0 THEN 'PUBLIC' ELSE quote_ident(x.usename) END, x.srvname)
          AS identity, NULL AS exact FROM pg_user_mappings x`,
    },
  ];
}
