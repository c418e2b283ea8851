import { bytesOf } from './drill-fetch.ts';
import { Failure } from './failure.ts';
import { type Damage, readAgainstManifest } from './integrity.ts';
import type { Manifest } from './manifest.ts';
import { readManifestOf } from './manifest-reading.ts';
import type { Store, World } from './ports.ts';
import { type Finding, finding, type Report } from './report.ts';
import { formatBytes } from './size.ts';
import { withTicker } from './ticker.ts';

/** A backup of the target, as it was just taken. */
export interface SafetyBackup {
  readonly source: string;
  readonly id: string;
  readonly findings: readonly Finding[];
}

/**
 * Reads the backup of the target back from every store that took it. What its own report complains of, such as another
 * size than usual, is told and no obstacle: it holds what was there.
 *
 * @throws {Failure} `restore-failed` unless one store holds all of it
 */
export async function confirmSafetyBackup(
  source: string,
  report: Report,
  stores: readonly Store[],
  world: World,
): Promise<SafetyBackup> {
  const id = report.outputs['backup-id'] ?? '';
  const sound: string[] = [];
  const findings: Finding[] = [];
  let bytes = 0;
  for (const store of stores) {
    const manifest = await manifestIn(store, source, id, world);
    if (manifest === undefined) continue;
    bytes = bytesOf(manifest);
    const reading = () => `reading back the backup of the target from ${store.location}`;
    const damages = await withTicker(world, reading, () => readAgainstManifest(store, manifest, world.signal));
    if (damages.length === 0) sound.push(store.location);
    else findings.push(damaged(id, store, damages));
  }
  if (sound.length === 0) throw noneSound(report);
  const message = `${source}/${id}, ${formatBytes(bytes)}, holds what was in the target; it was read back from ${sound.join(', ')} and is pinned.`;
  return { source, id, findings: [finding('safety-backup', 'pass', message), ...findings, ...complaints(report)] };
}

/** Undefined where it was not written; the report of the backup says why. */
async function manifestIn(store: Store, source: string, id: string, world: World): Promise<Manifest | undefined> {
  try {
    return (await readManifestOf(store, source, id, world.signal)).manifest;
  } catch (error) {
    if (error instanceof Failure && error.code !== 'cancelled' && error.code !== 'timed-out') return undefined;
    throw error;
  }
}

function damaged(id: string, { location }: Store, damages: readonly Damage[]): Finding {
  const what = damages.map(({ artifact, what }) => `${artifact} ${what}`).join('; ');
  return finding('safety-backup', 'warn', `The copy of ${id} is damaged: ${what}.`, { subject: location });
}

function complaints({ findings }: Report): Finding[] {
  const bad = findings.filter(({ status }) => status === 'fail' || status === 'unknown');
  return bad.map(({ rule, message }) =>
    finding('safety-backup', 'warn', `The backup of the target: ${message} (${rule})`),
  );
}

function noneSound({ findings }: Report): Failure {
  const why = findings.find(({ status }) => status === 'fail' || status === 'unknown')?.message ?? '';
  return new Failure('restore-failed', `The backup of the target is whole in no store. ${why}`.trim(), {
    hint: 'Nothing of the target was changed. Mend the store and restore again, or waive this backup with `safety-backup: false`.',
  });
}
