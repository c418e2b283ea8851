import type { ChoiceOptions } from './backup-choice.ts';
import { isComplete, listSources, readRecentCatalog } from './catalog.ts';
import { type ChosenCopies, chooseCopies } from './drill-copies.ts';
import { Failure } from './failure.ts';
import { compareWithListing, type Damage } from './integrity.ts';
import { backupKey } from './keys.ts';
import { inLanes } from './lanes.ts';
import type { Manifest } from './manifest.ts';
import { readManifestOf } from './manifest-reading.ts';
import type { Store } from './ports.ts';
import { type CopyProof, proofOfCopy } from './proof.ts';
import { type Finding, finding } from './report.ts';
import type { RestoreKnown } from './restore-request.ts';

/** Manifests read at a time. */
const LANES = 16;

export interface RestoreChoice {
  readonly copies: ChosenCopies;
  /** Of the copy that is restored. */
  readonly proof: CopyProof | undefined;
  /** What is wrong with it as a listing tells, and what was passed over. */
  readonly findings: readonly Finding[];
}

interface Candidate {
  readonly store: Store;
  readonly damages: readonly Damage[];
  readonly proof: CopyProof | undefined;
}

/**
 * Chooses the backup, and of its copies the one to restore: whole as far as sizes tell, and not disproven, in the order
 * of the stores. `latest` passes over what a drill disproved.
 *
 * @throws {Failure} as `chooseCopies`
 */
export async function chooseForRestore(
  stores: readonly Store[],
  source: string,
  wanted: string,
  options: ChoiceOptions,
): Promise<RestoreChoice> {
  const copies = await chooseCopies(stores, source, wanted, { ...options, skipDisproven: true }).catch(explainNone);
  const { chosen } = copies;
  const all: Candidate[] = [];
  for (const store of [copies.store, ...copies.others]) {
    const damages = await damagesOf(store, chosen.manifest);
    all.push({ store, damages, proof: await proofOfCopy(store, chosen.backup, options.signal) });
  }
  const [best, ...rest] = all.toSorted((a, b) => worthOf(b) - worthOf(a));
  if (best === undefined) throw new Failure('backup-not-found', `No store holds a copy of ${chosen.backup.id}.`);
  refuseDamaged(best, chosen.backup.id);
  const whole = `All artifacts of ${chosen.backup.id} are there with their sizes.`;
  return {
    copies: { ...copies, store: best.store, others: rest.map(({ store }) => store) },
    proof: best.proof,
    findings: [
      ...copies.findings.map(asWarning),
      finding('artifact-missing', 'pass', whole, { subject: best.store.location }),
      ...rest.flatMap((one) => passedOver(one, chosen.backup.id)),
    ],
  };
}

/** Of equals the first store given. */
function worthOf({ damages, proof }: Candidate): number {
  if (damages.length > 0) return 0;
  return proof?.proof === 'disproven' ? 1 : 2;
}

function explainNone(error: unknown): never {
  if (!(error instanceof Failure) || !error.message.includes('a drill disproved it')) throw error;
  const hint = 'When there is no better one, name it: `backup:` with its id, and `allow-unproven: true`.';
  throw new Failure(error.code, error.message, { hint: `${hint} ${error.hint ?? ''}`.trim(), cause: error });
}

async function damagesOf(store: Store, manifest: Manifest): Promise<Damage[]> {
  const listed: { key: string; bytes: number }[] = [];
  for (const { key } of manifest.artifacts) {
    const state = await store.head(backupKey(manifest.source, manifest.id, key));
    if (state !== undefined) listed.push({ key, bytes: state.bytes });
  }
  return compareWithListing(manifest, listed);
}

/** The best copy is damaged: then none is whole. */
function refuseDamaged({ store, damages }: Candidate, id: string): void {
  if (damages.length === 0) return;
  throw new Failure('artifact-corrupt', `The copy of ${id} in ${store.location} is damaged: ${wordsOf(damages)}.`, {
    hint: 'Nothing was changed. Restore another backup, or give a store that holds a whole copy.',
  });
}

function passedOver({ store, damages }: Candidate, id: string): Finding[] {
  if (damages.length === 0) return [];
  return [
    finding(
      'artifact-missing',
      'warn',
      `The copy of ${id} is damaged, and another one is restored: ${wordsOf(damages)}.`,
      {
        subject: store.location,
        hint: 'Find out who removed or changed it.',
      },
    ),
  ];
}

function wordsOf(damages: readonly Damage[]): string {
  return damages.map(({ artifact, what }) => `${artifact} ${what}`).join('; ');
}

/** A store that is of no use today keeps nobody from restoring from another one. */
export function asWarning(one: Finding): Finding {
  return one.status === 'fail' || one.status === 'unknown' ? { ...one, status: 'warn' } : one;
}

/** Where the newest backup of each source comes from. What cannot be read is left out: it is for information. */
export async function readSourcePlaces(
  stores: readonly Store[],
  now: Date,
  signal: AbortSignal,
): Promise<RestoreKnown['sources']> {
  const places: RestoreKnown['sources'][number][] = [];
  for (const store of stores) {
    const sources = await listSources(store).catch(() => []);
    await inLanes(sources, LANES, async (source) => {
      const manifest = await newestManifest(store, source, now, signal).catch(() => undefined);
      if (manifest !== undefined) places.push({ source, ...manifest.server });
    });
  }
  signal.throwIfAborted();
  return places;
}

async function newestManifest(
  store: Store,
  source: string,
  now: Date,
  signal: AbortSignal,
): Promise<Manifest | undefined> {
  const { backups } = await readRecentCatalog(store, source, now, (some) => some.some(isComplete), signal);
  const newest = backups.findLast(isComplete);
  return newest && (await readManifestOf(store, source, newest.id, signal)).manifest;
}
