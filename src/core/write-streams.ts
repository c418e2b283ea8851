import { type BackupProgress, beginPart } from './backup-progress.ts';
import type { BackupStores } from './backup-stores.ts';
import { backupKey } from './keys.ts';
import { inLanes } from './lanes.ts';
import type { Artifact } from './manifest.ts';
import type { DumpOutput, DumpStream, Snapshot, World } from './ports.ts';
import { type StoredArtifact, storeArtifact } from './store-artifact.ts';

export interface WrittenArtifact {
  readonly artifact: Artifact;
  readonly stored: StoredArtifact;
}

/** The part of a backup on its way that its streams need. */
export interface StreamWriting {
  readonly id: string;
  readonly plan: {
    readonly source: string;
    readonly compressionLevel: number;
    readonly jobs: number;
    readonly recipients: readonly string[];
    readonly stallMs: number;
  };
  readonly world: World;
  readonly snapshot: Snapshot;
  /** World's signal, or what broke the backup: without its facts or one of its streams it is not worth its end. */
  readonly signal: AbortSignal;
  readonly stores: BackupStores;
  readonly artifacts: WrittenArtifact[];
  readonly progress: BackupProgress;
}

/**
 * Writes every stream of the snapshot into the live stores, `jobs` at a time. The first that fails ends
 * the others: without it they are no backup.
 *
 * @param broken aborts `writing.signal`
 * @throws the first stream's failure, or the first store's when none is left, after all have ended
 */
export async function writeStreams(writing: StreamWriting, broken: AbortController): Promise<void> {
  const { streams } = writing.snapshot;
  const written = new Map<DumpStream, WrittenArtifact>();
  await inLanes(streams, writing.plan.jobs, async (stream) => {
    try {
      written.set(stream, await writeStream(writing, stream));
    } catch (error) {
      broken.abort(error);
      throw error;
    }
  });
  writing.artifacts.push(...streams.flatMap((stream) => written.get(stream) ?? []));
}

async function writeStream(writing: StreamWriting, stream: DumpStream): Promise<WrittenArtifact> {
  const { signal } = writing;
  signal.throwIfAborted();
  const output = stream.open({ level: writing.plan.compressionLevel });
  // A stream that is silent would not look at the signal before its next byte.
  const end = () => output.compressed.destroy(asError(signal.reason));
  signal.addEventListener('abort', end, { once: true });
  try {
    return await writeArtifact(writing, stream, output);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

type Kind = Pick<Artifact, 'role' | 'format'> & { readonly name: string; readonly estimatedBytes: number };

/** Compressed bytes, encrypted where wanted, into every live store; a store that fails is dropped. */
export async function writeArtifact(writing: StreamWriting, kind: Kind, output: DumpOutput): Promise<WrittenArtifact> {
  const { plan } = writing;
  const encrypted = plan.recipients.length > 0;
  const key = `${kind.name}.zst${encrypted ? '.age' : ''}`;
  const stored = await storeStream(writing, kind, output, backupKey(plan.source, writing.id, key));
  await dropFailed(writing, stored);
  const plainBytes = output.plainBytes();
  const artifact: Artifact = {
    role: kind.role,
    key,
    format: kind.format,
    compression: 'zstd',
    encryption: encrypted ? { type: 'age', recipients: [...plan.recipients] } : null,
    bytes: stored.bytes,
    sha256: stored.sha256,
    ...(plainBytes === undefined ? {} : { plainBytes }),
  };
  return { artifact, stored };
}

async function storeStream(
  writing: StreamWriting,
  kind: Kind,
  output: DumpOutput,
  key: string,
): Promise<StoredArtifact> {
  const { plan, world, progress, stores, signal } = writing;
  const { recipients, stallMs, jobs: atOnce } = plan;
  const { name, estimatedBytes } = kind;
  const part = { name, estimatedBytes, storedBytes: 0, plainBytes: output.plainBytes, isOver: false };
  beginPart(progress, part);
  const body = recipients.length > 0 ? world.encryption.encrypt(recipients, output.compressed) : output.compressed;
  // COPY text of binary columns is twice their size, and compresses back to about it.
  const expectedBytes = Math.ceil(estimatedBytes * 1.5) + (64 << 20);
  const onBytes = (bytes: number) => {
    part.storedBytes += bytes;
  };
  try {
    return await storeArtifact(body, [...stores.live], key, {
      ...{ expectedBytes, atOnce, stallMs, signal, onBytes },
      sleep: world.sleep,
    });
  } finally {
    part.isOver = true;
  }
}

async function dropFailed({ stores }: StreamWriting, stored: StoredArtifact): Promise<void> {
  for (const [store, error] of stored.failed) await stores.drop(store, error);
  // Lost to another stream meanwhile: what this one wrote there goes as well.
  for (const store of stored.copies.keys()) {
    if (!stores.live.has(store)) await stores.drop(store, stores.failed.get(store));
  }
  stores.refuseNone();
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
