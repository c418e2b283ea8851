import { type CatalogBackup, describeFolder, isComplete, listSources } from './catalog.ts';
import { type ChosenCopies, chooseCopies } from './drill-copies.ts';
import { Failure } from './failure.ts';
import { type BackupId, backupPrefix, isId } from './keys.ts';
import { inLanes } from './lanes.ts';
import { notReadable } from './open-stores.ts';
import type { Store, StoredObject, World } from './ports.ts';
import type { Finding } from './report.ts';

const LANES = 8;

export interface FoundCopy {
  readonly store: Store;
  readonly backup: CatalogBackup;
}

/** A backup by its id, wherever a folder of it lies. */
export interface FoundBackup {
  readonly source: string;
  readonly id: BackupId;
  /** In the order of the stores; at least one. A folder without a manifest is among them. */
  readonly copies: readonly FoundCopy[];
  /** What could not be looked at. */
  readonly findings: readonly Finding[];
}

interface Asked {
  /** `latest`, `oldest`, `random` or an id. */
  readonly wanted: string;
  /** Undefined: any. */
  readonly source: string | undefined;
}

/**
 * Finds one backup in all stores. An id alone is enough: each source is asked for the folder of that name, which costs
 * one short listing a source and store, however many backups there are.
 *
 * @throws {Failure} `backup-not-found`, `invalid-input` when the source is missing or the id means two backups
 */
export async function findBackup(
  stores: readonly Store[],
  { wanted, source }: Asked,
  world: Pick<World, 'now' | 'randomHex' | 'signal'>,
): Promise<FoundBackup> {
  if (isId(wanted)) return findId(stores, wanted, source, world.signal);
  if (!['latest', 'oldest', 'random'].includes(wanted)) throw noId(wanted);
  const random = (below: number) => Number.parseInt(world.randomHex(6), 16) % below;
  const name = source ?? (await onlySource(stores));
  const chosen: ChosenCopies = await chooseCopies(stores, name, wanted, {
    now: world.now(),
    random,
    signal: world.signal,
  });
  return findId(stores, chosen.chosen.backup.id, name, world.signal);
}

function noId(wanted: string): Failure {
  return new Failure('invalid-input', `\`backup\` cannot be "${wanted}".`, {
    hint: 'Give `latest`, `oldest`, `random`, or an id such as 20261121T031500Z-3f9a1c; `lifeboat list` shows them.',
  });
}

/** @throws {Failure} `invalid-input` where there are several, or none */
export async function onlySource(stores: readonly Store[]): Promise<string> {
  const sources = new Set((await Promise.all(stores.map((store) => listSources(store)))).flat());
  const [only, ...others] = sources;
  if (only !== undefined && others.length === 0) return only;
  throw new Failure('invalid-input', '`source` is missing.', {
    hint:
      only === undefined
        ? 'The stores hold no backups at all: check `store`.'
        : `Say of which source: there are ${[...sources].toSorted().slice(0, 10).join(', ')}.`,
  });
}

async function findId(
  stores: readonly Store[],
  id: BackupId,
  source: string | undefined,
  signal: AbortSignal,
): Promise<FoundBackup> {
  const findings: Finding[] = [];
  const copies: FoundCopy[] = [];
  for (const store of stores) {
    try {
      copies.push(...(await copiesIn(store, id, source, signal)));
    } catch (error) {
      findings.push(notReadable(store.location, error));
    }
  }
  const sources = [...new Set(copies.map(({ backup }) => backup.source))];
  const [only, ...others] = sources;
  if (only === undefined) throw await notFound(stores, id, findings);
  if (others.length > 0) {
    throw new Failure('invalid-input', `${id} is a backup of ${sources.join(' and of ')}.`, {
      hint: 'Say with `source` which one is meant.',
    });
  }
  return { source: only, id, copies, findings };
}

async function copiesIn(
  store: Store,
  id: BackupId,
  source: string | undefined,
  signal: AbortSignal,
): Promise<FoundCopy[]> {
  const sources = source === undefined ? await listSources(store) : [source];
  const copies: FoundCopy[] = [];
  await inLanes(sources, LANES, async (name) => {
    const objects: StoredObject[] = await Array.fromAsync(store.list(backupPrefix(name, id), { signal }));
    if (objects.length > 0) copies.push({ store, backup: describeFolder(name, id, objects) });
  });
  return copies;
}

async function notFound(stores: readonly Store[], id: string, findings: readonly Finding[]): Promise<Failure> {
  const [unread] = findings;
  const where = stores.map(({ location }) => location).join(', ');
  const versioned = await Promise.all(stores.map((store) => store.keepsVersions().catch(() => false)));
  const deleted = versioned.includes(true)
    ? ` It may have been deleted: \`lifeboat list --deleted\` shows what can be brought back with \`lifeboat undelete ${id}\`.`
    : '';
  return new Failure('backup-not-found', `There is no backup ${id} in ${where}.`, {
    hint:
      (unread === undefined
        ? '`lifeboat list` shows what there is.'
        : `Not everything could be looked at: ${unread.message}`) + deleted,
  });
}

/** The copies that are backups: the others have no manifest. */
export function completeCopies({ copies }: Pick<FoundBackup, 'copies'>): FoundCopy[] {
  return copies.filter(({ backup }) => isComplete(backup));
}
