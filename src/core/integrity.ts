import { createHash } from 'node:crypto';
import { Failure } from './failure.ts';
import { backupKey } from './keys.ts';
import type { Artifact, Manifest } from './manifest.ts';
import type { Store } from './ports.ts';

/** One artifact that is not what its manifest says. */
export interface Damage {
  readonly artifact: string;
  readonly what: string;
}

/** Compares names and sizes of a listing with the manifest; what lies there beside them is no damage. */
export function compareWithListing(
  manifest: Manifest,
  listed: readonly { readonly key: string; readonly bytes: number }[],
): Damage[] {
  const bytesOf = new Map(listed.map(({ key, bytes }) => [key, bytes]));
  return manifest.artifacts.flatMap(({ key, bytes }) => {
    const found = bytesOf.get(key);
    if (found === undefined) return [{ artifact: key, what: 'is missing' }];
    return found === bytes ? [] : [{ artifact: key, what: `has ${found} bytes instead of ${bytes}` }];
  });
}

type Watch = (artifact: Artifact, chunk: Buffer) => void;

/**
 * Reads every artifact of a backup and compares size and SHA-256 of the stored bytes; memory stays flat.
 *
 * @param watch shown every chunk of an artifact, in order
 */
export async function readAgainstManifest(
  store: Store,
  manifest: Manifest,
  signal?: AbortSignal,
  watch: Watch = () => {},
): Promise<Damage[]> {
  const damages: Damage[] = [];
  for (const artifact of manifest.artifacts) {
    const what = await damageOf(store, manifest, artifact, { signal, watch });
    if (what !== undefined) damages.push({ artifact: artifact.key, what });
  }
  return damages;
}

async function damageOf(
  store: Store,
  manifest: Manifest,
  artifact: Artifact,
  { signal, watch }: { signal: AbortSignal | undefined; watch: Watch },
): Promise<string | undefined> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    const stored = await store.get(backupKey(manifest.source, manifest.id, artifact.key), signal ? { signal } : {});
    for await (const chunk of stored) {
      hash.update(chunk);
      bytes += chunk.length;
      watch(artifact, chunk);
    }
  } catch (error) {
    if (error instanceof Failure && error.code === 'not-found') return 'is missing';
    throw error;
  }
  if (bytes !== artifact.bytes) return `has ${bytes} bytes instead of ${artifact.bytes}`;
  const sha256 = hash.digest('hex');
  return sha256 === artifact.sha256 ? undefined : `has SHA-256 ${sha256} instead of ${artifact.sha256}`;
}
