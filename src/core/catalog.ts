import type { BackupId } from './keys.ts';
import { backupKey, IN_PROGRESS, isSourceName, MANIFEST, momentOfId, parseBackupKey, REMOVING } from './keys.ts';
import type { Scope } from './manifest.ts';
import type { Store, StoredObject } from './ports.ts';
import { type DrillMark, type PinMark, parseDrillKey, parsePinKey, stampOf } from './record-keys.ts';

const DAY_MS = 86_400_000;

/** Days of the windows a catalog is read in, newest first, until there is enough. */
const WINDOW_DAYS = [3, 12, 48, 192];

/** How many of the newest backups decide what the usual scope of a source is. */
const SCOPE_HISTORY = 20;

const NO_ARTIFACTS = new Set([MANIFEST, IN_PROGRESS, REMOVING]);

/** One folder of a backup, as a listing alone tells. */
export interface CatalogBackup {
  readonly source: string;
  readonly id: BackupId;
  /** From the id. */
  readonly takenAt: Date;
  /** Bytes of the manifest; undefined when there is none, and then this is no backup (yet, or any more). */
  readonly manifestBytes: number | undefined;
  /** When `in-progress.json` was last written; undefined when there is none. */
  readonly inProgressAt: Date | undefined;
  /** When `removing.json` was written; undefined when there is none. */
  readonly removingAt: Date | undefined;
  /** Keys relative to the folder, without records: what a restore reads. */
  readonly artifacts: readonly { readonly key: string; readonly bytes: number; readonly storageClass?: string }[];
  /** Sum of the artifacts. */
  readonly bytes: number;
  /** Sum of everything, records too: what removing it frees. */
  readonly totalBytes: number;
  /** From the names of the artifacts; undefined when they tell nothing. */
  readonly scope: Scope | undefined;
  /** Oldest first. */
  readonly drills: readonly DrillMark[];
  readonly pins: readonly PinMark[];
  /** The last change of any key. */
  readonly lastChangeAt: Date;
}

export interface CatalogRange {
  /** Inclusive, in whole seconds. */
  readonly since?: Date;
  /** Exclusive. */
  readonly until?: Date;
  readonly signal?: AbortSignal;
}

/**
 * Folders of one source, oldest first, from listing pages alone. Ends before `restores/` and `wal/`,
 * which sort after every id and may hold a hundred thousand keys.
 */
export async function readCatalog(store: Store, source: string, range: CatalogRange = {}): Promise<CatalogBackup[]> {
  const backups: CatalogBackup[] = [];
  const names = new Map<string, string>();
  let folder: { id: BackupId; objects: StoredObject[] } | undefined;
  const close = () => folder && backups.push(describeFolder(source, folder.id, folder.objects, names));
  for await (const object of listIds(store, source, range)) {
    const parsed = parseBackupKey(object.key);
    if (parsed === undefined) continue;
    if (folder?.id !== parsed.id) {
      close();
      folder = { id: parsed.id, objects: [] };
    }
    folder.objects.push(object);
  }
  close();
  return backups;
}

async function* listIds(store: Store, source: string, range: CatalogRange): AsyncGenerator<StoredObject> {
  // `:` follows `9`: every id begins with a digit, everything else of ours with a letter.
  const end = range.until === undefined ? `${source}/:` : `${source}/${stampOf(range.until)}`;
  const after = range.since === undefined ? undefined : `${source}/${stampOf(range.since)}`;
  const options = { ...(after && { after }), ...(range.signal && { signal: range.signal }) };
  for await (const object of store.list(`${source}/`, options)) {
    if (object.key >= end) return;
    yield object;
  }
}

/**
 * The newest part of a catalog: goes back in growing windows until `isEnough` says so, and lists
 * nothing twice. Backups dated in the future are always part of it.
 *
 * @returns the backups, oldest first, and since when they are all; undefined: since ever
 */
export async function readRecentCatalog(
  store: Store,
  source: string,
  now: Date,
  isEnough: (backups: readonly CatalogBackup[]) => boolean | Promise<boolean>,
  signal?: AbortSignal,
): Promise<{ backups: CatalogBackup[]; since: Date | undefined }> {
  let backups: CatalogBackup[] = [];
  let until: Date | undefined;
  for (const days of [...WINDOW_DAYS, undefined]) {
    const since = days === undefined ? undefined : new Date(now.getTime() - days * DAY_MS);
    const range = { ...(since && { since }), ...(until && { until }), ...(signal && { signal }) };
    backups = [...(await readCatalog(store, source, range)), ...backups];
    if (since === undefined || (await isEnough(backups))) return { backups, since };
    until = since;
  }
  return { backups, since: undefined };
}

