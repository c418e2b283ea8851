import type { Facts } from '../../core/facts.ts';
import type { Session } from './session.ts';
import { identifier, literal } from './session.ts';
import type { DumpedTable } from './tables.ts';

interface MigrationTool {
  readonly tool: string;
  readonly table: string;
  /** Columns that must all be there: `migrations` alone is anybody's table. */
  readonly columns: readonly string[];
  /** Columns shown of the newest row. */
  readonly shown: readonly string[];
  /** Columns that put the newest row last. */
  readonly order: readonly string[];
}

const tool = (name: string, table: string, shown: string[], order: string[], also: string[] = []): MigrationTool => ({
  tool: name,
  table,
  shown,
  order,
  columns: [...new Set([...shown, ...order, ...also])],
});

/** Of two tools with a table of the same name, the one with more columns comes first. */
const tools: readonly MigrationTool[] = [
  tool('Flyway', 'flyway_schema_history', ['version', 'description', 'success'], ['installed_rank']),
  tool('Liquibase', 'databasechangelog', ['id', 'author'], ['orderexecuted'], ['md5sum']),
  tool('Prisma', '_prisma_migrations', ['migration_name'], ['started_at'], ['checksum']),
  tool('Alembic', 'alembic_version', ['version_num'], ['version_num']),
  tool('Django', 'django_migrations', ['app', 'name'], ['id']),
  tool('Entity Framework', '__EFMigrationsHistory', ['MigrationId'], ['MigrationId']),
  tool('golang-migrate', 'schema_migrations', ['version', 'dirty'], ['version']),
  tool('Ecto', 'schema_migrations', ['version'], ['version'], ['inserted_at']),
  tool('Rails', 'schema_migrations', ['version'], ['version']),
  tool('goose', 'goose_db_version', ['version_id', 'is_applied'], ['id']),
  tool('Knex', 'knex_migrations', ['name'], ['id'], ['batch']),
  tool('Laravel', 'migrations', ['migration', 'batch'], ['id']),
  tool('TypeORM', 'migrations', ['name'], ['id'], ['timestamp']),
  tool('Sequelize', 'SequelizeMeta', ['name'], ['name']),
  tool('Drizzle', '__drizzle_migrations', ['hash'], ['id'], ['created_at']),
  tool('node-pg-migrate', 'pgmigrations', ['name'], ['id'], ['run_on']),
  tool('sqlx', '_sqlx_migrations', ['version', 'description'], ['version']),
  tool('Diesel', '__diesel_schema_migrations', ['version'], ['version']),
  tool('dbmate', 'schema_migrations', ['version'], ['version']),
];

/** The newest row of the first migration tool's table whose rows this dump holds; null when there is none. */
export async function readMigration(session: Session, tables: readonly DumpedTable[]): Promise<Facts['migration']> {
  const names = new Set(tools.map((one) => one.table));
  const candidates = tables.filter((table) => names.has(table.relname));
  if (candidates.length === 0) return null;
  const columns = await readColumnNames(session, candidates);
  for (const known of tools) {
    const table = candidates.find(
      ({ relname, oid }) => relname === known.table && known.columns.every((name) => columns.get(oid)?.has(name)),
    );
    if (table !== undefined) {
      return { tool: known.tool, table: table.name, newest: await newestOf(session, known, table.name) };
    }
  }
  return null;
}

async function readColumnNames(session: Session, tables: readonly DumpedTable[]): Promise<Map<number, Set<string>>> {
  const oids = tables.map((table) => table.oid).join(', ');
  const rows = await session.query<{ oid: number; names: string[] }>(`
    SELECT a.attrelid::int8 AS oid, jsonb_agg(a.attname) AS names FROM pg_attribute a
    WHERE a.attrelid IN (${oids}) AND a.attnum > 0 AND NOT a.attisdropped GROUP BY a.attrelid`);
  return new Map(rows.map(({ oid, names }) => [oid, new Set(names)]));
}

/** Characters shown of the newest row: anybody who may write to that table decides how long it is. */
const LONGEST = 500;

async function newestOf(session: Session, known: MigrationTool, table: string): Promise<string> {
  const shown = known.shown.map((name) => `${identifier(name)}::text`).join(', ');
  const order = known.order.map((name) => `${identifier(name)} DESC NULLS LAST`).join(', ');
  const [row] = await session.query<{ newest: string }>(
    `SELECT left(concat_ws(${literal(' ')}, ${shown}), ${LONGEST}) AS newest FROM ONLY ${table} ORDER BY ${order}, 1 LIMIT 1`,
  );
  return row?.newest ?? 'no row';
}
