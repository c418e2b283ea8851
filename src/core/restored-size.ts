import type { Manifest } from './manifest.ts';

const MIB = 1024 * 1024;
/** Indexes beside the rows, and the overhead of pages, by experience. */
const INDEX_FACTOR = 2.5;
/** More than this makes a checkpoint, which costs little. */
export const MOST_WAL = 4 * 1024 * MIB;
/** What zstd makes of tables at its best. */
const COMPRESSION_FACTOR = 15;

/**
 * Bytes that a restored database takes on disk, and WAL while it is being made. The smaller of two bounds, since both can
 * be far too high: a source full of dead rows is larger than its dump, and a dump of few tables comes from a large
 * source. Refusing what had room is worse than ending with a full disk.
 */
export function estimateRestoredBytes(manifest: Manifest, artifactBytes: number): number {
  const archives = manifest.artifacts.filter(({ format }) => format === 'pg_dump-custom');
  const plain = archives.map(({ plainBytes }) => plainBytes);
  const known = plain.every((bytes) => bytes !== undefined);
  const rows = known ? plain.reduce((sum: number, bytes) => sum + (bytes ?? 0), 0) : artifactBytes * COMPRESSION_FACTOR;
  const restored = Math.min(manifest.totals.databaseBytes * 1.1, rows * INDEX_FACTOR);
  return Math.round(restored + Math.min(rows, walBytes(manifest)));
}

/** Rows are written without WAL only by the transaction that created their table. */
function walBytes({ artifacts }: Manifest): number {
  return artifacts.some(({ role }) => role === 'data') ? MOST_WAL : 0;
}
