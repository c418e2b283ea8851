import type { SchemaFact } from '../../core/facts.ts';
import { notMember, userSchema } from './facts-scope.ts';
import { identifier } from './session.ts';
import type { Attempt, DamageKind, TamperedDatabase } from './tamper.ts';

interface Candidate {
  readonly kind: string;
  readonly identity: string;
  readonly sql: string;
}

const SCHEMA_ONLY = { schema: true, tables: new Set<string>(), largeObjects: false };

/** What a definition can lose or gain. */
export const objectDamages: readonly DamageKind[] = [
  { damage: 'a dropped table', attempts: dropTable, none: noneThere('table') },
  { damage: 'an extra table', attempts: createTable, none: noneThere('schema') },
  dropped('a dropped index', 'index that is not a constraint’s', INDEXES()),
  dropped('a dropped constraint', 'constraint', CONSTRAINTS()),
  dropped('a dropped trigger', 'trigger', TRIGGERS()),
  dropped('a dropped policy', 'policy', POLICIES()),
  dropped('a missing grant', 'grant', GRANTS()),
];

function noneThere(what: string): DamageKind['none'] {
  return { notDone: 'none-there', why: `the database has no ${what}` };
}

function dropped(damage: string, what: string, sql: string): DamageKind {
  return {
    damage,
    none: noneThere(what),
    attempts: async (database) => (await candidates(database, sql)).map(asAttempt),
  };
}

/** Those only that the facts know: a member of an extension is nobody's loss. */
async function candidates({ session, known }: TamperedDatabase, sql: string): Promise<Candidate[]> {
  const keyOf = ({ kind, identity }: Pick<SchemaFact, 'kind' | 'identity'>) => `${kind} ${identity}`;
  const there = new Set(known.schema.map(keyOf));
  return (await session.query<Candidate>(sql)).filter((one) => there.has(keyOf(one)));
}

function asAttempt({ kind, identity, sql }: Candidate): Attempt {
  const expect = [{ rule: 'facts-schema', names: `${kind.replaceAll('-', ' ')} ${identity}` }] as const;
  return { target: identity, sql, expect, reread: SCHEMA_ONLY };
}

/** Also of its rows, which are then not there. */
async function dropTable(database: TamperedDatabase): Promise<Attempt[]> {
  const counted = new Set(database.known.tables.map(({ name }) => name));
  return (await candidates(database, TABLES())).map((one) => {
    const attempt = asAttempt(one);
    const rows = counted.has(one.identity) ? [{ rule: 'facts-tables', names: `table ${one.identity}` } as const] : [];
    return { ...attempt, expect: [...attempt.expect, ...rows] };
  });
}

const EXTRA = 'lifeboat_self_test';

async function createTable({ session }: TamperedDatabase): Promise<Attempt[]> {
  const schemas = await session.query<{ name: string; quoted: string }>(`
    SELECT n.nspname AS name, quote_ident(n.nspname) AS quoted FROM pg_catalog.pg_namespace n
    WHERE ${userSchema('n.nspname')} ORDER BY n.nspname <> 'public', 1`);
  return schemas.map(({ name, quoted }) => {
    const sql = `CREATE TABLE ${identifier(name)}.${EXTRA} (id integer)`;
    return asAttempt({ kind: 'table', identity: `${quoted}.${EXTRA}`, sql });
  });
}

function TABLES(): string {
  return `
    SELECT 'table' AS kind, format('%I.%I', n.nspname, c.relname) AS identity,
      format('DROP TABLE %I.%I CASCADE', n.nspname, c.relname) AS sql
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND ${userSchema('n.nspname')} AND ${notMember('pg_class', 'c.oid')}
    ORDER BY c.relispartition, pg_relation_size(c.oid), 2`;
}

function INDEXES(): string {
  return `
    SELECT 'index' AS kind, format('%I.%I', n.nspname, i.relname) AS identity,
      format('DROP INDEX %I.%I CASCADE', n.nspname, i.relname) AS sql
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
    WHERE ${userSchema('n.nspname')} AND NOT i.relispartition
      AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))
    ORDER BY x.indisunique, 2`;
}

function CONSTRAINTS(): string {
  return `
    SELECT CASE k.contype WHEN 'f' THEN 'foreign-key' ELSE 'constraint' END AS kind,
      format('%I on %I.%I', k.conname, n.nspname, c.relname) AS identity,
      format('ALTER TABLE %I.%I DROP CONSTRAINT %I CASCADE', n.nspname, c.relname, k.conname) AS sql
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE k.contype IN ('c', 'f', 'u', 'x', 'p') AND k.conparentid = 0 AND k.coninhcount = 0
      AND c.relkind IN ('r', 'p') AND ${userSchema('n.nspname')}
    ORDER BY array_position('{c,f,u,x,p}'::"char"[], k.contype), 2`;
}

function TRIGGERS(): string {
  return `
    SELECT 'trigger' AS kind, format('%I on %I.%I', t.tgname, n.nspname, c.relname) AS identity,
      format('DROP TRIGGER %I ON %I.%I CASCADE', t.tgname, n.nspname, c.relname) AS sql
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND NOT c.relispartition AND ${userSchema('n.nspname')} ORDER BY 2`;
}

function POLICIES(): string {
  return `
    SELECT 'policy' AS kind, format('%I on %I.%I', p.polname, n.nspname, c.relname) AS identity,
      format('DROP POLICY %I ON %I.%I', p.polname, n.nspname, c.relname) AS sql
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${userSchema('n.nspname')} ORDER BY 2`;
}

/** Rights given to others on a relation, else on a schema, else what the owner of a table has. */
function GRANTS(): string {
  const grantee = `CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END`;
  const type = `CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
    ELSE 'table' END`;
  const ofRelation = (rank: number, acl: string, condition: string) => `
    SELECT ${rank} AS rank, format('%s %I.%I to %s', ${type}, n.nspname, c.relname, ${grantee}) AS identity,
      format('REVOKE ALL ON TABLE %I.%I FROM %s CASCADE', n.nspname, c.relname, ${grantee}) AS sql
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL aclexplode(${acl}) AS g
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND ${userSchema('n.nspname')} AND ${condition}`;
  return `
    SELECT DISTINCT 'grant' AS kind, a.identity, a.sql, a.rank FROM (
      ${ofRelation(1, 'c.relacl', 'g.grantee <> c.relowner AND g.grantor = c.relowner')}
      UNION ALL
      SELECT 2, format('schema %I to %s', n.nspname, ${grantee}),
        format('REVOKE ALL ON SCHEMA %I FROM %s CASCADE', n.nspname, ${grantee})
      FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) AS g
      WHERE ${userSchema('n.nspname')} AND g.grantee <> n.nspowner AND g.grantor = n.nspowner
      UNION ALL
      ${ofRelation(3, `coalesce(c.relacl, acldefault('r', c.relowner))`, 'g.grantee = c.relowner')}) AS a
    ORDER BY a.rank, a.identity`;
}
