import { Failure } from './failure.ts';

export interface Assertion {
  readonly name: string;
  readonly sql: string;
}

/**
 * `name: SQL`, one a line. The name ends at the first colon that is no part of a cast.
 *
 * @throws {Failure} `invalid-input`
 */
export function parseAssertions(lines: readonly string[]): Assertion[] {
  return lines.map((line) => {
    const [, name = '', sql = ''] = /^([^:]{1,200}):(?!:)\s*(.+)$/s.exec(line) ?? [];
    if (name.trim() === '' || sql.startsWith('\\')) throw noAssertion(line);
    return { name: name.trim(), sql: sql.replace(/;\s*$/, '') };
  });
}

function noAssertion(line: string): Failure {
  return new Failure('invalid-input', `\`assertions\`: "${line.slice(0, 200)}" is no assertion.`, {
    hint: 'Write `name: SQL` with one statement that yields true, e.g. `orders exist: SELECT count(*) > 0 FROM orders`. Commands of psql (`\\…`) are not SQL.',
  });
}

/** Memory, planning, text formats and preloaded libraries. Nothing that runs a program or opens a connection. */
const ALLOWED = new Set([
  'shared_preload_libraries',
  'shared_buffers',
  'work_mem',
  'maintenance_work_mem',
  'temp_buffers',
  'effective_cache_size',
  'hash_mem_multiplier',
  'huge_pages',
  'max_connections',
  'max_worker_processes',
  'max_parallel_workers',
  'max_parallel_workers_per_gather',
  'max_parallel_maintenance_workers',
  'max_locks_per_transaction',
  'max_prepared_transactions',
  'max_files_per_process',
  'max_stack_depth',
  'max_wal_size',
  'random_page_cost',
  'jit',
  'timezone',
  'datestyle',
  'intervalstyle',
  'lc_monetary',
  'lc_numeric',
  'lc_time',
  'default_text_search_config',
  'xmloption',
  'bytea_output',
]);

/**
 * Lines for postgresql.conf of the scratch server.
 *
 * @throws {Failure} `invalid-input` for what is not on the list; settings of extensions (with a dot) are
 */
export function checkScratchSettings(lines: readonly string[]): string[] {
  return lines.map((line) => {
    const [, name = ''] = /^([A-Za-z_][\w.]*)\s*=\s*('(?:[^'\\]|'')*'|[\w.+-]+)$/.exec(line) ?? [];
    if (ALLOWED.has(name.toLowerCase()) || /^\w+\.\w[\w.]*$/.test(name)) return line;
    throw new Failure('invalid-input', `\`scratch-settings\`: "${line.slice(0, 200)}" is not allowed.`, {
      hint: `Write \`name = 'value'\`. Allowed are ${[...ALLOWED].join(', ')}, and settings of extensions.`,
    });
  });
}
