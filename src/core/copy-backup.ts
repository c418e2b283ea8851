import { Readable } from 'node:stream';
import { type CatalogBackup, isComplete } from './catalog.ts';
import { type CopiedArtifact, type CopyWay, copyArtifact, readBack } from './copy-artifact.ts';
import { readFolder, refuseBusy, refuseFull } from './copy-guard.ts';
import { copyRecords, type RecordsCopied } from './copy-records.ts';
import { Failure } from './failure.ts';
import { type BackupId, backupKey, IN_PROGRESS, MANIFEST, whereIs } from './keys.ts';
import { wholeSeconds } from './make-manifest.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { readSmall, sha256Of } from './manifest-reading.ts';
import type { Store, World } from './ports.ts';
import type { InProgressRecord } from './records.ts';
import { formatBytes } from './size.ts';

/** What became of one backup in the store it was copied to. */
export interface CopiedBackup {
  readonly manifest: Manifest;
  readonly artifacts: readonly CopiedArtifact[];
  readonly records: RecordsCopied;
  readonly sentBytes: number;
  /** It was whole there before. */
  readonly wasWhole: boolean;
}

const RENEW_MS = 10 * 60_000;

/**
 * Makes a backup whole in another store: its artifacts, its drills and pins, and last its manifest, byte for byte.
 * What is there already is read back and not sent again, so that a copy that was killed goes on where it was. Nothing
 * is ever removed or written over.
 *
 * @throws {Failure} `backup-not-found`, `source-busy`, `store-full`, `artifact-corrupt`, or why a store failed; there
 *         is no manifest then that was not there before, and the mark keeps what was sent from looking like a backup
 */
export async function copyBackup(way: CopyWay, source: string, id: BackupId, world: World): Promise<CopiedBackup> {
  const { from, to } = way;
  const { text, manifest } = await readOriginal(from, source, id, world.signal);
  const there = await readFolder(to, source, id);
  await refuseBusy(way, { there, here: await readFolder(from, source, id) }, world.now());
  const isThere = there !== undefined && isComplete(there);
  if (isThere) await refuseOtherManifest(to, manifest, text);
  await refuseFull(to, manifest, there);
  const mark = markOf(way, manifest, world);
  if (!isThere) await putText(to, backupKey(source, id, IN_PROGRESS), mark);
  const { artifacts, sentBytes } = await copyArtifacts(way, manifest, { mark: isThere ? undefined : mark }, world);
  const sent = artifacts.filter(({ how }) => how === 'sent');
  const readSent = async () => {
    for (const { artifact } of sent)
      await readBack(to, manifest, artifact, { signal: world.signal, onBytes: () => {} });
  };
  const records = await copyRecords(way, manifest, there, { readSent, signal: world.signal });
  await confirm(to, manifest, artifacts);
  if (!isThere) {
    await putText(to, backupKey(source, id, MANIFEST), text);
    // The backup is whole from here on; a mark that stays behind hides nothing, and prune removes it.
    await to.remove([backupKey(source, id, IN_PROGRESS)]).catch(() => []);
  }
  return { manifest, artifacts, records, sentBytes, wasWhole: isThere && sent.length === 0 };
}

async function readOriginal(from: Store, source: string, id: BackupId, signal: AbortSignal) {
  const key = backupKey(source, id, MANIFEST);
  const bytes = await readSmall(from, key, signal).catch((error: unknown) => {
    if (!(error instanceof Failure) || error.code !== 'not-found') throw error;
    throw new Failure('backup-not-found', `${from.location} holds no backup ${source}/${id}.`, {
      hint: 'Check `backup`, `source` and `from`; only a backup with its manifest can be copied.',
    });
  });
  const text = bytes.toString('utf8');
  return { text, manifest: readManifest(text, whereIs(from, key), { source, id }) };
}

