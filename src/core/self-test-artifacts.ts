import { buffer } from 'node:stream/consumers';
import { isComplete } from './catalog.ts';
import { backupKey } from './keys.ts';
import type { Artifact, Manifest } from './manifest.ts';
import { isUnreadable, readManifestOf } from './manifest-reading.ts';
import type { Store } from './ports.ts';
import type { SelfTest } from './self-test.ts';
import { ageBoundary, type Boundary, zstdBoundary } from './self-test-boundaries.ts';
import { damagedStore, type StoredDamage } from './self-test-store.ts';
import { judgeTrial, notCovered, type Trial } from './self-test-trial.ts';

/** Enough for several age chunks and zstd blocks. */
const HEAD_BYTES = 1 << 20;
/** Other backups that are looked at for an artifact that is not the same. */
const OTHERS = 3;
/** Facts are read into memory. */
const MOST_FACTS_BYTES = 64 << 20;

interface Planned {
  readonly what: string;
  readonly damage: StoredDamage;
}

/** Every damage to every artifact, one at a time: each is found at its fetch, and needs no server. */
export async function* artifactTrials(test: SelfTest): AsyncGenerator<Trial> {
  for (const artifact of test.plan.copies.chosen.manifest.artifacts) {
    yield await tryArtifact(test, artifact, { what: 'is missing', damage: { kind: 'missing' } });
    const boundary = await findBoundary(test, artifact);
    for (const planned of damagesWithin(artifact, boundary)) yield await tryArtifact(test, artifact, planned);
    if (boundary === undefined) {
      yield notCovered(`${artifact.key} cut at a frame or chunk`, 'it is neither zstd nor age');
    }
    const other = await findOther(test, artifact);
    if (other !== undefined) yield await tryArtifact(test, artifact, other);
    else yield notCovered(`${artifact.key} exchanged for another one`, 'there is no other artifact that differs');
  }
}

function damagesWithin({ bytes }: Artifact, boundary: Boundary | undefined): Planned[] {
  const middle = Math.floor(bytes / 2);
  return [
    { what: 'has one bit of its middle byte flipped', damage: { kind: 'flipped', at: middle } },
    { what: 'lost its last byte', damage: { kind: 'cut', to: bytes - 1 } },
    { what: 'is cut in the middle', damage: { kind: 'cut', to: middle } },
    ...(boundary === undefined
      ? []
      : [{ what: `is cut at ${boundary.what}`, damage: { kind: 'cut', to: boundary.at } as const }]),
    { what: 'is cut to nothing', damage: { kind: 'cut', to: 0 } },
  ];
}

async function tryArtifact(test: SelfTest, artifact: Artifact, { what, damage }: Planned): Promise<Trial> {
  const { copies } = test.plan;
  const { manifest } = copies.chosen;
  const key = backupKey(manifest.source, manifest.id, artifact.key);
  const store = damagedStore(copies.store, new Map([[key, damage]]));
  // A missing object is an error of the store before it can be one of its bytes.
  const rule = damage.kind === 'missing' ? 'artifact-fetched' : 'artifact-corrupt';
  const findings = await fetchOne(test, store, manifest, artifact);
  const path = 'fetch of this artifact, no server';
  return judgeTrial({ damage: `${artifact.key} ${what}`, path, expect: [{ rule, names: artifact.key }] }, findings);
}

/** The drill's own fetch, of one artifact: what else the backup holds is not read again for it. */
export function fetchOne({ plan, examiners, world }: SelfTest, store: Store, manifest: Manifest, artifact: Artifact) {
  const chosen = { ...plan.copies.chosen, manifest: { ...manifest, artifacts: [artifact] } };
  return examiners.fetch({ identity: plan.identity, copies: { ...plan.copies, store, chosen } }, world);
}

async function findBoundary({ plan, world }: SelfTest, artifact: Artifact): Promise<Boundary | undefined> {
  const { store, chosen } = plan.copies;
  const length = Math.min(HEAD_BYTES, artifact.bytes);
  const key = backupKey(chosen.manifest.source, chosen.manifest.id, artifact.key);
  const head = await buffer(await store.get(key, { start: 0, length, signal: world.signal }));
  if (artifact.encryption !== null) return ageBoundary(head, artifact.bytes);
  return artifact.compression === 'zstd' ? zstdBoundary(head, artifact.bytes) : undefined;
}

/** The same artifact of another backup, if one differs; else the smallest other one of this backup. */
async function findOther(test: SelfTest, artifact: Artifact): Promise<Planned | undefined> {
  const { chosen } = test.plan.copies;
  const { source, id, artifacts } = chosen.manifest;
  const differs = (one: Artifact) => one.sha256 !== artifact.sha256 && one.key !== artifact.key;
  const [smallest] = artifacts.filter(differs).toSorted((a, b) => a.bytes - b.bytes);
  const found = await findInOtherBackups(test, artifact);
  const other = found ?? (smallest && { id, artifact: smallest });
  if (other === undefined || (artifact.role === 'facts' && other.artifact.bytes > MOST_FACTS_BYTES)) return undefined;
  const key = backupKey(source, other.id, other.artifact.key);
  const whose = other.id === id ? '' : ` of ${other.id}`;
  return {
    what: `is ${other.artifact.key}${whose}`,
    damage: { kind: 'exchanged', key, bytes: other.artifact.bytes },
  };
}

async function findInOtherBackups({ plan, world }: SelfTest, artifact: Artifact) {
  const { store, chosen, catalog } = plan.copies;
  const others = catalog.filter((backup) => isComplete(backup) && backup.id !== chosen.manifest.id);
  for (const { source, id } of others.slice(-OTHERS).toReversed()) {
    const read = await readManifestOf(store, source, id, world.signal).catch((error: unknown) => {
      if (isUnreadable(error)) return undefined;
      throw error;
    });
    // Roles that did not change give the same globals: that would be no damage.
    const found = read?.manifest.artifacts.find(
      ({ key, sha256 }) => key === artifact.key && sha256 !== artifact.sha256,
    );
    const isThere = found && (await store.head(backupKey(source, id, found.key))) !== undefined;
    if (found !== undefined && isThere === true) return { id, artifact: found };
  }
  return undefined;
}
