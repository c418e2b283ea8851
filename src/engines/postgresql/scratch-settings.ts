import { availableParallelism } from 'node:os';
import type { Manifest } from '../../core/manifest.ts';
import { MOST_WAL } from './scratch-space.ts';

const MIB = 1024 * 1024;

/**
 * Lines of postgresql.conf for a server that is thrown away: nothing has to survive a crash, nothing
 * runs by itself, nobody is reached. What the user allowed comes last but cannot undo the isolation.
 *
 * @param freeBytes memory that is free now
 */
export function scratchConfiguration(given: {
  manifest: Pick<Manifest, 'totals'>;
  major: number;
  socketDir: string;
  freeBytes: number;
  allowed: readonly string[];
}): string {
  const lines = { ...speed(given), ...quiet(given.major) };
  const isolation = {
    listen_addresses: '',
    unix_socket_directories: given.socketDir,
    unix_socket_permissions: '0700',
    port: String(SCRATCH_PORT),
    archive_mode: 'off',
    max_wal_senders: '0',
    max_replication_slots: '0',
    max_logical_replication_workers: '0',
    // Files in the data folder: a segment in /dev/shm would outlive a killed server.
    dynamic_shared_memory_type: 'mmap',
  };
  return `${[...format(lines), ...given.allowed, ...format(isolation)].join('\n')}\n`;
}

/** Part of the socket's name only: a scratch server never listens on TCP. */
export const SCRATCH_PORT = 5432;

function speed(given: { manifest: Pick<Manifest, 'totals'>; freeBytes: number }): Record<string, string> {
  const { totals } = given.manifest;
  const megabytes = (share: number, most: number) =>
    `${Math.round(clamp(given.freeBytes * share, 64 * MIB, most) / MIB)}MB`;
  // Beside the session itself, which sorts as well: one more than there are cores made indexes slower (measured).
  const workers = String(Math.max(1, Math.min(8, availableParallelism() - 1)));
  return {
    fsync: 'off',
    full_page_writes: 'off',
    synchronous_commit: 'off',
    wal_level: 'minimal',
    max_wal_size: `${MOST_WAL / MIB}MB`,
    checkpoint_timeout: '1h',
    autovacuum: 'off',
    shared_buffers: megabytes(0.1, 1024 * MIB),
    maintenance_work_mem: megabytes(0.1, 1024 * MIB),
    max_parallel_maintenance_workers: workers,
    max_parallel_workers: workers,
    max_connections: '20',
    // A restore in one transaction holds a lock on all it made: tables, indexes, TOAST, sequences.
    max_locks_per_transaction: String(Math.round(clamp((totals.schemaObjects + totals.tables * 8) / 10, 256, 100_000))),
  };
}

function quiet(major: number): Record<string, string> {
  return {
    shared_preload_libraries: '',
    session_preload_libraries: '',
    local_preload_libraries: '',
    logging_collector: 'off',
    log_destination: 'stderr',
    log_min_messages: 'warning',
    log_min_error_statement: 'panic',
    lc_messages: 'C',
    ssl: 'off',
    jit: 'off',
    ...(major >= 17 && { summarize_wal: 'off' }),
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

function format(settings: Record<string, string>): string[] {
  return Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
}