/** The backups of one source that any of its stores holds, each once, oldest first; a complete copy stands for the others. */
export function mergeCatalogs(catalogs: readonly (readonly CatalogBackup[])[]): CatalogBackup[] {
  const merged = new Map<BackupId, CatalogBackup>();
  for (const backup of catalogs.flat()) {
    const known = merged.get(backup.id);
    if (known === undefined || (!isComplete(known) && isComplete(backup))) merged.set(backup.id, backup);
  }
  return [...merged.values()].toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

/** Names of the sources a store holds something of, ascending. */
export async function listSources(store: Store): Promise<string[]> {
  return (await store.listFolders()).filter(isSourceName);
}

export function isComplete(backup: CatalogBackup): boolean {
  return backup.manifestBytes !== undefined;
}

/** Dated more than this after `now`: clocks of runner and server differ by some seconds on every machine. */
export const CLOCK_TOLERANCE_MS = 60_000;

/** A date in the future never makes a backup the newest. */
export function isInFuture(backup: Pick<CatalogBackup, 'takenAt'>, now: Date): boolean {
  return backup.takenAt.getTime() > now.getTime() + CLOCK_TOLERANCE_MS;
}

/** The latest conclusive drill, whichever copy it restored; undefined when there was none. */
export function conclusiveDrill(backup: Pick<CatalogBackup, 'drills'>): DrillMark | undefined {
  return backup.drills.findLast((drill) => drill.proof !== 'inconclusive');
}

/** The pin that holds longest and has not run out. */
export function activePin(backup: Pick<CatalogBackup, 'pins'>, now: Date): PinMark | undefined {
  const end = (pin: PinMark) => pin.until?.getTime() ?? Number.POSITIVE_INFINITY;
  return backup.pins.filter((pin) => end(pin) > now.getTime()).toSorted((a, b) => end(b) - end(a))[0];
}

/**
 * What most of the newest complete backups hold. Of equals, the scope the source had first: the one
 * that came later is the stranger.
 */
export function usualScope(backups: readonly CatalogBackup[]): Scope | undefined {
  return commonScope(backups.filter(isComplete).map(({ scope }) => scope));
}

/** The same for scopes alone, oldest first. */
export function commonScope(scopes: readonly (Scope | undefined)[]): Scope | undefined {
  const counts = new Map<Scope, number>();
  for (const scope of scopes.slice(-SCOPE_HISTORY)) {
    if (scope !== undefined) counts.set(scope, (counts.get(scope) ?? 0) + 1);
  }
  return [...counts].reduce<[Scope, number] | undefined>((a, b) => (a && a[1] >= b[1] ? a : b), undefined)?.[0];
}

/** Shared by all that have none: most of ten thousand backups. */
const NONE: readonly never[] = [];

/**
 * Takes the listing of one folder together; `objects` bear full keys and are not empty.
 *
 * @param names of artifacts that were met already: one text for the same name in every folder
 */
export function describeFolder(
  source: string,
  id: BackupId,
  objects: readonly StoredObject[],
  names: Map<string, string> = new Map(),
): CatalogBackup {
  const prefix = backupKey(source, id, '');
  const files = objects.map((object) => ({ object, key: object.key.slice(prefix.length) }));
  const find = (name: string) => files.find(({ key }) => key === name)?.object;
  // Artifacts are plain file names; what lies deeper is a record or nothing of ours.
  const artifacts = files
    .filter(({ key }) => !NO_ARTIFACTS.has(key) && !key.includes('/') && parsePinKey(key) === undefined)
    .map(({ key, object: { bytes, storageClass } }) => ({
      key: shared(names, key),
      bytes,
      ...(storageClass && { storageClass }),
    }));
  const drills = files.map(({ key, object }) => drillOf(key, object.modifiedAt)).filter((drill) => drill !== undefined);
  const pins = files.map(({ key }) => parsePinKey(key)).filter((pin) => pin !== undefined);
  return {
    source,
    id,
    takenAt: momentOfId(id) ?? new Date(Number.NaN),
    manifestBytes: find(MANIFEST)?.bytes,
    inProgressAt: find(IN_PROGRESS)?.modifiedAt,
    removingAt: find(REMOVING)?.modifiedAt,
    artifacts,
    bytes: artifacts.reduce((sum, { bytes }) => sum + bytes, 0),
    totalBytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
    scope: scopeOf(artifacts.map(({ key }) => key)),
    drills: drills.length === 0 ? NONE : drills,
    pins: pins.length === 0 ? NONE : pins,
    lastChangeAt: new Date(objects.reduce((last, { modifiedAt }) => Math.max(last, modifiedAt.getTime()), 0)),
  };
}

/** A part of a key holds the whole key in memory. */
function shared(names: Map<string, string>, name: string): string {
  const known = names.get(name);
  if (known === undefined) names.set(name, name);
  return known ?? name;
}

/** The clock of the store and that of a runner may differ by this much. */
const RECORD_SLACK_MS = 3_600_000;

/** A record that is older than its drill was made up: dated in the future, it would be the latest word for ever. */
function drillOf(key: string, modifiedAt: Date): DrillMark | undefined {
  const drill = parseDrillKey(key);
  return drill !== undefined && drill.startedAt.getTime() <= modifiedAt.getTime() + RECORD_SLACK_MS ? drill : undefined;
}

/** First match wins: a data-only backup holds the schema it needs beside its data. */
const scopes: readonly [RegExp, Scope][] = [
  [/^(database\.dump|pre-data\.dump|base\.tar|dump\.rdb|aof\.tar)\./, 'full'],
  [/^tables(-pre-data)?\.dump\./, 'tables'],
  [/^data\.dump\./, 'data'],
  [/^schema\.dump\./, 'schema'],
];

/** Which part of the source the artifacts of these names hold. */
export function scopeOf(names: readonly string[]): Scope | undefined {
  return scopes.find(([pattern]) => names.some((name) => pattern.test(`${name}.`)))?.[1];
}
