import { hasFrozen } from './archived.ts';
import { type CatalogBackup, conclusiveDrill, isComplete, isInFuture, usualScope } from './catalog.ts';
import { Failure } from './failure.ts';
import { isId } from './keys.ts';
import type { Manifest } from './manifest.ts';
import { isUnreadable, type ReadManifest, readManifestOf } from './manifest-reading.ts';
import type { Store } from './ports.ts';

export interface ChosenBackup extends ReadManifest {
  readonly backup: CatalogBackup;
  /** Newer backups that were passed over, and why; to be told. */
  readonly skipped: readonly { readonly id: string; readonly why: string }[];
}

export interface ChoiceOptions {
  readonly now: Date;
  /** A whole number from 0 to `below` - 1. */
  readonly random: (below: number) => number;
  /** Pass over backups whose latest conclusive drill failed them: right for a restore, wrong for a drill. */
  readonly skipDisproven?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Finds the backup that `latest`, `oldest`, `random` or an id means, and reads its manifest.
 *
 * @throws {Failure} `backup-not-found`, `invalid-input`, or why the manifest could not be read
 */
export async function chooseBackup(
  store: Store,
  catalog: readonly CatalogBackup[],
  wanted: string,
  options: ChoiceOptions,
): Promise<ChosenBackup> {
  if (wanted === 'latest') return latestUsable(store, catalog, options);
  const backup = pick(store, catalog, wanted, options);
  const read = await readManifestOf(store, backup.source, backup.id, options.signal);
  return { backup, ...read, skipped: [] };
}

/**
 * The newest backup that can be relied on: not in the future, readable, of the usual scope, and not
 * one whose size was judged wrong while it was made, unless there is no other.
 */
export async function latestUsable(
  store: Store,
  catalog: readonly CatalogBackup[],
  options: Omit<ChoiceOptions, 'random'>,
): Promise<ChosenBackup> {
  const skipped: { id: string; why: string }[] = [];
  const usual = usualScope(catalog);
  let wrongSize: ChosenBackup | undefined;
  for (const backup of catalog.filter(isComplete).toReversed()) {
    const why = whyNot(backup, usual, options);
    const read = why ?? (await readOrWhyNot(store, backup, options.signal));
    if (typeof read === 'string') {
      skipped.push({ id: backup.id, why: read });
    } else if (hasWrongSize(read.manifest)) {
      wrongSize ??= { backup, ...read, skipped: [...skipped] };
      skipped.push({ id: backup.id, why: 'its size was judged wrong when it was made' });
    } else return { backup, ...read, skipped };
  }
  if (wrongSize !== undefined) return wrongSize;
  throw nothingFound(store, catalog, skipped);
}

/** Whether the backup's own findings say that it came out too small. */
export function hasWrongSize(manifest: Manifest): boolean {
  return manifest.findings.some(
    ({ rule, status }) => status === 'fail' && (rule === 'min-size' || rule === 'size-deviation'),
  );
}

function whyNot(
  backup: CatalogBackup,
  usual: string | undefined,
  options: Omit<ChoiceOptions, 'random'>,
): string | undefined {
  if (isInFuture(backup, options.now)) return 'it is dated in the future';
  if (backup.scope !== usual) return `its scope is ${backup.scope ?? 'not known'}, the source's is ${usual}`;
  if (hasFrozen(backup)) return 'it lies in an archive class';
  if (options.skipDisproven && conclusiveDrill(backup)?.proof === 'disproven') return 'a drill disproved it';
  return undefined;
}

async function readOrWhyNot(store: Store, backup: CatalogBackup, signal?: AbortSignal): Promise<ReadManifest | string> {
  try {
    return await readManifestOf(store, backup.source, backup.id, signal);
  } catch (error) {
    // Only a bad record is passed over: a store that cannot be read must not make an older backup the latest.
    if (isUnreadable(error) && error instanceof Failure) return error.message;
    throw error;
  }
}

function pick(
  store: Store,
  catalog: readonly CatalogBackup[],
  wanted: string,
  { now, random }: ChoiceOptions,
): CatalogBackup {
  const complete = catalog.filter(isComplete);
  if (wanted !== 'oldest' && wanted !== 'random') return pickId(store, complete, wanted);
  const usual = usualScope(complete);
  const candidates = complete.filter((backup) => backup.scope === usual && !isInFuture(backup, now));
  const thawed = candidates.filter((backup) => !hasFrozen(backup));
  const drawn = thawed.length > 0 ? thawed : candidates;
  const found = wanted === 'oldest' ? candidates[0] : drawn[random(Math.max(drawn.length, 1))];
  if (found === undefined) throw nothingFound(store, catalog, []);
  return found;
}

function pickId(store: Store, complete: readonly CatalogBackup[], id: string): CatalogBackup {
  if (!isId(id)) {
    throw new Failure('invalid-input', `\`backup\` cannot be "${id}".`, {
      hint: 'Give `latest`, `oldest`, `random`, or an id such as 20261121T031500Z-3f9a1c.',
    });
  }
  const found = complete.find((backup) => backup.id === id);
  if (found !== undefined) return found;
  const newest = complete.slice(-3).map((backup) => backup.id);
  throw new Failure('backup-not-found', `${store.location} holds no backup ${id}.`, {
    hint: newest.length > 0 ? `Its newest ones are ${newest.join(', ')}.` : 'It holds no backup of this source at all.',
  });
}

function nothingFound(
  store: Store,
  catalog: readonly CatalogBackup[],
  skipped: readonly { id: string; why: string }[],
): Failure {
  const reasons = skipped.slice(0, 3).map(({ id, why }) => `${id}: ${why}`);
  const source = catalog[0] === undefined ? 'this source' : catalog[0].source;
  return new Failure(
    'backup-not-found',
    `${store.location} holds no usable backup of ${source}${reasons.length > 0 ? ` (${reasons.join('; ')})` : ''}.`,
    { hint: 'Check `source` and `store`, and that a backup was taken into this store.' },
  );
}
