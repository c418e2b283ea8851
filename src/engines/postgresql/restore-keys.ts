import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { childEnvironment } from '../../sys/environment.ts';
import type { Command } from '../../sys/process.ts';
import { unzstdCommand } from '../../sys/zstd.ts';
import { type ArchiveEntry, findDanglingKeys, keyEntries, type LeftOutKey, readHead } from './archive-list.ts';
import type { OpenArtifact, RestoreTarget } from './restore.ts';
import type { Step } from './restore-plan.ts';

/** One step, with what the archives of the backup hold. */
export interface ListedStep extends Step {
  /** Those of its archive that are restored. */
  readonly entries: readonly ArchiveEntry[];
  /** Some of the archive are not. */
  readonly isPartial: boolean;
  /** Of all archives: rows may lie in another one than keys. */
  readonly all: readonly ArchiveEntry[];
}

/** Foreign keys of this step into tables whose rows the backup does not hold. */
export async function danglingKeys(target: RestoreTarget, step: ListedStep, open: OpenArtifact): Promise<LeftOutKey[]> {
  const wanted = keyEntries(step.entries);
  const mayDangle = hasTablesWithoutRows(step) && wanted.some(({ what }) => what.startsWith('FK CONSTRAINT '));
  const isRowless = target.manifest.scope === 'schema' || target.part === 'schema';
  if (isRowless || step.sections.includes('pre-data') || !mayDangle) return [];
  const read = await restoreListed(target, { name: 'keys.list', entries: wanted }, ['--verbose', '-f', '-']);
  const commands = [unzstdCommand(target.env), ...read];
  return findDanglingKeys(step.all, await readHead(commands, await open(step.artifact), target.signal));
}

/** Partitioned tables have no rows of their own, so this only saves a look in the usual case. */
function hasTablesWithoutRows({ entries, all }: ListedStep): boolean {
  const data = all.filter(({ what }) => what.startsWith('TABLE DATA ')).length;
  return entries.filter(({ what }) => /^TABLE (?!DATA |ATTACH )/.test(what)).length > data;
}

/** What is restored of an archive: a file of this name in the drill's folder, of one step alone, says so. */
interface List {
  readonly name: string;
  readonly entries: readonly ArchiveEntry[];
}

/** Arguments for a pg_restore on this machine that restore these entries and no others. */
export async function useList(target: RestoreTarget, list: List): Promise<string[]> {
  return ['-L', await writeList(target, list)];
}

async function writeList({ folder }: RestoreTarget, { name, entries }: List): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `${entries.map(({ id }) => id).join('\n')}\n`, { mode: 0o600 });
  return path;
}

// The file has no name any more when the program starts, so that nothing is left of it however the program
// ends. `dd` of single bytes: on a pipe everything else may read into the archive that follows.
const TAKE_LIST = `umask 077; { f=$(mktemp) && exec 3>"$f" 4<"$f" && rm -f "$f" &&
dd bs=1 count="$0" 2>/dev/null >&3 && exec 3>&-; } || { echo 'no room for the list of pg_restore in /tmp' >&2; exit 1; }
exec "$@" -L /dev/fd/4`;

/**
 * Commands that restore these entries of the archive on their stdin and no others. Behind `tools-prefix` there
 * are none of our files, so the list travels in front of the archive.
 */
export async function restoreListed(target: RestoreTarget, list: List, args: readonly string[]): Promise<Command[]> {
  const { client, env } = target;
  const path = await writeList(target, list);
  if (!client.wrapped) return [client.command('pg_restore', [...args, '-L', path], { LC_ALL: 'C' })];
  const { size } = await stat(path);
  return [
    { program: 'cat', args: [path, '-'], env: childEnvironment(env, { libpq: false }) },
    client.command('sh', ['-c', TAKE_LIST, String(size), 'pg_restore', ...args], { LC_ALL: 'C' }),
  ];
}
