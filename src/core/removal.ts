import { Readable } from 'node:stream';
import { type CatalogBackup, describeFolder, isComplete } from './catalog.ts';
import { Failure } from './failure.ts';
import { backupKey, backupPrefix, IN_PROGRESS, MANIFEST, parseBackupKey, REMOVING } from './keys.ts';
import { inLanes } from './lanes.ts';
import { isStale } from './leftovers.ts';
import { wholeSeconds } from './make-manifest.ts';
import type { OpenUpload, Store, StoredObject } from './ports.ts';
import { lockedUntil } from './prune-plan.ts';
import type { RemovingRecord } from './records.ts';

/** What one call removes, and one page lists. */
const BATCH_KEYS = 1_000;
/** Prefixes by which the open uploads of a batch are asked for, each a call. */
const MOST_PREFIXES = 4;
const LANES = 8;

/** A folder that is to go. */
export interface Doomed {
  /** As the plan saw it. */
  readonly planned: CatalogBackup;
  /** Keys that exist in older versions only. */
  readonly hiddenKeys: readonly string[];
}

/** What became of a batch, by id. */
export interface BatchOutcome {
  /** Gone, with the bytes that were freed. */
  readonly removed: Map<string, number>;
  /** Nothing of it was touched, and why. */
  readonly left: Map<string, string>;
  /** Without a manifest, and so no backup any more; something of it is still there. */
  readonly half: Set<string>;
  /** Whether these are gone nobody could say. */
  readonly unknown: Set<string>;
  /** Set: nothing more is to be removed from this store. */
  failure?: Failure;
}

/** As many at a time as one call can remove; the order stays. */
export function inBatches(doomed: readonly Doomed[]): Doomed[][] {
  const batches: Doomed[][] = [];
  let keys = BATCH_KEYS;
  for (const one of doomed) {
    const more = countKeys(one);
    if (keys + more > BATCH_KEYS) {
      batches.push([]);
      keys = 0;
    }
    batches.at(-1)?.push(one);
    keys += more;
  }
  return batches;
}

function countKeys({ planned, hiddenKeys }: Doomed): number {
  const { artifacts, drills, pins } = planned;
  return artifacts.length + drills.length + pins.length + hiddenKeys.length + 3;
}

/**
 * Removes the folders of one source: their manifests first, so that half a removal is no backup, and marks last, so
 * that half a removal is known as one. Looks once more right before: a pin, a drill, an upload or a lock that came
 * since the plan was made saves its folder.
 *
 * @param keepsVersions whether older versions tell what was removed by somebody else
 * @throws {Failure} only `cancelled` and `timed-out`; what else fails is part of the outcome
 */
export async function removeBatch(
  store: Store,
  batch: readonly Doomed[],
  { keepsVersions, now }: { readonly keepsVersions: boolean; readonly now: Date },
): Promise<BatchOutcome> {
  const outcome: BatchOutcome = { removed: new Map(), left: new Map(), half: new Set(), unknown: new Set() };
  let going: readonly Going[] = [];
  try {
    going = await lookAgain(store, batch, now, outcome);
    if (!keepsVersions) going = await markAll(store, going, now);
    await removeKeys(store, going, (key, { manifest }) => key === manifest);
    // Calls of their own: within one, a store may remove in any order.
    await removeKeys(store, going, (key, { manifest }) => key !== manifest && !isMark(key));
    await removeKeys(store, going, isMark);
    for (const { planned, uploads } of going) {
      outcome.removed.set(planned.id, planned.totalBytes);
      for (const upload of uploads) await upload.abort();
    }
  } catch (error) {
    outcome.failure = endedBy(error);
    await findOut(store, batch, going, outcome);
  }
  return outcome;
}

function endedBy(error: unknown): Failure {
  if (error instanceof Failure && error.code !== 'cancelled' && error.code !== 'timed-out') return error;
  throw error;
}

interface Going extends Doomed {
  readonly manifest: string;
  readonly keys: readonly string[];
  /** Nobody goes on with these. */
  readonly uploads: readonly OpenUpload[];
}

function isMark(key: string): boolean {
  const name = parseBackupKey(key)?.relative;
  return name === IN_PROGRESS || name === REMOVING;
}

