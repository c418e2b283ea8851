import { type ChoiceOptions, type ChosenBackup, chooseBackup } from './backup-choice.ts';
import { type CatalogBackup, isComplete, listSources, readCatalog, readRecentCatalog } from './catalog.ts';
import { Failure } from './failure.ts';
import { isUnreadable, readManifestOf } from './manifest-reading.ts';
import { notReadable } from './open-stores.ts';
import type { Store } from './ports.ts';
import { type Finding, finding } from './report.ts';

/** Enough to know a source's usual scope. */
const RECENT = 20;

/** The backup to drill, and where its copies are. */
export interface ChosenCopies {
  readonly chosen: ChosenBackup;
  /** The copy that is restored. */
  readonly store: Store;
  /** Stores that hold the same backup under the same manifest. */
  readonly others: readonly Store[];
  /** Every store whose folder of the backup takes the record. */
  readonly holders: readonly Store[];
  /** Backups of the source in `store`, oldest first, as far as they were listed. */
  readonly catalog: readonly CatalogBackup[];
  readonly findings: readonly Finding[];
}

interface Candidate {
  readonly store: Store;
  readonly catalog: readonly CatalogBackup[];
  readonly chosen: ChosenBackup;
}

/**
 * Chooses the backup among all stores: of `latest` the newest that any of them holds, else what the
 * first one says. Restored from is the first store whose manifest of it can be read.
 *
 * @throws {Failure} when no store holds such a backup, the first store's reason
 */
export async function chooseCopies(
  stores: readonly Store[],
  source: string,
  wanted: string,
  options: ChoiceOptions,
): Promise<ChosenCopies> {
  const findings: Finding[] = [];
  const candidates: Candidate[] = [];
  let nothing: unknown;
  for (const store of stores) {
    try {
      const catalog = await readCatalogFor(store, source, wanted, options);
      if (catalog.length === 0) throw await noBackups(store, source);
      candidates.push({ store, catalog, chosen: await chooseBackup(store, catalog, wanted, options) });
    } catch (error) {
      nothing ??= error;
      findings.push(notChosen(store, error));
    }
  }
  const best = bestOf(candidates, wanted);
  if (best === undefined) throw nothing ?? noStore();
  const copies = await findCopies(stores, best, findings, options.signal);
  return { ...copies, chosen: best.chosen, store: best.store, catalog: best.catalog, findings };
}

function bestOf(candidates: readonly Candidate[], wanted: string): Candidate | undefined {
  if (wanted !== 'latest') return candidates[0];
  // Not `>=`: of equals the first store given is restored from.
  return candidates.reduce<Candidate | undefined>(
    (a, b) => (a !== undefined && a.chosen.backup.takenAt >= b.chosen.backup.takenAt ? a : b),
    undefined,
  );
}

async function readCatalogFor(store: Store, source: string, wanted: string, { now, signal }: ChoiceOptions) {
  if (wanted !== 'latest') return readCatalog(store, source, signal ? { signal } : {});
  const isEnough = (backups: readonly CatalogBackup[]) => backups.filter(isComplete).length >= RECENT;
  return (await readRecentCatalog(store, source, now, isEnough, signal)).backups;
}

/** A store without this backup says so; one that cannot be read leaves a question. */
function notChosen(store: Store, error: unknown): Finding {
  if (!(error instanceof Failure)) throw error;
  if (error.code === 'backup-not-found' || isUnreadable(error)) {
    const rule = isUnreadable(error) ? 'manifest-unreadable' : 'store-copy';
    return finding(rule, 'fail', error.message, { subject: store.location, ...(error.hint && { hint: error.hint }) });
  }
  return notReadable(store.location, error);
}

/** Most often a name was mistyped, or the store is another one: what is there tells which. */
async function noBackups(store: Store, source: string): Promise<Failure> {
  const sources = await listSources(store);
  const more = sources.length > 10 ? ', …' : '';
  const held = sources.length === 0 ? 'no backups at all' : `backups of ${sources.slice(0, 10).join(', ')}${more}`;
  return new Failure('backup-not-found', `${store.location} holds no backup of ${source}.`, {
    hint: `It holds ${held}. Check \`source\` and \`store\`, and that a backup was taken into this store.`,
  });
}

function noStore(): Failure {
  return new Failure('store-unavailable', 'None of the stores could be opened.', {
    hint: 'Check the URLs in `store`; the findings say what was wrong with each.',
  });
}

async function findCopies(
  stores: readonly Store[],
  best: Candidate,
  findings: Finding[],
  signal: AbortSignal | undefined,
): Promise<Pick<ChosenCopies, 'others' | 'holders'>> {
  const { backup, sha256 } = best.chosen;
  const others: Store[] = [];
  const holders: Store[] = [best.store];
  for (const store of stores.filter((one) => one !== best.store)) {
    const found = await readManifestOf(store, backup.source, backup.id, signal).catch((error: unknown) => error);
    if (found instanceof Error) {
      const isKnown = findings.some(({ subject }) => subject === store.location);
      if (!isKnown) findings.push(notThere(store, backup.id, found));
      if (isUnreadable(found)) holders.push(store);
    } else if (typeof found === 'object' && found !== null && 'sha256' in found) {
      holders.push(store);
      if (found.sha256 === sha256) others.push(store);
      else findings.push(otherManifest(store, backup.id));
    }
  }
  return { others, holders };
}

function notThere(store: Store, id: string, error: Error): Finding {
  if (error instanceof Failure && error.code === 'not-found') {
    return finding('store-copy', 'fail', `${store.location} holds no copy of ${id}.`, { subject: store.location });
  }
  return notChosen(store, error);
}

function otherManifest(store: Store, id: string): Finding {
  return finding('store-copy', 'fail', `The copy of ${id} has another manifest than the one that is drilled.`, {
    subject: store.location,
    hint: 'Manifests are written once: somebody replaced one of them. Compare both.',
  });
}
