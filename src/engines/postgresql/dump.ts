import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { Failure } from '../../core/failure.ts';
import type { Artifact, ArtifactRole } from '../../core/manifest.ts';
import type { DumpOutput, DumpRequest, DumpStream } from '../../core/ports.ts';
import { largeWrites } from '../../sys/large-writes.ts';
import { outputOf, type Running, startPipeline } from '../../sys/process.ts';
import { plainBytesOf, zstdCommand } from '../../sys/zstd.ts';
import { explainError } from './explain.ts';
import type { Client } from './programs.ts';
import { lockWaitMs } from './snapshot.ts';
import { isParallel, planGroups, type StreamGroup, threadsOf } from './stream-plan.ts';
import type { Relation, SelectedTables, TableSizes } from './tables.ts';

export interface DumpPlan {
  readonly client: Client;
  readonly request: DumpRequest;
  readonly env: NodeJS.ProcessEnv;
  readonly snapshotId: string;
  readonly encoding: string;
  readonly applicationName: string;
  readonly selected: SelectedTables;
  readonly sizes: TableSizes;
  readonly globals: string;
}

/** Custom-format header, catalog and per-table overhead, so that small databases have a sane estimate. */
const OVERHEAD_BYTES = 1 << 20;

/** The streams of one backup: what pg_dump says in one part or several, and the globals. */
export function planStreams(plan: DumpPlan): DumpStream[] {
  const rows = totalBytes(plan) + OVERHEAD_BYTES;
  const globals = textStream('globals', 'globals.sql', 'sql', plan.globals, plan);
  if (isParallel(plan.request)) return [...parallelStreams(plan), globals];
  const schema = () =>
    pgDumpStream(plan, 'schema', 'schema.dump', [...selection(plan), '--schema-only'], OVERHEAD_BYTES);
  const data = [...selection(plan), '--data-only'];
  switch (plan.request.scope) {
    case 'full':
      return [pgDumpStream(plan, 'dump', 'database.dump', selection(plan), rows), globals];
    case 'tables':
      return [pgDumpStream(plan, 'dump', 'tables.dump', selection(plan), rows), globals];
    case 'schema':
      return [schema(), globals];
    case 'data':
      return [schema(), pgDumpStream(plan, 'data', 'data.dump', data, rows), globals];
  }
}

function totalBytes({ selected, sizes }: DumpPlan): number {
  return selected.dumped.reduce((sum, { oid }) => sum + (sizes.tables.get(oid) ?? 0), sizes.largeObjects);
}

/**
 * The dump by sections, its rows in several streams of one snapshot. Definitions come first: only of
 * tables can locks keep DDL away, and what is read early is read before there is any.
 */
function parallelStreams(plan: DumpPlan): DumpStream[] {
  const { request, selected, sizes } = plan;
  // The names of artifacts alone must tell the scope.
  const prefix = request.scope === 'tables' ? 'tables-' : '';
  const part = (role: ArtifactRole, name: string, args: readonly string[], bytes: number) =>
    pgDumpStream(plan, role, `${prefix}${name}.dump`, args, bytes + OVERHEAD_BYTES);
  const sized = selected.dumped.map((table) => ({ table, bytes: sizes.tables.get(table.oid) ?? 0 }));
  const groups = planGroups(sized, { streams: request.jobs ?? 1, otherBytes: sizes.largeObjects });
  const views = selected.withoutRows.filter(({ kind }) => kind === 'm');
  // With the tables in its list `pg_restore -j` knows which indexes and keys would lock each other out.
  const postData = ['--section=pre-data', '--section=post-data', '--no-blobs', ...selection(plan, views)];
  return [
    part('pre-data', 'pre-data', ['--section=pre-data', ...selection(plan, [])], 0),
    part('post-data', 'post-data', postData, 0),
    ...groups.map((group, at) =>
      part('data', `data-${String(at + 1).padStart(2, '0')}`, groupArguments(plan, groups, group), group.bytes),
    ),
  ];
}

function groupArguments(plan: DumpPlan, groups: readonly StreamGroup[], group: StreamGroup): string[] {
  if (group !== groups.at(-1)) return ['--section=data', ...exactly('--table', group.tables)];
  const elsewhere = groups.slice(0, -1).flatMap(({ tables }) => tables);
  return ['--section=data', ...selection(plan, [...plan.selected.withoutRows, ...elsewhere])];
}

