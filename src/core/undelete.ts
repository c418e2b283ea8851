import { createHash } from 'node:crypto';
import { Failure } from './failure.ts';
import { type BackupId, backupKey, backupPrefix, MANIFEST, parseBackupKey } from './keys.ts';
import { isWrittenOnce } from './lost-backups.ts';
import type { Artifact, Manifest } from './manifest.ts';
import { isUnreadable, readManifestOf } from './manifest-reading.ts';
import type { ObjectVersion, Store } from './ports.ts';
import { firstWritten, historiesUnder, type KeyHistory, storeOfVersions, versionAt } from './versions.ts';

/** What makes a backup whole again in one store. Nothing has been changed yet. */
export interface UndeletePlan {
  readonly manifest: Manifest;
  readonly manifestSha256: string;
  /** What is to be brought back, in the order of doing: artifacts, records, and the manifest last. */
  readonly steps: readonly ObjectVersion[];
  /** Artifacts of which no version has the bytes of the manifest; with one of them nothing is done. */
  readonly lost: readonly string[];
}

export interface UndeleteRequest {
  readonly source: string;
  readonly id: BackupId;
  /** Undefined: what was written first, since objects are written once. */
  readonly asOf: Date | undefined;
  readonly signal: AbortSignal;
  /** Called with the stored bytes that were read since the last call. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Finds the versions that belong together: a manifest that can be read, and of each of its artifacts one that has its
 * size and, read to the end, its SHA-256.
 *
 * @returns undefined when no version of a manifest can be read
 */
export async function planUndelete(store: Store, request: UndeleteRequest): Promise<UndeletePlan | undefined> {
  const { source, id, asOf, signal } = request;
  const histories = await Array.fromAsync(historiesUnder(store, backupPrefix(source, id), signal));
  const kept = histories.filter(({ key }) => isWrittenOnce(parseBackupKey(key)?.relative ?? ''));
  const choose = (history: KeyHistory) => (asOf === undefined ? firstWritten(history) : versionAt(history, asOf));
  const chosen = kept.flatMap((history) => choose(history) ?? []);
  const read = await readChosen(storeOfVersions(store, chosen), request);
  if (read === undefined) return undefined;
  const { manifest, sha256: manifestSha256 } = read;
  const sound = new Map<string, ObjectVersion>();
  for (const artifact of manifest.artifacts) {
    const key = backupKey(source, id, artifact.key);
    const version = await findSound(store, candidates(kept, chosen, key), artifact, request);
    if (version !== undefined) sound.set(key, version);
  }
  const current = new Map(
    kept.flatMap(({ versions }) => versions.filter((one) => one.isCurrent)).map((one) => [one.key, one]),
  );
  const isChanged = ({ key, tag }: ObjectVersion) => current.get(key)?.tag !== tag;
  const records = chosen.filter(({ key }) => key.endsWith('.json') && key !== backupKey(source, id, MANIFEST));
  const last = chosen.filter(({ key }) => key === backupKey(source, id, MANIFEST));
  return {
    manifest,
    manifestSha256,
    steps: [...[...sound.values()].filter(({ isCurrent }) => !isCurrent), ...[...records, ...last].filter(isChanged)],
    lost: manifest.artifacts.map(({ key }) => key).filter((key) => !sound.has(backupKey(source, id, key))),
  };
}

async function readChosen(view: Store, { source, id, signal }: UndeleteRequest) {
  try {
    return await readManifestOf(view, source, id, signal);
  } catch (error) {
    const isGone = error instanceof Failure && error.code === 'not-found';
    if (isGone || isUnreadable(error)) return undefined;
    throw error;
  }
}

/** What is there now, since that may be right; the version that was chosen; then the others, the oldest first. */
function candidates(
  histories: readonly KeyHistory[],
  chosen: readonly ObjectVersion[],
  key: string,
): readonly ObjectVersion[] {
  const all = histories.find((history) => history.key === key)?.versions ?? [];
  const inOrder = [...all.filter(({ isCurrent }) => isCurrent), ...chosen.filter((one) => one.key === key)];
  return [...new Set([...inOrder, ...all.toReversed()])].filter(({ isDeletion }) => !isDeletion);
}

async function findSound(
  store: Store,
  versions: readonly ObjectVersion[],
  { bytes, sha256 }: Artifact,
  request: UndeleteRequest,
): Promise<ObjectVersion | undefined> {
  for (const version of versions.filter((one) => one.bytes === bytes)) {
    if ((await hashOf(store, version, request)) === sha256) return version;
  }
  return undefined;
}

async function hashOf(store: Store, version: ObjectVersion, { signal, onBytes }: UndeleteRequest): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of await store.getVersion(version, { signal })) {
    hash.update(chunk);
    onBytes(chunk.length);
  }
  return hash.digest('hex');
}

/**
 * Carries a plan out. Right before the manifest every artifact is looked up again, and afterwards the manifest is read
 * as everybody reads it.
 *
 * @throws {Failure} `artifact-corrupt` when something else is there than was brought back; a store error as it came
 */
export async function carryOutUndelete(store: Store, plan: UndeletePlan, signal: AbortSignal): Promise<void> {
  const { source, id } = plan.manifest;
  const isLast = ({ key }: ObjectVersion) => key === backupKey(source, id, MANIFEST);
  for (const version of plan.steps.filter((one) => !isLast(one))) await store.undelete(version, { signal });
  for (const artifact of plan.manifest.artifacts) await checkSize(store, plan.manifest, artifact);
  for (const version of plan.steps.filter(isLast)) await store.undelete(version, { signal });
  const { sha256 } = await readManifestOf(store, source, id, signal);
  if (sha256 !== plan.manifestSha256) throw changed(store, `${id}/${MANIFEST}`);
}

async function checkSize(store: Store, { source, id }: Manifest, { key, bytes }: Artifact): Promise<void> {
  const state = await store.head(backupKey(source, id, key));
  if (state?.bytes !== bytes) throw changed(store, `${id}/${key}`);
}

function changed(store: Store, name: string): Failure {
  return new Failure('artifact-corrupt', `${name} in ${store.location} changed while it was brought back.`, {
    hint: 'Somebody is still at work there: take away the credentials of everybody but you, and run this again.',
  });
}
