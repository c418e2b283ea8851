import { hasWrongSize } from './backup-choice.ts';
import { type CatalogBackup, isComplete, isInFuture, readCatalog, usualScope } from './catalog.ts';
import { messageOf } from './failure.ts';
import { backupPrefix } from './keys.ts';
import { inLanes } from './lanes.ts';
import { isInProgress, isStale, type Leftovers, readHidden, sortLeftovers } from './leftovers.ts';
import { isUnreadable, readManifestOf } from './manifest-reading.ts';
import type { OpenUpload, Store } from './ports.ts';
import { proofOfCopy } from './proof.ts';
import { planRetention, type RetentionCandidate, type RetentionPlan, type RetentionPolicy } from './retention.ts';

const LANES = 8;
/** Drilled backups looked at in search of one proven here; beyond that it counts as unproven, and nothing goes. */
const MOST_DRILLED = 50;

export interface PruneCandidate extends RetentionCandidate {
  readonly backup: CatalogBackup;
}

/** One store's own plan. Nothing has been removed yet. */
export interface StorePlan {
  readonly location: string;
  readonly source: string;
  readonly plan: RetentionPlan<PruneCandidate>;
  /** What goes, oldest first: the plan's without what is locked. */
  readonly goes: readonly CatalogBackup[];
  /** Ids that would go and are locked; null: a legal hold. */
  readonly locked: ReadonlyMap<string, Date | null>;
  /** Why manifests could not be read. */
  readonly unreadable: ReadonlyMap<string, string>;
  readonly leftovers: Leftovers;
  readonly keepsVersions: boolean;
  readonly staleUploads: readonly OpenUpload[];
  /** Keys of older versions, by id: removed with what they belong to. */
  readonly hiddenKeys: ReadonlyMap<string, readonly string[]>;
}

/**
 * Plans one store from its own content.
 *
 * One full listing tells nearly everything. Manifests are read only where they can change the plan:
 * of backups that would go and of those kept in their place; drill records only of the newest proven
 * and of the disproven; all of it only when something would go.
 */
export async function planStore(
  store: Store,
  source: string,
  policy: RetentionPolicy,
  now: Date,
  signal?: AbortSignal,
): Promise<StorePlan> {
  const catalog = await readCatalog(store, source, signal ? { signal } : {});
  const uploads = await Array.fromAsync(store.openUploads(`${source}/`));
  const hidden = await readHidden(store, source, [`${source}/2`]);
  const keepsVersions = await store.keepsVersions();
  const facts = await gatherFacts(store, catalog, now, signal);
  const plan = await settlePlan(store, { catalog, uploads, facts, policy, now }, signal);
  const locked = await findLocks(store, [...plan.remove.keys()], now);
  return {
    location: store.location,
    source,
    plan,
    goes: [...plan.remove.keys()]
      .filter(({ id }) => !locked.has(id))
      .map(({ backup }) => backup)
      .toReversed(),
    locked,
    unreadable: facts.unreadable,
    leftovers: sortLeftovers(catalog, { uploads, hiddenIds: hidden.manifests, keepsVersions }, now),
    keepsVersions,
    staleUploads: uploads.filter((upload) => isStale(upload, now)),
    hiddenKeys: hidden.keys,
  };
}

/** What is known beyond the listing; grows while the plan settles. */
interface KnownFacts {
  readonly proofs: ReadonlyMap<string, 'proven' | 'disproven'>;
  readonly read: Set<string>;
  readonly unreadable: Map<string, string>;
  readonly wrongSize: Set<string>;
}

async function gatherFacts(
  store: Store,
  catalog: readonly CatalogBackup[],
  now: Date,
  signal?: AbortSignal,
): Promise<KnownFacts> {
  const proofs = await readProofs(store, catalog, now, signal);
  return { proofs, read: new Set(), unreadable: new Map(), wrongSize: new Set() };
}

