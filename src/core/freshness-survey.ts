import { hasFrozen, isArchivedError } from './archived.ts';
import { type CatalogBackup, isComplete, isInFuture, readRecentCatalog, usualScope } from './catalog.ts';
import { Failure } from './failure.ts';
import { compareWithListing, type Damage, readAgainstManifest } from './integrity.ts';
import { isStale, type Leftovers, readHidden, sortLeftovers } from './leftovers.ts';
import type { Manifest, Scope } from './manifest.ts';
import { isUnreadable, readManifestOf } from './manifest-reading.ts';
import type { OpenUpload, Store } from './ports.ts';
import { type CopyProof, latestProofIn } from './proof.ts';
import { SIZE_HISTORY } from './size-judgement.ts';

/** Newest backups tried in search of one whose manifest can be read. */
const MOST_UNREADABLE = 5;
const DAY_MS = 86_400_000;

/** `newest`, or a fraction of the stored bytes. */
export type ReadData = 'none' | 'newest' | number;

export interface SurveyOptions {
  readonly now: Date;
  readonly minBackups: number;
  readonly maxDrillAgeMs: number | undefined;
  readonly readData: ReadData;
  /** A whole number from 0 to `below` - 1. */
  readonly random: (below: number) => number;
  readonly signal?: AbortSignal;
  /** Called with the number of bytes of each chunk that was read for its SHA-256. */
  readonly onBytes?: (bytes: number) => void;
}

/** What one store knows of one source, as far as freshness needs it. */
export interface SourceSurvey {
  readonly source: string;
  readonly location: string;
  /** Oldest first; all of them since `since`, or since ever when that is undefined. */
  readonly backups: readonly CatalogBackup[];
  readonly since: Date | undefined;
  readonly scope: Scope | undefined;
  /** The newest backup of the usual scope that can be read and is not in the future. */
  readonly newest:
    | { readonly backup: CatalogBackup; readonly manifest: Manifest; readonly damages: Damage[] }
    | undefined;
  readonly unreadable: readonly { readonly id: string; readonly why: string }[];
  readonly proof: (CopyProof & { readonly backup: CatalogBackup }) | undefined;
  readonly leftovers: Leftovers;
  readonly staleUploads: readonly OpenUpload[];
  readonly hidden: { readonly manifests: ReadonlySet<string>; readonly artifacts: ReadonlySet<string> };
  /** Backups whose bytes were read, with what was wrong. */
  readonly read: readonly {
    readonly id: string;
    readonly bytes: number;
    readonly damages: readonly Damage[];
    readonly archived?: Failure;
  }[];
}

/**
 * Reads what there is to judge: pages of a listing from a recent id on, the newest manifest, the
 * newest drill record. Goes further back only for a count, a drill or data that was asked for.
 */
export async function surveySource(store: Store, source: string, options: SurveyOptions): Promise<SourceSurvey> {
  const { now, signal } = options;
  const { backups, since } = await readRecentCatalog(store, source, now, isEnough(store, options), signal);
  const scope = usualScope(backups);
  const uploads = await collect(store.openUploads(`${source}/`));
  const hidden = await readHidden(store, source, hiddenPrefixes(source, since, now));
  const keepsVersions = await store.keepsVersions();
  const { newest, unreadable } = await readNewest(store, relevant(backups, scope, now), signal);
  return {
    source,
    location: store.location,
    backups,
    since,
    scope,
    newest,
    unreadable,
    proof: await latestProofIn(store, backups, signal),
    leftovers: sortLeftovers(backups, { uploads, hiddenIds: hidden.manifests, keepsVersions }, now),
    staleUploads: uploads.filter((upload) => isStale(upload, now)),
    hidden,
    read: await readChosen(store, chooseToRead(backups, newest?.backup, options), options),
  };
}

/** Complete, of the usual scope, not in the future; oldest first. */
export function relevant(backups: readonly CatalogBackup[], scope: Scope | undefined, now: Date): CatalogBackup[] {
  return backups.filter((one) => isComplete(one) && one.scope === scope && !isInFuture(one, now));
}

