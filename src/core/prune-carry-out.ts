import { activePin, type CatalogBackup, isComplete } from './catalog.ts';
import { counted } from './counted.ts';
import { Failure } from './failure.ts';
import { backupKey, IN_PROGRESS, REMOVING } from './keys.ts';
import { isFreshMark } from './leftovers.ts';
import type { Log, Store } from './ports.ts';
import type { StorePlan } from './prune-plan.ts';
import { type BatchOutcome, type Doomed, inBatches, removeBatch } from './removal.ts';
import { type Finding, finding } from './report.ts';
import { formatBytes } from './size.ts';

/** What became of a plan in one store. */
export interface CarriedOut {
  readonly removed: ReadonlySet<string>;
  /** Planned to go and still there, all or some of it, with the reason. */
  readonly stillThere: ReadonlyMap<string, string>;
  /** Of these, what is no backup any more. */
  readonly half: ReadonlySet<string>;
  readonly freedBytes: number;
  readonly findings: readonly Finding[];
}

interface Progress {
  readonly removed: Set<string>;
  readonly stillThere: Map<string, string>;
  readonly half: Set<string>;
  readonly unknown: Set<string>;
  freedBytes: number;
  /** A deletion failed, and nothing more was tried. */
  failure: Failure | undefined;
}

/** Removes what may go, oldest first. Nothing here decides; it only refuses when the store changed. */
export async function carryOut(store: Store, plan: StorePlan, now: Date, log: Log): Promise<CarriedOut> {
  const progress: Progress = {
    ...{ removed: new Set(), stillThere: new Map(), half: new Set(), unknown: new Set() },
    ...{ freedBytes: 0, failure: undefined },
  };
  for (const batch of inBatches(doomed(plan.goes, plan))) {
    if (progress.failure === undefined)
      note(progress, await removeBatch(store, batch, { keepsVersions: plan.keepsVersions, now }), plan, log);
    else for (const { planned } of batch) progress.stillThere.set(planned.id, 'not tried after a failure');
  }
  return { ...progress, findings: [judgeRemoval(plan, progress)] };
}

function doomed(backups: readonly CatalogBackup[], { hiddenKeys }: StorePlan): Doomed[] {
  return backups.map((planned) => ({ planned, hiddenKeys: hiddenKeys.get(planned.id) ?? [] }));
}

function note(progress: Progress, outcome: BatchOutcome, { source, location }: StorePlan, log: Log): void {
  for (const [id, bytes] of outcome.removed) {
    progress.removed.add(id);
    progress.freedBytes += bytes;
    log.info(`Removed ${source}/${id} from ${location}.`);
  }
  for (const [id, why] of outcome.left) progress.stillThere.set(id, why);
  for (const id of outcome.half) {
    progress.half.add(id);
    progress.stillThere.set(id, 'half removed: no backup any more, and the rest goes with the next prune');
  }
  for (const id of outcome.unknown) {
    progress.unknown.add(id);
    progress.stillThere.set(id, 'its deletion failed, and whether it is gone is not known');
  }
  progress.failure = outcome.failure;
}

function judgeRemoval({ location: subject, source, goes }: StorePlan, progress: Progress): Finding {
  const { removed, stillThere, freedBytes, failure } = progress;
  const numbers = { removed: removed.size, planned: goes.length, bytes: freedBytes };
  const done = `${source}: removed ${removed.size} of ${goes.length} backups, ${formatBytes(freedBytes)}`;
  if (failure !== undefined) {
    const message = `${done}. A deletion failed and ended it; ${describeRest(progress)}. ${failure.message}`;
    const permission = 'Check that this identity may delete objects, versions too.';
    const hint = `${failure.hint ?? permission} The next prune goes on from here.`;
    return finding('prune-removed', 'fail', message, { subject, numbers, hint });
  }
  if (stillThere.size === 0) return finding('prune-removed', 'pass', `${done}.`, { subject, numbers });
  const [id, why] = [...stillThere][0] ?? [];
  const message = `${done}; ${stillThere.size} were left for the next time (${id}: ${why}).`;
  return finding('prune-removed', 'warn', message, { subject, numbers });
}