/** Disproofs push backups out of the way of the rules, the newest proof protects; no other record matters. */
async function readProofs(
  store: Store,
  catalog: readonly CatalogBackup[],
  now: Date,
  signal?: AbortSignal,
): Promise<Map<string, 'proven' | 'disproven'>> {
  const proofs = new Map<string, 'proven' | 'disproven'>();
  const drilled = catalog.filter((backup) => isComplete(backup) && backup.drills.length > 0).toReversed();
  const isDoubted = (backup: CatalogBackup) => backup.drills.some(({ proof }) => proof === 'disproven');
  const learn = async (backup: CatalogBackup) => {
    const found = await proofOfCopy(store, backup, signal);
    if (found !== undefined) proofs.set(backup.id, found.proof);
    return found?.proof;
  };
  await inLanes(drilled.filter(isDoubted), LANES, async (backup) => void (await learn(backup)));
  const scope = usualScope(catalog);
  const counts = (backup: CatalogBackup) => backup.scope === scope && !isInFuture(backup, now);
  for (const backup of drilled.filter(counts).slice(0, MOST_DRILLED)) {
    const proof = isDoubted(backup) ? proofs.get(backup.id) : await learn(backup);
    if (proof === 'proven') break;
  }
  return proofs;
}

interface PlanInput {
  readonly catalog: readonly CatalogBackup[];
  readonly uploads: readonly OpenUpload[];
  readonly facts: KnownFacts;
  readonly policy: RetentionPolicy;
  readonly now: Date;
}

/** Plans, reads the manifests that this plan rests on, and plans again until none of them is a surprise. */
async function settlePlan(
  store: Store,
  input: PlanInput,
  signal?: AbortSignal,
): Promise<RetentionPlan<PruneCandidate>> {
  const complete = input.catalog.filter(isComplete);
  for (;;) {
    const candidates = complete.map((backup) => candidateOf(backup, input));
    const plan = planRetention(candidates, input.policy, input.now);
    const unread =
      plan.remove.size === 0
        ? []
        : [...plan.remove.keys(), ...plan.decisive].filter(({ id }) => !input.facts.read.has(id));
    if (unread.length === 0) return plan;
    await inLanes(unread, LANES, ({ backup }) => readInto(input.facts, store, backup, signal));
  }
}

function candidateOf(backup: CatalogBackup, { facts, uploads, now }: PlanInput): PruneCandidate {
  const { id, takenAt, scope, pins } = backup;
  return {
    backup,
    id,
    takenAt,
    scope,
    pins,
    proof: facts.proofs.get(id),
    readable: !facts.unreadable.has(id),
    soundSize: !facts.wrongSize.has(id),
    inProgress: isInProgress({ backup, uploads }, now),
  };
}

async function readInto(facts: KnownFacts, store: Store, backup: CatalogBackup, signal?: AbortSignal): Promise<void> {
  try {
    const { manifest } = await readManifestOf(store, backup.source, backup.id, signal, backup.manifestBytes);
    if (hasWrongSize(manifest)) facts.wrongSize.add(backup.id);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    facts.unreadable.set(backup.id, messageOf(error));
  }
  facts.read.add(backup.id);
}

/** A legal hold, or the last moment at which any object of the folder is still locked. */
async function findLocks(store: Store, goes: readonly PruneCandidate[], now: Date): Promise<Map<string, Date | null>> {
  const locked = new Map<string, Date | null>();
  await inLanes(goes, LANES, async ({ backup }) => {
    const until = await lockedUntil(store, backup, now);
    if (until !== undefined) locked.set(backup.id, until);
  });
  return locked;
}

/** Undefined: nothing of it is locked any more. */
export async function lockedUntil(
  store: Store,
  { source, id }: Pick<CatalogBackup, 'source' | 'id'>,
  now: Date,
): Promise<Date | null | undefined> {
  const locks = await store.locks(backupPrefix(source, id));
  if (locks.some(({ until }) => until === null)) return null;
  const ends = locks.map(({ until }) => until?.getTime() ?? 0).filter((end) => end > now.getTime());
  return ends.length === 0 ? undefined : new Date(ends.reduce((a, b) => Math.max(a, b)));
}
