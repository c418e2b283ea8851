import { Failure } from './failure.ts';
import { fetchArtifact } from './fetch-artifact.ts';
import { backupKey, whereIs } from './keys.ts';
import type { Artifact, Manifest } from './manifest.ts';
import type { Store, World } from './ports.ts';
import { storeArtifact } from './store-artifact.ts';

/** Where a copy comes from, where it goes, and how long a transfer may be silent. */
export interface CopyWay {
  readonly from: Store;
  readonly to: Store;
  readonly stallMs: number;
}

export interface CopiedArtifact {
  readonly artifact: Artifact;
  /** `there`: it was there already, and was read back against its SHA-256. */
  readonly how: 'sent' | 'there';
  /** What the store says of it, to be compared right before the manifest is written. */
  readonly tag: string;
}

/**
 * Brings one artifact into the other store: in one pass, its size and SHA-256 compared with the manifest on the way,
 * so that nothing is visible there unless every byte was right. One that is there already is read and not sent again.
 *
 * @param onBytes called with the number of bytes of each chunk sent or read
 * @throws {Failure} `artifact-corrupt` when the source's bytes, or those that are there, are other ones
 */
export async function copyArtifact(
  way: CopyWay,
  manifest: Pick<Manifest, 'source' | 'id'>,
  artifact: Artifact,
  { sleep, signal, onBytes }: Pick<World, 'sleep' | 'signal'> & { onBytes: (bytes: number) => void },
): Promise<CopiedArtifact> {
  const { from, to, stallMs } = way;
  const key = backupKey(manifest.source, manifest.id, artifact.key);
  const found = await to.head(key);
  if (found !== undefined) {
    if (found.bytes !== artifact.bytes) throw otherBytes(to, key, `${found.bytes} bytes instead of ${artifact.bytes}`);
    await readBack(to, manifest, artifact, { signal, onBytes });
    return { artifact, how: 'there', tag: found.tag };
  }
  const body = await fetchArtifact(from, manifest, artifact, { signal });
  const stored = await storeArtifact(body, [to], key, {
    ...{ expectedBytes: artifact.bytes, stallMs, sleep, signal, onBytes },
  });
  return { artifact, how: 'sent', tag: stored.copies.get(to)?.tag ?? '' };
}

/** Reads an artifact of the other store to its end; errors when its bytes are not those of the manifest. */
export async function readBack(
  to: Store,
  manifest: Pick<Manifest, 'source' | 'id'>,
  artifact: Artifact,
  { signal, onBytes }: { readonly signal: AbortSignal; readonly onBytes: (bytes: number) => void },
): Promise<void> {
  const stored = await fetchArtifact(to, manifest, artifact, { signal, onBytes });
  try {
    for await (const _ of stored);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'artifact-corrupt') throw error;
    throw otherBytes(to, backupKey(manifest.source, manifest.id, artifact.key), 'another SHA-256', error);
  }
}

function otherBytes(to: Store, key: string, what: string, cause?: unknown): Failure {
  return new Failure(
    'artifact-corrupt',
    `${whereIs(to, key)} is not what the manifest says (${what}). It was left as it is.`,
    {
      ...(cause !== undefined && { cause }),
      hint: 'Objects are written once, so it is not written over. Find out what damaged it; then remove that one object by hand (on a bucket with versions: each version) and copy again.',
    },
  );
}
