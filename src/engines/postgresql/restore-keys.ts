import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
  if (target.manifest.scope === 'schema' || step.sections.includes('pre-data') || !mayDangle) return [];
  const args = ['--verbose', '-f', '-', ...(await useList(target, 'keys.list', wanted))];
  const commands = [unzstdCommand(target.env), target.client.command('pg_restore', args, { LC_ALL: 'C' })];
  return findDanglingKeys(step.all, await readHead(commands, await open(step.artifact), target.signal));
}

/** Partitioned tables have no rows of their own, so this only saves a look in the usual case. */
function hasTablesWithoutRows({ entries, all }: ListedStep): boolean {
  const data = all.filter(({ what }) => what.startsWith('TABLE DATA ')).length;
  return entries.filter(({ what }) => /^TABLE (?!DATA |ATTACH )/.test(what)).length > data;
}

/** Arguments that restore these entries and no others. */
export async function useList(
  target: RestoreTarget,
  name: string,
  entries: readonly ArchiveEntry[],
): Promise<string[]> {
  const path = join(target.folder, name);
  await writeFile(path, `${entries.map(({ line }) => line).join('\n')}\n`, { mode: 0o600 });
  return ['-L', path];
}
