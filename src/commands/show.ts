import { z } from 'zod';
import { drillArtifacts } from '../core/drill-artifacts.ts';
import type { Facts } from '../core/facts.ts';
import { Failure } from '../core/failure.ts';
import { findBackup } from '../core/find-backup.ts';
import { withStores } from '../core/open-stores.ts';
import type { World } from '../core/ports.ts';
import { type Finding, finding, type Report } from '../core/report.ts';
import { readShown, type ShownBackup } from '../core/show-backup.ts';
import { showReport } from '../core/show-report.ts';
import { backup, looking } from '../github/inputs/catalog.ts';
import { parseInputs, type RawInputs, shared } from '../github/inputs.ts';

export const description =
  'Shows one backup: where its copies are, what it holds, its drills, pins and restores, and the command that restores it.';

export const positional = ['backup'];

export const inputs = z.strictObject({
  backup,
  ...looking,
  'age-identity': shared['age-identity'].prefault(''),
});

export async function show(raw: RawInputs, world: World): Promise<Report> {
  const given = parseInputs(inputs, raw);
  if (given['age-identity'] !== '') world.encryption.checkIdentity(given['age-identity']);
  return withStores(world, given.store, async ({ stores, findings }) => {
    const found = await findBackup(stores, { wanted: given.backup, source: given.source }, world);
    const shown = await readShown(found, world.now(), world.signal);
    const around: Finding[] = [...findings, ...shown.findings];
    const facts = await readFacts(shown, given['age-identity'], world, around);
    const context = { now: world.now(), storeUrls: given.store, facts };
    return showReport({ ...shown, findings: around }, context);
  });
}

/** Without the identity of an encrypted backup everything else is shown. */
async function readFacts(
  { copies }: ShownBackup,
  identity: string,
  world: World,
  around: Finding[],
): Promise<Facts | undefined> {
  const copy = copies.find(({ manifest, damages }) => manifest !== undefined && damages.length === 0);
  if (copy?.manifest === undefined) return undefined;
  const artifact = copy.manifest.artifacts.find(({ role }) => role === 'facts');
  if (artifact === undefined || (artifact.encryption !== null && identity === '')) return undefined;
  try {
    return await drillArtifacts(copy.store, copy.manifest, identity, world).readFacts();
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'cancelled' || error.code === 'timed-out') throw error;
    const subject = copy.store.location;
    around.push(finding('artifact-fetched', 'warn', `Its facts could not be read: ${error.message}`, { subject }));
    return undefined;
  }
}