async function refuseOtherManifest(to: Store, { source, id }: Manifest, text: string): Promise<void> {
  const key = backupKey(source, id, MANIFEST);
  const found = await readSmall(to, key);
  if (sha256Of(found) === sha256Of(text)) return;
  throw new Failure('artifact-corrupt', `${whereIs(to, key)} is another manifest. It was left as it is.`, {
    hint: 'Manifests are written once: somebody replaced one of the two. Compare both; remove the wrong one by hand, then copy again.',
  });
}

function markOf({ from }: CopyWay, { id, source }: Manifest, world: World): string {
  const startedAt = wholeSeconds(world.now());
  const record: InProgressRecord = {
    ...{ format: 1, id, source, startedAt, ...world.process, run: world.run },
    copyFrom: from.location,
  };
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

/** One after the other, with a line every ten seconds, and the mark renewed so that prune leaves all of it alone. */
async function copyArtifacts(
  way: CopyWay,
  manifest: Manifest,
  { mark }: { readonly mark: string | undefined },
  world: World,
): Promise<Pick<CopiedBackup, 'artifacts' | 'sentBytes'>> {
  const artifacts: CopiedArtifact[] = [];
  const progress = { doing: '', bytes: 0 };
  const total = manifest.artifacts.reduce((sum, { bytes }) => sum + bytes, 0);
  const stop = new AbortController();
  const say = () =>
    world.log.info(`${progress.doing}: ${formatBytes(progress.bytes)} of ${formatBytes(total)} of ${manifest.id}`);
  const key = backupKey(manifest.source, manifest.id, IN_PROGRESS);
  const renew = async () => void (mark === undefined || (await putText(way.to, key, mark).catch(() => {})));
  const ticking = whileGoing(world, stop.signal, say, renew);
  const onBytes = (bytes: number) => {
    progress.bytes += bytes;
  };
  try {
    for (const artifact of manifest.artifacts) {
      world.signal.throwIfAborted();
      progress.doing = artifact.key;
      artifacts.push(await copyArtifact(way, manifest, artifact, { ...world, onBytes }));
    }
  } finally {
    stop.abort();
    await ticking;
  }
  const sent = artifacts.filter(({ how }) => how === 'sent');
  return { artifacts, sentBytes: sent.reduce((sum, { artifact }) => sum + artifact.bytes, 0) };
}

const TICK_MS = 10_000;

async function whileGoing(
  { sleep }: Pick<World, 'sleep'>,
  stop: AbortSignal,
  say: () => void,
  renew: () => Promise<void>,
): Promise<void> {
  for (let tick = 1; ; tick += 1) {
    await sleep(TICK_MS, stop);
    if (stop.aborted) return;
    say();
    if (tick % (RENEW_MS / TICK_MS) === 0) await renew();
  }
}

/** Right before the manifest every artifact is looked up again: something else may write or delete there. */
async function confirm(to: Store, manifest: Manifest, artifacts: readonly CopiedArtifact[]): Promise<void> {
  for (const { artifact, tag } of artifacts) {
    const key = backupKey(manifest.source, manifest.id, artifact.key);
    const state = await to.head(key);
    if (state?.bytes === artifact.bytes && state.tag === tag) continue;
    throw new Failure('artifact-corrupt', `${whereIs(to, key)} is not what was stored a moment ago.`, {
      hint: 'Something else writes or deletes in this store: a lifecycle rule, a sync, another tool.',
    });
  }
}

/** Writes a small object and makes sure that the store took it as it was given. */
export async function putText(to: Store, key: string, text: string): Promise<void> {
  const copy = await to.put(key, Readable.from([Buffer.from(text)]), { expectedBytes: Buffer.byteLength(text) });
  if (copy.sha256 === sha256Of(text)) return;
  throw new Failure('artifact-corrupt', `${to.location} stored other bytes of ${key} than it was given.`);
}

/** Complete backups that the other store does not hold whole, newest first: what matters most goes first. */
export function missingIn(here: readonly CatalogBackup[], there: readonly CatalogBackup[]): CatalogBackup[] {
  const held = new Set(there.filter(isComplete).map(({ id }) => id));
  return here.filter((backup) => isComplete(backup) && !held.has(backup.id)).toReversed();
}
