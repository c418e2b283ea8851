import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Failure } from '../../core/failure.ts';
import { type Command, failureOf, type Pipeline, startPipeline } from '../../sys/process.ts';
import { decodeText } from './raw-text.ts';

/** One line of `pg_restore -l`. */
export interface ArchiveEntry {
  readonly id: number;
  /** The line as it was printed; a list made of such lines is what `pg_restore -L` takes. */
  readonly line: string;
  /** Type, schema, name and owner: `FK CONSTRAINT public orders orders_customer_fkey shop`. */
  readonly what: string;
}

/** Entries of an archive's table of contents, in the order they would be restored. */
export function parseArchiveList(list: string): ArchiveEntry[] {
  return list.split('\n').flatMap((line) => {
    const [, id, what] = /^(\d+); \d+ \d+ (.*)$/.exec(line) ?? [];
    return id === undefined || what === undefined ? [] : [{ id: Number(id), line, what }];
  });
}

/** Extensions that a restore would create. */
export function extensionsIn(entries: readonly ArchiveEntry[]): string[] {
  return entries.flatMap(({ what }) => /^EXTENSION - (.*) $/.exec(what)?.[1] ?? []);
}

/** Entries whose restore needs rows that the archive does not hold. */
export interface LeftOutKey {
  readonly id: number;
  /** `public.orders orders_customer_fkey`, as the statement writes it. */
  readonly constraint: string;
  readonly references: string;
}

const IDENT = '(?:"(?:[^"]|"")*"|[^\\s"(),.;]+)';
const QUALIFIED = `${IDENT}\\.${IDENT}`;
const FOREIGN_KEY = new RegExp(
  `ALTER TABLE (?:ONLY )?(${QUALIFIED})\\s+ADD CONSTRAINT (${IDENT}) FOREIGN KEY \\([^)]*\\) REFERENCES (${QUALIFIED})\\(`,
);
const ATTACH = new RegExp(`ALTER TABLE ONLY (${QUALIFIED}) ATTACH PARTITION (${QUALIFIED}) `);
const PARTITIONED = new RegExp(`CREATE TABLE (${QUALIFIED}) \\([\\s\\S]*\\n\\)\\nPARTITION BY `);
const ENTRY_COMMENT = /^-- TOC entry (\d+) \(class \d+ OID \d+\)$/m;

/** Entries whose statements `findDanglingKeys` reads. */
export function keyEntries(entries: readonly ArchiveEntry[]): ArchiveEntry[] {
  return entries.filter(({ what }) => /^(FK CONSTRAINT |TABLE ATTACH |TABLE (?!DATA ))/.test(what));
}

/**
 * Foreign keys into tables whose rows the archive does not hold, or into partitioned ones of which a
 * partition's rows are missing: they cannot be created again. Tables of extensions are no part of an
 * archive, and have their rows from the extension.
 *
 * @param entries of all archives of the backup
 * @param sql what `pg_restore --verbose -f -` prints for `keyEntries`
 */
export function findDanglingKeys(entries: readonly ArchiveEntry[], sql: string): LeftOutKey[] {
  const partitions = new Map<string, string[]>();
  const partitioned = new Set<string>();
  const keys: LeftOutKey[] = [];
  for (const { id, statement } of statementsById(sql)) {
    const [, parent, child] = ATTACH.exec(statement) ?? [];
    if (parent !== undefined && child !== undefined) partitions.set(parent, [...(partitions.get(parent) ?? []), child]);
    const created = PARTITIONED.exec(statement)?.[1];
    if (created !== undefined) partitioned.add(created);
    const [, table, name, references] = FOREIGN_KEY.exec(statement) ?? [];
    if (references !== undefined) keys.push({ id, constraint: `${table} ${name}`, references });
  }
  const has = (kind: string, table: string) =>
    entries.some(({ what }) => what.startsWith(`${kind} ${listName(table)} `));
  const isRowless = (table: string): boolean =>
    partitioned.has(table)
      ? (partitions.get(table) ?? []).some(isRowless)
      : has('TABLE', table) && !has('TABLE DATA', table);
  return keys.filter((key) => isRowless(key.references));
}

function statementsById(sql: string): { id: number; statement: string }[] {
  const [, ...parts] = sql.split(ENTRY_COMMENT);
  return parts.flatMap((part, index) =>
    index % 2 === 0 ? [{ id: Number(part), statement: parts[index + 1] ?? '' }] : [],
  );
}

/** `"My Schema".orders` as a list writes it: `My Schema orders`, line ends as spaces. */
export function listName(qualified: string): string {
  const [, schema = '', name = ''] = new RegExp(`^(${IDENT})\\.(${IDENT})$`).exec(qualified) ?? [];
  return [schema, name].map(plain).join(' ');
}

function plain(written: string): string {
  const name = written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
  return name.replaceAll(/[\r\n]/g, ' ');
}

/**
 * Runs a program that needs only the head of `input`, and gives its stdout. The table of contents
 * stands before the data, so nothing has to be kept: the rest of the stream is not read.
 */
export async function readHead(commands: readonly Command[], input: Readable, signal: AbortSignal): Promise<string> {
  const pipe = startPipeline(commands, 'pipe', signal);
  let broken: unknown;
  input.once('error', (error) => {
    broken ??= error;
    void pipe.end();
  });
  pipe.stdin?.on('error', () => {}); // the reader had enough
  if (pipe.stdin !== null) input.pipe(pipe.stdin);
  try {
    const output = decodeText(await buffer(pipe.stdout));
    const exit = await pipe.programs.at(-1)?.exit;
    signal.throwIfAborted();
    const failure = exit === undefined ? undefined : failureOf(exit);
    if (failure !== undefined) throw broken ?? (await killedBefore(pipe)) ?? failure;
    return output;
  } finally {
    input.destroy();
    input.on('error', () => {}); // our own destroying it is no error
    await pipe.end();
  }
}

/** A program killed before the reader leaves it an input that is too short, which says nothing of the backup. */
async function killedBefore({ programs }: Pipeline): Promise<Failure | undefined> {
  const exits = Promise.all(programs.slice(0, -1).map(({ exit }) => exit));
  const ended = await Promise.race([exits, delay(1_000, [], { ref: false })]);
  const killed = ended.find(({ signal }) => signal !== null && signal !== 'SIGPIPE');
  return killed === undefined ? undefined : failureOf(killed);
}
