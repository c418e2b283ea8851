import type { TestPostgres } from '../servers/postgresql.ts';

/** A name that is a command wherever a program forgets to quote it. */
export const commandName = (pwned: string) =>
  `x\n\\! touch ${pwned}\n\`touch ${pwned}\`$(touch ${pwned})';"::error::${'`'}`;

/** Only in a drill: at the source this database is as good as any. */
const inDrill = `current_database() LIKE 'lifeboat_drill%'`;

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** Names of pg_catalog's that our queries use; whoever calls one of these instead hears of it. */
const SHADOWS = [
  'quote_ident(name) text',
  'format(text, name) text',
  'format(text, name, name) text',
  'pg_get_expr(pg_node_tree, oid) text',
  'pg_get_viewdef(oid) text',
  'pg_get_constraintdef(oid) text',
  'pg_get_userbyid(oid) name',
  'format_type(oid, int) text',
  'to_jsonb(anyelement) jsonb',
  'jsonb_build_array(name, text) jsonb',
  'convert_to(text, text) bytea',
  'same(name, name) boolean',
  'same(oid, oid) boolean',
  'same("char", "char") boolean',
]
  .map((signature) => {
    const [, call = '', result = ''] = /^(.*\)) (\w+)$/.exec(signature) ?? [];
    return `CREATE FUNCTION public.${call} RETURNS ${result} LANGUAGE plpgsql AS $s$ BEGIN RAISE EXCEPTION 'a shadow was called'; END $s$;`;
  })
  .concat(
    ['name', 'oid', '"char"'].flatMap((type) =>
      ['=', '<>'].map(
        (sign) => `CREATE OPERATOR public.${sign} (LEFTARG = ${type}, RIGHTARG = ${type}, FUNCTION = public.same);`,
      ),
    ),
    ['pg_class', 'pg_namespace', 'pg_attribute', 'pg_roles'].map((name) => `CREATE TABLE public.${name} (oid int);`),
  )
  .join('\n');

export interface HostileOptions {
  readonly database: string;
  /** Shell lines of the program that a CHECK starts; what they print lands in the table `loot`. */
  readonly script: readonly string[];
  /** Statements of the CHECK besides; each may fail. */
  readonly sql?: readonly string[];
  /** Statements beside, run when the database is made. */
  readonly more?: string;
  /** A file that appears when a name is taken for a command. */
  readonly pwned: string;
}

/** Makes a database whose owner attacks whoever restores it. Its `orders` are innocent. */
export async function makeHostileDatabase(server: TestPostgres, given: HostileOptions): Promise<void> {
  const { database, pwned } = given;
  const evil = commandName(pwned);
  await server.psql(`DROP DATABASE IF EXISTS ${database}`);
  await server.psql(`CREATE DATABASE ${database}`);
  await server.psql(`ALTER DATABASE ${database} SET search_path = public, pg_catalog`);
  const steps = (given.sql ?? []).map(
    (sql) => `BEGIN ${sql}; EXCEPTION WHEN OTHERS THEN INSERT INTO public.loot VALUES ('denied: ' || SQLERRM); END;`,
  );
  await server.psql(
    `CREATE TABLE orders AS SELECT g AS id, md5(g::text) AS note FROM generate_series(1, 500) g;
     CREATE TABLE loot (line text);
     CREATE FUNCTION look() RETURNS boolean LANGUAGE plpgsql AS $look$ BEGIN
       IF ${inDrill} AND NOT EXISTS (SELECT FROM public.loot) THEN
         COPY public.loot FROM PROGRAM ${literal(`(${given.script.join('\n')}) 2>&1 | tr '\\t\\\\' '  '`)};
         ${steps.join('\n')}
         RAISE WARNING '%', E'\\n::error::warned\\n##[error]warned\\x1b[31m' || repeat('w', 1000000);
       END IF;
       RETURN true; END $look$;
     CREATE TABLE victims (id int CHECK (public.look()));
     INSERT INTO victims VALUES (1);
     CREATE TABLE ${quoted(evil.slice(0, 60))} (${quoted(evil.slice(0, 60))} int DEFAULT 1);
     INSERT INTO ${quoted(evil.slice(0, 60))} VALUES (1);
     COMMENT ON TABLE ${quoted(evil.slice(0, 60))} IS ${literal(evil)};
     ${SHADOWS}
     ${given.more ?? ''}`,
    database,
  );
}
