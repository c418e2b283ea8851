import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Failure } from './failure.ts';
import { backupKey, whereIs } from './keys.ts';
import type { Artifact, Manifest } from './manifest.ts';
import type { Store } from './ports.ts';

/** Bytes read, from the first on. */
export interface Came {
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

export interface FetchOptions {
  readonly signal: AbortSignal;
  /** Called with the number of bytes of each chunk. */
  readonly onBytes?: (bytes: number) => void;
  /** Called once, when all bytes came and were the right ones. */
  readonly onVerified?: () => void;
  /** Called once instead, when the reading ended early or with other bytes, with what came until then. */
  readonly onBroken?: (came: Came) => void;
}

/**
 * The stored bytes of an artifact. The stream ends only when they were those of the manifest, and
 * errors with `artifact-corrupt` otherwise; the caller reads it to its end or destroys it.
 *
 * @throws {Failure} `not-found`, or why the store could not be read
 */
export async function fetchArtifact(
  store: Store,
  manifest: Pick<Manifest, 'source' | 'id'>,
  artifact: Artifact,
  options: FetchOptions,
): Promise<Readable> {
  const key = backupKey(manifest.source, manifest.id, artifact.key);
  const stored = await store.get(key, { signal: options.signal });
  return Readable.from(verified(stored, artifact, whereIs(store, key), options), {
    objectMode: false,
    highWaterMark: 1 << 20,
  });
}

async function* verified(
  stored: Readable,
  artifact: Artifact,
  where: string,
  { onBytes, onVerified, onBroken }: FetchOptions,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let bytes = 0;
  let what: string | undefined = 'was not read to its end';
  try {
    for await (const chunk of stored) {
      hash.update(chunk);
      bytes += chunk.length;
      onBytes?.(chunk.length);
      yield chunk;
    }
    what = differenceFrom(artifact, { bytes, sha256: hash.copy().digest('hex') });
  } finally {
    // Also when whoever reads has had enough: a program may have choked on what came.
    if (what === undefined) onVerified?.();
    else onBroken?.({ bytes, sha256: hash.digest('hex') });
  }
  if (what === undefined) return;
  throw new Failure('artifact-corrupt', `${where} ${what}: somebody or something changed it after it was stored.`, {
    hint: 'Restore from another backup, or from the copy in another store. Look for the cause in the store.',
  });
}

function differenceFrom(artifact: Artifact, found: Came): string | undefined {
  if (found.bytes !== artifact.bytes) return `has ${found.bytes} bytes instead of ${artifact.bytes}`;
  return found.sha256 === artifact.sha256 ? undefined : `has SHA-256 ${found.sha256} instead of ${artifact.sha256}`;
}
