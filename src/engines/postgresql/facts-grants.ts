import { ownedObjects } from './facts-owned-objects.ts';
import type { DefinitionQuery } from './facts-schema.ts';
import { type FactsScope, FIRST_NORMAL_OID, notMember, sorted, userSchema } from './facts-scope.ts';

/** Who owns what, who may do what, and what was said about it. */
export function grantQueries(scope: FactsScope): DefinitionQuery[] {
  return [
    owners(scope),
    grants(scope),
    columnGrants(scope),
    defaultPrivileges(),
    ...(scope.largeObjects ? [largeObjects()] : []),
    comments(scope),
  ];
}

/** A condition: initdb or CREATE EXTENSION brings this object o, so the dump holds only what was changed of it. */
const BROUGHT = `(o.system OR EXISTS (SELECT FROM pg_depend e
  WHERE e.classid = o.classid AND e.objid = o.oid AND e.deptype = 'e'))`;

/** With the owner in the identity: "missing: … owned by app, unexpected: … owned by eve" says all. */
function owners(scope: FactsScope): DefinitionQuery {
  return {
    kind: 'owner',
    sql: `
    SELECT format('%s %s owned by %I', o.type, o.name, pg_get_userbyid(o.owner)) AS identity, NULL AS exact
    FROM ${ownedObjects(scope)} AS o WHERE NOT ${BROUGHT}`,
  };
}

const GRANTEE = `CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END`;
// The owner as grantor goes without saying: who that is belongs to the owner's own fact.
const PRIVILEGES = `jsonb_agg(concat_ws(' ', g.privilege_type, CASE WHEN g.is_grantable THEN 'WITH GRANT OPTION' END,
    CASE WHEN g.grantor <> o.owner THEN 'BY ' || pg_get_userbyid(g.grantor) END)
  ORDER BY g.privilege_type, g.is_grantable, pg_get_userbyid(g.grantor))`;

/** One fact per object and grantee, with the privileges nobody granted but everybody has by default. */
function grants(scope: FactsScope): DefinitionQuery {
  return {
    kind: 'grant',
    sql: `
    SELECT format('%s %s to %s', o.type, o.name, ${GRANTEE}) AS identity, ${PRIVILEGES} AS exact
    FROM ${ownedObjects(scope)} AS o
    LEFT JOIN pg_init_privs i ON i.classoid = o.classid AND i.objoid = o.oid AND i.objsubid = 0
    CROSS JOIN LATERAL aclexplode(coalesce(o.acl, acldefault(o.acl_kind::"char", o.owner))) AS g
    WHERE o.acl_kind IS NOT NULL AND (NOT ${BROUGHT} OR (g.grantee <> o.owner
      AND ${sorted('coalesce(o.acl, acldefault(o.acl_kind::"char", o.owner))')}
        IS DISTINCT FROM ${sorted('coalesce(i.initprivs, acldefault(o.acl_kind::"char", o.owner))')}))
    GROUP BY o.type, o.name, g.grantee`,
  };
}

function columnGrants(scope: FactsScope): DefinitionQuery {
  return {
    kind: 'grant',
    sql: `
    SELECT format('column %s.%I to %s', o.name, a.attname, ${GRANTEE}) AS identity, ${PRIVILEGES} AS exact
    FROM ${ownedObjects(scope)} AS o
    JOIN pg_attribute a ON a.attrelid = o.oid AND NOT a.attisdropped AND a.attacl IS NOT NULL
    LEFT JOIN pg_init_privs i ON i.classoid = o.classid AND i.objoid = o.oid AND i.objsubid = a.attnum
    CROSS JOIN LATERAL aclexplode(a.attacl) AS g
    WHERE o.classid = 'pg_class'::regclass AND (NOT ${BROUGHT} OR ${sorted('a.attacl')} IS DISTINCT FROM ${sorted('i.initprivs')})
    GROUP BY o.name, a.attname, g.grantee`,
  };
}

function defaultPrivileges(): DefinitionQuery {
  return {
    kind: 'default-privileges',
    sql: `
    SELECT format('of %I%s on %s', pg_get_userbyid(d.defaclrole), ' in schema ' || quote_ident(n.nspname),
        CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
          WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' WHEN 'L' THEN 'large objects'
          ELSE d.defaclobjtype::text END) AS identity,
      ${sorted('d.defaclacl')} AS exact
    FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace`,
  };
}

/** Grouped by owner and grants: there may be millions, hardly ever with more than a handful of both. */
function largeObjects(): DefinitionQuery {
  return {
    kind: 'large-objects',
    sql: `
    SELECT format('owned by %I, granted %s', pg_get_userbyid(l.lomowner), coalesce(acl.items, 'to nobody')) AS identity,
      jsonb_build_array(count(*), sum(l.oid::int8)) AS exact
    FROM pg_largeobject_metadata l CROSS JOIN LATERAL (
      SELECT string_agg(x::text, ', ' ORDER BY x::text) AS items FROM unnest(l.lomacl) AS x) AS acl
    GROUP BY l.lomowner, acl.items`,
  };
}

/** Extensions bring their own; copies of a parent's constraint or trigger lose theirs in every dump. */
function comments(scope: FactsScope): DefinitionQuery {
  const hidden = [...scope.hidden].flatMap(([catalog, oids]) =>
    oids.map((oid) => `('pg_catalog.${catalog}'::regclass::oid, ${oid}::oid)`),
  );
  const notHere = hidden.length === 0 ? 'true' : `NOT (d.classoid, d.objoid) IN (VALUES ${hidden.join(', ')})`;
  return {
    kind: 'comment',
    sql: `
    SELECT concat_ws(' ', i.type, i.identity) AS identity, to_jsonb(d.description) AS exact
    FROM pg_description d
    CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i
    WHERE (d.objoid >= ${FIRST_NORMAL_OID} OR d.classoid = 'pg_largeobject'::regclass
        OR i.type = 'schema' AND i.identity = 'public')
      AND (i.schema IS NULL OR ${userSchema('i.schema')}) AND d.classoid <> 'pg_extension'::regclass
      AND ${scope.largeObjects} >= (d.classoid = 'pg_largeobject'::regclass) AND ${notHere}
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid
        AND (e.deptype = 'e' OR e.refclassid = e.classid AND e.classid IN ('pg_constraint'::regclass, 'pg_trigger'::regclass)))
      AND ${notMember('pg_class', 'd.objoid')}`,
  };
}