function pgDumpStream(
  plan: DumpPlan,
  role: ArtifactRole,
  name: string,
  args: readonly string[],
  bytes: number,
): DumpStream {
  return {
    role,
    name,
    format: 'pg_dump-custom',
    estimatedBytes: bytes,
    open: ({ level }) => {
      const dump = plan.client.command('pg_dump', pgDumpArguments(plan, args), { LC_ALL: 'C', ...largeWrites });
      return openOutput([dump, zstdCommand(level, plan.env, threadsOf(plan.request))], 'none', plan.request.signal);
    },
  };
}

/** Arguments of every pg_dump of a snapshot. `-Z0`: zstd compresses better and faster outside, and parallel. */
function pgDumpArguments(plan: DumpPlan, what: readonly string[]): string[] {
  const { request, snapshotId, encoding, applicationName, client } = plan;
  return [
    '-Fc',
    '-Z0',
    '-w',
    `--snapshot=${snapshotId}`,
    `--encoding=${encoding}`,
    // A stream queued behind DDL that waits for our own locks is a deadlock PostgreSQL cannot see.
    `--lock-wait-timeout=${lockWaitMs(request)}`,
    ...what,
    '-d',
    client.target.dsn({ applicationName }),
  ];
}

/** All that was selected, without the rows of some tables. */
function selection({ request, selected }: DumpPlan, withoutRows = selected.withoutRows): string[] {
  return [
    ...(request.scope === 'tables' ? ['--no-blobs'] : []),
    ...exactly('--exclude-table', selected.excluded),
    ...(request.scope === 'schema' ? [] : exactly('--exclude-table-data', withoutRows)),
  ];
}

function exactly(option: string, tables: readonly Relation[]): string[] {
  return tables.map((one) => {
    if (!one.name.isWellFormed()) throw unspeakable(one);
    return `${option}=${exactPattern(one)}`;
  });
}

/** Arguments of programs are UTF-8; pg_dump would not find the table, and not say so. */
function unspeakable({ name }: Relation): Failure {
  return new Failure('source-refused', `The name of the table ${name} is not UTF-8: pg_dump cannot be told of it.`, {
    hint: 'Rename it (ALTER TABLE … RENAME), or back up the whole database in one stream: without `tables`, `exclude-tables`, `exclude-table-data` and `jobs`.',
  });
}

/** pg_dump's pattern syntax: between double quotes everything is literal but the double quote itself. */
export function exactPattern(table: { schema: string; relname: string }): string {
  return [table.schema, table.relname].map((part) => `"${part.replaceAll('"', '""')}"`).join('.');
}

function textStream(
  role: ArtifactRole,
  name: string,
  format: Artifact['format'],
  text: string,
  plan: DumpPlan,
): DumpStream {
  return {
    role,
    name,
    format,
    estimatedBytes: Buffer.byteLength(text),
    open: ({ level }) => {
      const opened = startPipeline([zstdCommand(level, plan.env)], 'pipe', plan.request.signal);
      opened.stdin?.on('error', () => {}); // zstd's own exit says what happened
      if (opened.stdin !== null) Readable.from([text]).pipe(opened.stdin);
      return { compressed: outputOf(opened), plainBytes: () => Buffer.byteLength(text) };
    },
  };
}

function openOutput(commands: Parameters<typeof startPipeline>[0], input: 'none', signal: AbortSignal): DumpOutput {
  const opened = startPipeline(commands, input, signal);
  const zstd = opened.programs.at(-1);
  let exact: number | undefined;
  void zstd?.exit.then((exit) => {
    exact = plainBytesOf(exit.stderr);
  });
  return { compressed: outputOf(opened, explainError), plainBytes: () => exact ?? bytesRead(zstd) };
}

/** What a running program has read so far, by the kernel's count; undefined once it is gone. */
function bytesRead(program: Running | undefined): number | undefined {
  try {
    const io = readFileSync(`/proc/${program?.pid}/io`, 'utf8');
    return Number(/^rchar: (\d+)/m.exec(io)?.[1]);
  } catch {
    return undefined; // ended between two looks, or a kernel without this file: progress then shows stored bytes only
  }
}