function isEnough(store: Store, { now, minBackups, maxDrillAgeMs, readData, signal }: SurveyOptions) {
  return async (backups: readonly CatalogBackup[]): Promise<boolean> => {
    const found = relevant(backups, usualScope(backups), now).length;
    if (found < Math.max(SIZE_HISTORY + 1, minBackups) || typeof readData === 'number') return false;
    if (maxDrillAgeMs === undefined) return true;
    // Before a drill is called missing or too old, all backups are looked at: `random` may have drilled an old one.
    const proof = await latestProofIn(store, backups, signal);
    return proof !== undefined && proof.drill.startedAt.getTime() >= now.getTime() - maxDrillAgeMs;
  };
}

/** Versions can only be listed by prefix: days of a short window, months of a long one, else all ids. */
export function hiddenPrefixes(source: string, since: Date | undefined, now: Date): string[] {
  // Every id begins with the year; `restores/` and `wal/` are left out.
  if (since === undefined || now.getTime() - since.getTime() > 200 * DAY_MS) return [`${source}/2`];
  const isShort = now.getTime() - since.getTime() <= 7 * DAY_MS;
  const prefixes = new Set<string>();
  for (let day = since.getTime(); day < now.getTime() + DAY_MS; day += DAY_MS) {
    const date = new Date(day).toISOString().replaceAll('-', '');
    prefixes.add(`${source}/${date.slice(0, isShort ? 8 : 6)}`);
  }
  return [...prefixes];
}

async function readNewest(
  store: Store,
  candidates: readonly CatalogBackup[],
  signal?: AbortSignal,
): Promise<Pick<SourceSurvey, 'newest' | 'unreadable'>> {
  const unreadable: { id: string; why: string }[] = [];
  for (const backup of candidates.toReversed().slice(0, MOST_UNREADABLE)) {
    try {
      const { manifest } = await readManifestOf(store, backup.source, backup.id, signal);
      return { newest: { backup, manifest, damages: compareWithListing(manifest, backup.artifacts) }, unreadable };
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      unreadable.push({ id: backup.id, why: error instanceof Failure ? error.message : String(error) });
    }
  }
  return { newest: undefined, unreadable };
}

/** The newest first, then others at random until the share of bytes is reached. */
function chooseToRead(
  backups: readonly CatalogBackup[],
  newest: CatalogBackup | undefined,
  { readData, random }: SurveyOptions,
): CatalogBackup[] {
  if (readData === 'none' || newest === undefined) return [];
  if (readData === 'newest') return [newest];
  const complete = backups.filter(isComplete);
  const wanted = readData * complete.reduce((sum, { bytes }) => sum + bytes, 0);
  const chosen = [newest];
  let bytes = newest.bytes;
  // What must be thawed first comes last: only a share that the rest does not reach asks for it.
  for (const frozen of [false, true]) {
    const left = complete.filter((backup) => backup !== newest && hasFrozen(backup) === frozen);
    while (bytes < wanted && left.length > 0) {
      const [next] = left.splice(random(left.length), 1);
      if (next === undefined) break;
      chosen.push(next);
      bytes += next.bytes;
    }
  }
  return chosen;
}

async function readChosen(
  store: Store,
  chosen: readonly CatalogBackup[],
  { signal, onBytes }: Pick<SurveyOptions, 'signal' | 'onBytes'>,
): Promise<SourceSurvey['read']> {
  const watch = (_: unknown, chunk: Buffer) => onBytes?.(chunk.length);
  const read: SourceSurvey['read'][number][] = [];
  for (const backup of chosen) {
    try {
      const { manifest } = await readManifestOf(store, backup.source, backup.id, signal);
      const damages = await readAgainstManifest(store, manifest, signal, watch);
      read.push({ id: backup.id, bytes: backup.bytes, damages });
    } catch (error) {
      const { id } = backup;
      if (isArchivedError(error)) read.push({ id, bytes: 0, damages: [], archived: error });
      else if (!isUnreadable(error)) throw error;
      else read.push({ id, bytes: backup.bytes, damages: [{ artifact: 'manifest.json', what: 'cannot be read' }] });
    }
  }
  return read;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
