import { z } from 'zod';
import { readCatalog } from '../core/catalog.ts';
import { copyBackup, missingIn } from '../core/copy-backup.ts';
import { emptyIfNew } from '../core/copy-guard.ts';
import { type CopyTry, describeCopies } from '../core/copy-report.ts';
import { Failure, type FailureCode } from '../core/failure.ts';
import { findBackup, onlySource } from '../core/find-backup.ts';
import type { BackupId } from '../core/keys.ts';
import type { Store, World } from '../core/ports.ts';
import type { Report } from '../core/report.ts';
import { backup, looking } from '../github/inputs/catalog.ts';
import { flag, parseInputs, type RawInputs, text } from '../github/inputs.ts';

export const description =
  'Heals a copy that a store missed: artifacts, drills and pins, and last the manifest, every byte compared on the way. It never removes anything.';

export const positional = ['backup'];

const { store: _, ...looks } = looking;

export const inputs = z.strictObject({
  backup: backup.optional(),
  from: text('Store that holds the backup, a URL as in `store`.'),
  to: text('Store that lacks it, a URL as in `store`.'),
  'all-missing': flag(
    'Copy every backup of the source that `to` lacks, newest first; also those that its own retention removed.',
  ).prefault('false'),
  ...looks,
});

type Given = z.output<typeof inputs>;

/** Copies one backup, or all that are missing; what fails for one leaves the others their turn. */
export async function copy(raw: RawInputs, world: World): Promise<Report> {
  const given = parseInputs(inputs, raw);
  checkChoice(given);
  const from = await world.openStore(given.from);
  try {
    const to = await world.openStore(given.to);
    try {
      return await copyBetween(from, to, given, world);
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

function checkChoice({ backup, 'all-missing': all }: Given): void {
  if ((backup === undefined) === all) return;
  throw new Failure('invalid-input', '`copy` takes either `backup` or `all-missing: true`.', {
    hint: 'Give the id of one backup (`lifeboat list` shows them), or `--all-missing`.',
  });
}

async function copyBetween(from: Store, to: Store, given: Given, world: World): Promise<Report> {
  if (from.location === to.location)
    throw new Failure('invalid-input', `\`from\` and \`to\` are the same place, ${to.location}.`, {
      hint: 'Give two stores.',
    });
  const { source, ids } = await choose(from, to, given, world);
  const way = { from, to, stallMs: given['stall-timeout'] };
  const tries: CopyTry[] = [];
  for (const id of ids) {
    const tried = await tryCopy(() => copyBackup(way, source, id, world), id, given['all-missing']);
    tries.push(tried);
    if (tried.failure !== undefined && HOPELESS.has(tried.failure.code)) break;
    world.signal.throwIfAborted();
  }
  return describeCopies(source, way, { tries, wanted: ids.length });
}

/** What would stop the next one as well. */
const HOPELESS = new Set<FailureCode>(['store-full', 'store-denied', 'store-unavailable', 'store-missing', 'stalled']);
const FATAL = new Set<FailureCode>(['cancelled', 'timed-out', 'invalid-input']);

async function tryCopy(work: () => ReturnType<typeof copyBackup>, id: string, isOfMany: boolean): Promise<CopyTry> {
  try {
    return { id, copied: await work() };
  } catch (error) {
    if (!isOfMany || !(error instanceof Failure) || FATAL.has(error.code)) throw error;
    return { id, failure: error };
  }
}

async function choose(
  from: Store,
  to: Store,
  given: Given,
  world: World,
): Promise<{ source: string; ids: readonly BackupId[] }> {
  if (given.backup !== undefined) {
    const found = await findBackup([from], { wanted: given.backup, source: given.source }, world);
    return { source: found.source, ids: [found.id] };
  }
  const source = given.source ?? (await onlySource([from]));
  const { signal } = world;
  const here = await readCatalog(from, source, { signal });
  const there = await readCatalog(to, source, { signal }).catch(emptyIfNew(to));
  return { source, ids: missingIn(here, there).map(({ id }) => id) };
}