function describeRest({ stillThere, half, unknown }: Progress): string {
  const are = (count: number, what: string) => `${counted(count, 'backup')} ${count === 1 ? 'is' : 'are'} ${what}`;
  const whole = stillThere.size - half.size - unknown.size;
  const rest = [
    ...(whole > 0 || half.size + unknown.size === 0 ? [are(whole, 'still there')] : []),
    ...(half.size > 0
      ? [`${are(half.size, 'half removed')}: no backup any more, and the rest goes with the next prune`]
      : []),
    ...(unknown.size > 0 ? [`of ${counted(unknown.size, 'backup')} it is not known whether they are gone`] : []),
  ];
  return rest.join('; ');
}

/** Removes unfinished backups, what interrupted removals left, and uploads nobody goes on with. */
export async function cleanUp(
  store: Store,
  plan: StorePlan,
  now: Date,
): Promise<{ freedBytes: number; finding: Finding | undefined }> {
  const folders = leftoverFolders(plan, now);
  const failures = await clearMarks(store, plan, now);
  let freedBytes = 0;
  for (const batch of inBatches(doomed(folders, plan))) {
    const { removed, left, half, unknown, failure } = await removeBatch(store, batch, {
      keepsVersions: plan.keepsVersions,
      now,
    });
    for (const bytes of removed.values()) freedBytes += bytes;
    for (const [id, why] of left) failures.push(`${id}: ${failure?.message ?? why}`);
    for (const id of [...half, ...unknown]) failures.push(`${id}: ${failure?.message}`);
  }
  for (const upload of plan.staleUploads) {
    await upload.abort().catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      failures.push(`${upload.key}: ${error.message}`);
    });
  }
  return { freedBytes, finding: judgeCleaning(plan, folders.length, failures, freedBytes) };
}

/**
 * Of a prune that was ended before it took a manifest, and of a run that was killed after it wrote one: that backup is
 * whole, and robbed of its manifest later it must not pass for something of ours that was never finished.
 */
async function clearMarks(store: Store, { plan }: StorePlan, now: Date): Promise<string[]> {
  const whole = [...plan.keep.keys()].map(({ backup }) => backup).filter(isComplete);
  const begun = whole.filter((one) => one.removingAt !== undefined).map((one) => markOf(one, REMOVING));
  const finished = whole.filter((one) => one.inProgressAt !== undefined && !isFreshMark(one, now));
  const keys = [...begun, ...finished.map((one) => markOf(one, IN_PROGRESS))];
  if (keys.length === 0) return [];
  const left = await store.remove(keys).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    return keys.map((key) => ({ key, reason: error.message }));
  });
  return left.map(({ key, reason }) => `${key}: ${reason}`);
}

function markOf({ source, id }: CatalogBackup, mark: string): string {
  return backupKey(source, id, mark);
}

/** A pin holds even what has lost its manifest. */
export function leftoverFolders({ leftovers }: Pick<StorePlan, 'leftovers'>, now: Date): CatalogBackup[] {
  return leftovers.abandoned.filter((folder) => activePin(folder, now) === undefined);
}

function judgeCleaning(
  { location: subject, source, staleUploads }: StorePlan,
  folders: number,
  failures: readonly string[],
  bytes: number,
): Finding | undefined {
  const found = folders + staleUploads.length;
  if (found === 0) return undefined;
  const numbers = { folders, uploads: staleUploads.length, bytes, failed: failures.length };
  const what = `${counted(folders, 'unfinished backup')} and ${counted(staleUploads.length, 'unfinished upload')}`;
  if (failures.length === 0) {
    return finding('prune-leftovers', 'pass', `${source}: removed ${what}, ${formatBytes(bytes)}.`, {
      subject,
      numbers,
    });
  }
  const message = `${source}: of ${what}, ${failures.length} could not be removed (${failures[0]}).`;
  return finding('prune-leftovers', 'warn', message, { subject, numbers, hint: 'The next prune tries again.' });
}
