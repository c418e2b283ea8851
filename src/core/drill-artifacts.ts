import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { boundedText } from './bounded-text.ts';
import { Facts } from './facts.ts';
import { Failure } from './failure.ts';
import { type Came, fetchArtifact } from './fetch-artifact.ts';
import { type Damage, readAgainstManifest } from './integrity.ts';
import { type Artifact, type Manifest, parseRecord } from './manifest.ts';
import type { Store, World } from './ports.ts';

/** The artifacts of one copy, as a drill reads them. */
export interface DrillArtifacts {
  /** Decrypted, still compressed. */
  open(artifact: Artifact): Promise<Readable>;
  /** Undefined when the backup was made without facts. */
  readFacts(): Promise<Facts | undefined>;
  /** Reads what has not been read to its end yet; a damaged artifact is named with what was expected. */
  readRest(): Promise<Damage[]>;
  /** The same for those only that were opened: what a restore broke off at is one of them. */
  readOpened(): Promise<Damage[]>;
  /** Names of those that are right in the store, as reading them again showed, and came with other bytes at first. */
  readonly changedOnTheWay: readonly string[];
  /** Names of those that were read to their end and match their SHA-256. */
  readonly verified: readonly string[];
  /** Stored bytes read so far; what was read twice counts once. */
  readonly bytes: number;
}

/** @param identity text of the age identities; empty: none was given */
export function drillArtifacts(
  store: Store,
  manifest: Manifest,
  identity: string,
  world: Pick<World, 'encryption' | 'compression' | 'signal'>,
): DrillArtifacts {
  const seen: Seen = { opened: new Set(), sound: new Set(), broken: new Map(), changed: [], most: new Map() };
  const open = async (artifact: Artifact) => {
    refuseWithoutIdentity(artifact, identity);
    seen.opened.add(artifact.key);
    let read = 0;
    const stored = await fetchArtifact(store, manifest, artifact, {
      signal: world.signal,
      onBytes: (count) => {
        read += count;
        seen.most.set(artifact.key, Math.max(read, seen.most.get(artifact.key) ?? 0));
      },
      onVerified: () => seen.sound.add(artifact.key),
      onBroken: (came) => seen.broken.set(artifact.key, came),
    });
    return artifact.encryption === null ? stored : world.encryption.decrypt(identity, stored);
  };
  const readBack = (wanted: readonly Artifact[]) => readUnread(store, manifest, { wanted, seen }, world.signal);
  return {
    open,
    readFacts: () => readFacts(manifest, open, world),
    readRest: () => readBack(manifest.artifacts),
    readOpened: () => readBack(manifest.artifacts.filter(({ key }) => seen.opened.has(key))),
    changedOnTheWay: seen.changed,
    get verified() {
      return [...seen.sound];
    },
    get bytes() {
      return [...seen.most.values()].reduce((sum, bytes) => sum + bytes, 0);
    },
  };
}

interface Seen {
  readonly opened: Set<string>;
  readonly sound: Set<string>;
  /** What came of those that were not read to their end, or came with other bytes. */
  readonly broken: Map<string, Came>;
  readonly changed: string[];
  /** Bytes of the longest reading of each. */
  readonly most: Map<string, number>;
}

/**
 * What was sound is not read again. What came with other bytes is: a copy is disproven by what lies in the
 * store, and not by what a network or the memory of this machine made of it.
 */
async function readUnread(
  store: Store,
  manifest: Manifest,
  { wanted, seen }: { wanted: readonly Artifact[]; seen: Seen },
  signal: AbortSignal,
): Promise<Damage[]> {
  const artifacts = wanted.filter(({ key }) => !seen.sound.has(key));
  const again = new Map(artifacts.flatMap(({ key }) => sameBytesAs(key, seen.broken.get(key))));
  const watch = ({ key }: Artifact, chunk: Buffer) => again.get(key)?.take(chunk);
  const damages = await readAgainstManifest(store, { ...manifest, artifacts }, signal, watch);
  const isDamaged = (key: string) => damages.some(({ artifact }) => artifact === key);
  for (const { key } of artifacts) if (!isDamaged(key)) seen.sound.add(key);
  seen.changed.push(...[...again].filter(([key, { differ }]) => !isDamaged(key) && differ()).map(([key]) => key));
  return damages;
}

/** Compares the beginning of a second reading with all that came in the first. */
function sameBytesAs(key: string, came: Came | undefined) {
  if (came === undefined) return [];
  const hash = createHash('sha256');
  let left = came.bytes;
  const take = (chunk: Buffer) => {
    hash.update(chunk.subarray(0, left));
    left -= Math.min(left, chunk.length);
  };
  return [[key, { take, differ: () => left > 0 || hash.digest('hex') !== came.sha256 }]] as const;
}

function refuseWithoutIdentity({ key, encryption }: Artifact, identity: string): void {
  if (encryption === null || identity !== '') return;
  throw new Failure('decryption-failed', `${key} is encrypted, and no identity was given.`, {
    hint: `Give in \`age-identity\` the secret key of ${encryption.recipients.join(' or ')}.`,
  });
}

/** Half a million objects; some eight times as much memory. */
const MOST_FACTS_BYTES = 64 << 20;

async function readFacts(
  manifest: Manifest,
  open: DrillArtifacts['open'],
  { compression }: Pick<World, 'compression'>,
): Promise<Facts | undefined> {
  const artifact = manifest.artifacts.find(({ role }) => role === 'facts');
  if (artifact === undefined) return undefined;
  const stored = await open(artifact);
  const plain = artifact.compression === 'none' ? stored : compression.decompress(stored);
  const json = await boundedText(plain, MOST_FACTS_BYTES, `${manifest.id}/${artifact.key}`);
  return parseRecord(Facts, json, `${manifest.id}/${artifact.key}`);
}
