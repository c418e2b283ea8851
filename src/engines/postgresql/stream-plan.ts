import { availableParallelism } from 'node:os';
import type { DumpRequest } from '../../core/ports.ts';
import type { Relation } from './tables.ts';

export interface SizedTable {
  readonly table: Relation;
  readonly bytes: number;
}

/** What one stream of rows holds. */
export interface StreamGroup {
  /** Named one by one; in the last group those are left out, since it holds all that no other does. */
  readonly tables: readonly Relation[];
  readonly bytes: number;
}

/** Tables that are named in arguments of pg_dump, which looks each up by itself. */
const MOST_NAMED = 500;
/** Of all names together: a wrapper may pass the arguments on as one, which holds 128 KiB. */
const MOST_CHARACTERS = 48 << 10;
/** `--exclude-table-data="".""`, and the end of the argument. */
const NAME_OVERHEAD = 28;

/**
 * Deals tables out to streams, the largest first, each to the stream that has least. What is too small
 * to be worth naming stays in the last stream, with sequences and large objects.
 *
 * @param given.streams at most so many groups
 * @param given.otherBytes what the last stream holds besides tables
 * @returns one group at least, the last of them that of the rest
 */
export function planGroups(
  sized: readonly SizedTable[],
  given: { streams: number; otherBytes: number },
): readonly StreamGroup[] {
  const largest = sized
    // pg_dump takes those of an extension only together with it.
    .filter(({ table }) => table.extension === null)
    .toSorted((one, other) => other.bytes - one.bytes);
  const named = largest.slice(0, howManyNamed(largest));
  const all = sized.reduce((sum, { bytes }) => sum + bytes, given.otherBytes);
  const rest = named.reduce((sum, { bytes }) => sum - bytes, all);
  const groups = Array.from({ length: given.streams }, (_, at) => ({
    tables: [] as Relation[],
    bytes: at === given.streams - 1 ? rest : 0,
  }));
  for (const { table, bytes } of named) {
    const least = groups.reduce((one, other) => (other.bytes < one.bytes ? other : one));
    least.tables.push(table);
    least.bytes += bytes;
  }
  return groups.filter(({ tables }, at) => tables.length > 0 || at === groups.length - 1);
}

function howManyNamed(largest: readonly SizedTable[]): number {
  let characters = 0;
  const last = largest.findIndex(({ table }, at) => {
    characters += table.schema.length + table.relname.length + NAME_OVERHEAD;
    return at === MOST_NAMED || characters > MOST_CHARACTERS;
  });
  return last === -1 ? largest.length : last;
}

/** Whether rows go in several streams. The other scopes are small, or need their large objects in one. */
export function isParallel({ jobs = 1, scope }: Pick<DumpRequest, 'jobs' | 'scope'>): boolean {
  return jobs > 1 && (scope === 'full' || scope === 'tables');
}

/** Threads of each zstd: 0 leaves the choice to it, which takes every core. */
export function threadsOf(request: Pick<DumpRequest, 'jobs' | 'scope'>): number {
  return isParallel(request) ? Math.max(1, Math.floor(availableParallelism() / (request.jobs ?? 1))) : 0;
}