/** Where no version tells, a mark does: a folder without a manifest and without one was robbed by somebody else. */
async function markAll(store: Store, going: readonly Going[], now: Date): Promise<readonly Going[]> {
  const marked: Going[] = [...going];
  await inLanes([...going.keys()], LANES, async (at) => {
    const one = going[at];
    if (one === undefined || !isComplete(one.planned)) return;
    const { source, id } = one.planned;
    const key = backupKey(source, id, REMOVING);
    const record: RemovingRecord = { format: 1, id, source, startedAt: wholeSeconds(now) };
    await store.put(key, Readable.from([Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`)]));
    marked[at] = { ...one, keys: [...new Set([...one.keys, key])] };
  });
  return marked;
}

/** What of a batch may still go; the others are sorted into `outcome`. */
async function lookAgain(
  store: Store,
  batch: readonly Doomed[],
  now: Date,
  outcome: BatchOutcome,
): Promise<readonly Going[]> {
  const found = await listBatch(store, batch);
  const open = await uploadsOf(store, batch);
  const going = new Map<Doomed, Going>();
  await inLanes(batch, LANES, async (one) => {
    const { source, id } = one.planned;
    const objects = found.get(id) ?? [];
    const uploads = open.filter(({ key }) => key.startsWith(backupPrefix(source, id)));
    // Somebody else was faster, and what was to go is gone.
    if (objects.length + one.hiddenKeys.length === 0) return void outcome.removed.set(id, 0);
    const why = await whyLeft(store, one.planned, { objects, uploads, now });
    if (why !== undefined) return void outcome.left.set(id, why);
    const keys = [...new Set([...objects.map(({ key }) => key), ...one.hiddenKeys])];
    going.set(one, { ...one, manifest: backupKey(source, id, MANIFEST), keys, uploads });
  });
  return batch.flatMap((one) => going.get(one) ?? []);
}

async function whyLeft(
  store: Store,
  planned: CatalogBackup,
  seen: { objects: readonly StoredObject[]; uploads: readonly OpenUpload[]; now: Date },
): Promise<string | undefined> {
  const { objects, uploads, now } = seen;
  const found = objects.length === 0 ? undefined : describeFolder(planned.source, planned.id, objects);
  if (JSON.stringify(found) !== JSON.stringify(planned)) return 'it changed since the plan was made';
  if (uploads.some((upload) => !isStale(upload, now))) return 'something is being uploaded to it';
  const until = await lockedUntil(store, planned, now);
  if (until === undefined) return undefined;
  return until === null ? 'it is under a legal hold' : `it is locked until ${until.toISOString()}`;
}

/** From the first to the last of a batch in one listing: what lies between was listed for the plan, too. */
async function listBatch(store: Store, batch: readonly Doomed[]): Promise<Map<string, StoredObject[]>> {
  const found = new Map<string, StoredObject[]>(batch.map(({ planned }) => [planned.id, []]));
  const folders = foldersOf(batch).toSorted();
  const [first = '', last = ''] = [folders[0], folders.at(-1)];
  const [prefix = ''] = coveringPrefixes([first, last], 1);
  for await (const object of store.list(prefix, { after: first })) {
    if (object.key > last && !object.key.startsWith(last)) break;
    found.get(parseBackupKey(object.key)?.id ?? '')?.push(object);
  }
  return found;
}

async function uploadsOf(store: Store, batch: readonly Doomed[]): Promise<OpenUpload[]> {
  const found: OpenUpload[] = [];
  for (const prefix of coveringPrefixes(foldersOf(batch), MOST_PREFIXES)) {
    for await (const upload of store.openUploads(prefix)) found.push(upload);
  }
  return found;
}

function foldersOf(batch: readonly Doomed[]): string[] {
  return batch.map(({ planned }) => backupPrefix(planned.source, planned.id));
}

/** At most so many prefixes that cover all of these folders, and as little beside them as so few can. */
function coveringPrefixes(folders: readonly string[], most: number): string[] {
  for (let length = folders[0]?.length ?? 0; ; length -= 1) {
    const prefixes = new Set(folders.map((folder) => folder.slice(0, length)));
    if (prefixes.size <= most) return [...prefixes];
  }
}

async function removeKeys(
  store: Store,
  going: readonly Going[],
  isMeant: (key: string, one: Going) => boolean,
): Promise<void> {
  const keys = going.flatMap((one) => one.keys.filter((key) => isMeant(key, one)));
  const [left] = keys.length === 0 ? [] : await store.remove(keys);
  if (left !== undefined) throw new Failure('store-denied', `${left.key}: ${left.reason}`);
}

/** After a failure only the store can tell how far it came. */
async function findOut(
  store: Store,
  batch: readonly Doomed[],
  going: readonly Going[],
  outcome: BatchOutcome,
): Promise<void> {
  const begun = new Set(going.map(({ planned }) => planned.id));
  for (const { planned } of batch) {
    if (begun.has(planned.id) || outcome.removed.has(planned.id) || outcome.left.has(planned.id)) continue;
    outcome.left.set(planned.id, 'it could not be looked at once more');
  }
  if (going.length === 0) return;
  try {
    const found = await listBatch(store, going);
    for (const one of going) sortOut(one, found.get(one.planned.id) ?? [], outcome);
    // A backup that stays whole must not be taken for half a removal when somebody else robs it.
    const whole = going.filter(({ planned }) => outcome.left.has(planned.id));
    const marks = new Set(whole.map(({ planned }) => backupKey(planned.source, planned.id, REMOVING)));
    const left = [...found.values()].flat().filter(({ key }) => marks.has(key));
    // The failure is said already, and a backup that is whole counts as one with a mark, too.
    if (left.length > 0) await store.remove(left.map(({ key }) => key)).catch(endedBy);
  } catch (error) {
    endedBy(error);
    for (const id of begun) outcome.unknown.add(id);
  }
}

function sortOut({ planned, manifest, hiddenKeys }: Going, objects: readonly StoredObject[], outcome: BatchOutcome) {
  const rest = objects.filter(({ key }) => !isMark(key));
  // Marks go last: one that is all there is says that it was on purpose.
  if (rest.length + hiddenKeys.length === 0) outcome.removed.set(planned.id, planned.totalBytes);
  else if (objects.some(({ key }) => key === manifest)) outcome.left.set(planned.id, 'its deletion failed');
  else outcome.half.add(planned.id);
}
