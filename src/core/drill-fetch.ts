import { finished } from 'node:stream/promises';
import { counted } from './counted.ts';
import type { DrillPlan } from './drill.ts';
import { type DrillArtifacts, drillArtifacts } from './drill-artifacts.ts';
import { explainDrillError } from './drill-errors.ts';
import type { Artifact, Manifest } from './manifest.ts';
import type { World } from './ports.ts';
import { type Finding, finding } from './report.ts';
import { formatBytes } from './size.ts';

const DAMAGED =
  'Restore from another backup, or from the copy in another store. Look for the cause in the store: somebody or something changed or removed it.';

/** A copy, and what opens it. */
export type CopyToFetch = Pick<DrillPlan, 'copies' | 'identity'>;

/**
 * Fetches, verifies and decrypts every artifact as a restore does, but starts no server. What goes
 * wrong becomes the findings a drill would have.
 *
 * @throws what ends a drill: cancelled, or refused
 */
export async function fetchCopy(plan: CopyToFetch, world: World): Promise<Finding[]> {
  const { store, chosen } = plan.copies;
  const { manifest } = chosen;
  const artifacts = drillArtifacts(store, manifest, plan.identity, world);
  try {
    for (const artifact of manifest.artifacts) await readToEnd(artifacts, artifact);
    return await judgeFetch(plan, artifacts);
  } catch (error) {
    world.signal.throwIfAborted();
    return explainDrillError(error, { store, manifest, artifacts });
  }
}

async function readToEnd(artifacts: DrillArtifacts, artifact: Artifact): Promise<void> {
  if (artifact.role === 'facts') return void (await artifacts.readFacts());
  const stream = await artifacts.open(artifact);
  await finished(stream.resume(), { writable: false });
}

/** Reads what a restore did not need to its end, and says whether all of it is what the manifest says. */
export async function judgeFetch({ copies }: CopyToFetch, artifacts: DrillArtifacts): Promise<Finding[]> {
  const damages = await artifacts.readRest();
  const { manifest } = copies.chosen;
  const subject = copies.store.location;
  if (damages.length > 0) {
    return damages.map(({ artifact, what }) =>
      finding('artifact-corrupt', 'fail', `${artifact} ${what}.`, { subject, hint: DAMAGED }),
    );
  }
  const message = `${counted(manifest.artifacts.length, 'artifact')}, ${formatBytes(bytesOf(manifest))}, matched their SHA-256.`;
  return [finding('artifact-fetched', 'pass', message, { subject, numbers: { bytes: bytesOf(manifest) } })];
}

/** Stored bytes of all artifacts. */
export function bytesOf({ artifacts }: Pick<Manifest, 'artifacts'>): number {
  return artifacts.reduce((sum, { bytes }) => sum + bytes, 0);
}
