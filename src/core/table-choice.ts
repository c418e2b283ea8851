import { Failure } from './failure.ts';
import { nearest } from './nearest.ts';
import { splitName, type TableName } from './table-name.ts';
import { parsePattern } from './table-pattern.ts';

/** Something of a backup that a user may name. */
export interface Choosable extends TableName {
  /** As facts write it. */
  readonly name: string;
  readonly kind: 'table' | 'partitioned table' | 'view' | 'materialized view' | 'foreign table';
  /** Name of the partitioned table it is a partition of. */
  readonly partitionOf: string | null;
  /** Always false for what has none of its own. */
  readonly holdsRows: boolean;
  /** Extension it belongs to. */
  readonly extension: string | null;
}

/** What a user's names come to. */
export interface TableChoice {
  /** Tables and partitioned tables as they are restored, none of them a partition of another one here. */
  readonly roots: readonly string[];
  /** Those that hold the rows: the roots, or their partitions. */
  readonly leaves: readonly string[];
  /** Roots, leaves, and what lies between them. */
  readonly all: readonly string[];
  /** What a wildcard matched and the backup holds no rows of. */
  readonly passedOver: readonly string[];
}

const EXACT =
  'Names are exact and keep their case; `*` and `?` are wildcards; without a schema every schema is searched.';
const MOST_NAMED = 5;

/**
 * Refuses names that nothing of the backup bears, before anything is fetched.
 *
 * @param names of all there is, as facts write them
 * @throws {Failure} `invalid-input`, naming what is near
 */
export function refuseUnknownTables(patterns: readonly string[], names: readonly string[]): void {
  const known = names.map((name) => ({ name, ...splitName(name) }));
  for (const pattern of patterns) matching(pattern, known);
}

/**
 * Applies names as the user wrote them; without any, every table that the backup holds rows of. A partitioned table
 * stands for its partitions.
 *
 * @throws {Failure} `invalid-input` when a line matches nothing, `guard-refused` when it names what has no rows here
 */
export function chooseTables(patterns: readonly string[], known: readonly Choosable[]): TableChoice {
  const chosen = new Map<string, readonly Choosable[]>();
  const passedOver = new Set<string>();
  for (const pattern of patterns.length === 0 ? ['*'] : patterns) {
    for (const hit of patterns.length === 0 ? known : matching(pattern, known)) {
      const why = whyNot(hit, known);
      if (why === undefined) chosen.set(hit.name, withPartitions(hit, known));
      else if (hasWildcard(pattern)) passOver(hit, passedOver);
      else throw notToBeHad(pattern, why);
    }
    if (patterns.length > 0 && !matching(pattern, known).some(({ name }) => chosen.has(name)))
      throw notToBeHad(pattern, 'the backup holds rows of none of them');
  }
  return {
    roots: [...chosen.keys()].filter((name) => !isBelowAnother(name, chosen)),
    ...membersOf([...chosen.values()].flat()),
    passedOver: [...passedOver].filter((name) => !chosen.has(name)),
  };
}

function passOver({ kind, name }: Choosable, into: Set<string>): void {
  if (kind === 'table' || kind === 'partitioned table') into.add(name);
}

function membersOf(members: readonly Choosable[]): Pick<TableChoice, 'leaves' | 'all'> {
  const names = (list: readonly Choosable[]) => [...new Set(list.map(({ name }) => name))];
  return { leaves: names(members.filter(({ kind }) => kind === 'table')), all: names(members) };
}

function isBelowAnother(name: string, chosen: ReadonlyMap<string, readonly Choosable[]>): boolean {
  return [...chosen].some(([root, members]) => root !== name && members.some((one) => one.name === name));
}

function matching<T extends TableName>(pattern: string, known: readonly T[]): T[] {
  const { schema, table } = parsePattern(pattern, 'tables');
  const hits = known.filter((one) => table.test(one.table) && (schema?.test(one.schema) ?? true));
  if (hits.length > 0) return hits;
  const near = nearTo(pattern, known);
  const maybe = near.length === 0 ? '' : ` Did you mean ${near.map((one) => `"${one}"`).join(' or ')}?`;
  throw new Failure('invalid-input', `\`tables\`: the backup holds no table named "${pattern}".${maybe}`, {
    hint: EXACT,
  });
}

function nearTo(pattern: string, known: readonly TableName[]): string[] {
  const written = known.map(({ schema, table }) => ({ table, full: `${schema}.${table}` }));
  const folded = pattern.replaceAll('"', '').toLowerCase();
  const same = written.filter(({ table, full }) => [table.toLowerCase(), full.toLowerCase()].includes(folded));
  if (same.length > 0) return same.map(({ full }) => full).slice(0, MOST_NAMED);
  const names = written.flatMap(({ table, full }) => [full, table]);
  const one = nearest(pattern, names);
  return one === undefined ? [] : [one];
}

function whyNot(one: Choosable, known: readonly Choosable[]): string | undefined {
  if (one.kind === 'view' || one.kind === 'materialized view' || one.kind === 'foreign table')
    return `${one.name} is a ${one.kind}, which has no rows of its own in a backup`;
  if (one.extension !== null) return `${one.name} belongs to the extension ${one.extension}`;
  const without = withPartitions(one, known).filter((part) => part.kind !== 'partitioned table' && !part.holdsRows);
  if (without.length === 0) return undefined;
  const named = without
    .slice(0, MOST_NAMED)
    .map(({ name }) => name)
    .join(', ');
  if (one.kind === 'table') return `the backup holds no rows of ${one.name}`;
  return `of ${one.name} the backup holds no rows of ${named}${without.length > MOST_NAMED ? ', …' : ''}`;
}

/** A table stands for itself, a partitioned one for all below it as well. */
function withPartitions(one: Choosable, known: readonly Choosable[]): Choosable[] {
  if (one.kind !== 'partitioned table') return [one];
  const parts = known.filter(({ partitionOf }) => partitionOf === one.name);
  return [one, ...parts.flatMap((part) => withPartitions(part, known))];
}

function hasWildcard(pattern: string): boolean {
  return /[*?]/.test(pattern.replaceAll(/"(?:[^"]|"")*"/g, ''));
}

function notToBeHad(pattern: string, why: string): Failure {
  return new Failure('guard-refused', `\`tables\`: "${pattern}" cannot be restored: ${why}.`, {
    hint: 'Choose a backup that holds its rows (`lifeboat show ID` lists what one leaves out), or leave the line out.',
  });
}
