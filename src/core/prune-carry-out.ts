import { activePin, type CatalogBackup } from './catalog.ts';
import { counted } from './counted.ts';
import { Failure } from './failure.ts';
import { inLanes } from './lanes.ts';
import type { Log, Store } from './ports.ts';
import type { StorePlan } from './prune-plan.ts';
import { removeFolder } from './removal.ts';
import { type Finding, finding } from './report.ts';
import { formatBytes } from './size.ts';

/** Few at a time: a deletion that fails stops the store, and what is under way then still ends. */
const LANES = 4;

/** What became of a plan in one store. */
export interface CarriedOut {
  readonly removed: ReadonlySet<string>;
  /** Planned to go and still there, with the reason. */
  readonly stillThere: ReadonlyMap<string, string>;
  readonly freedBytes: number;
  readonly findings: readonly Finding[];
}

/** Removes what may go, oldest first. Nothing here decides; it only refuses when the store changed. */
export async function carryOut(store: Store, plan: StorePlan, now: Date, log: Log): Promise<CarriedOut> {
  const state = { removed: new Set<string>(), stillThere: new Map<string, string>(), freedBytes: 0, stopped: '' };
  await inLanes(plan.goes, LANES, async (backup) => {
    if (state.stopped !== '') return void state.stillThere.set(backup.id, 'not tried after a failure');
    const result = await tryRemove(store, backup, plan, now);
    if (result.outcome === 'removed') {
      state.removed.add(backup.id);
      state.freedBytes += result.freedBytes;
      log.info(`Removed ${backup.source}/${backup.id} from ${plan.location}.`);
      return;
    }
    state.stillThere.set(backup.id, result.why);
    if (result.outcome === 'failed') state.stopped = result.why;
  });
  return { ...state, findings: [judgeRemoval(plan, state)] };
}

async function tryRemove(store: Store, backup: CatalogBackup, plan: StorePlan, now: Date) {
  try {
    const { keepsVersions } = plan;
    const hiddenKeys = plan.hiddenKeys.get(backup.id) ?? [];
    return await removeFolder(store, backup, { hiddenKeys, keepsVersions }, now);
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'cancelled' || error.code === 'timed-out') throw error;
    return { outcome: 'failed', why: error.message } as const;
  }
}

function judgeRemoval(
  { location: subject, source, goes }: StorePlan,
  state: Pick<CarriedOut, 'removed' | 'stillThere' | 'freedBytes'> & { stopped: string },
): Finding {
  const numbers = { removed: state.removed.size, planned: goes.length, bytes: state.freedBytes };
  const done = `${source}: removed ${state.removed.size} of ${goes.length} backups, ${formatBytes(state.freedBytes)}`;
  if (state.stopped !== '') {
    const message = `${done}. A deletion failed and ended it; ${state.stillThere.size} backups are still there. ${state.stopped}`;
    const hint = 'Check that this identity may delete objects, versions too; the next prune goes on from here.';
    return finding('prune-removed', 'fail', message, { subject, numbers, hint });
  }
  if (state.stillThere.size === 0) return finding('prune-removed', 'pass', `${done}.`, { subject, numbers });
  const [id, why] = [...state.stillThere][0] ?? [];
  const message = `${done}; ${state.stillThere.size} were left for the next time (${id}: ${why}).`;
  return finding('prune-removed', 'warn', message, { subject, numbers });
}

/** Removes unfinished backups, what interrupted removals left, and uploads nobody goes on with. */
export async function cleanUp(
  store: Store,
  plan: StorePlan,
  now: Date,
): Promise<{ freedBytes: number; finding: Finding | undefined }> {
  const folders = leftoverFolders(plan, now);
  const failures: string[] = [];
  let freedBytes = 0;
  for (const folder of folders) {
    const result = await tryRemove(store, folder, plan, now);
    if (result.outcome === 'removed') freedBytes += result.freedBytes;
    else failures.push(`${folder.id}: ${result.why}`);
  }
  for (const upload of plan.staleUploads) {
    await upload.abort().catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      failures.push(`${upload.key}: ${error.message}`);
    });
  }
  return { freedBytes, finding: judgeCleaning(plan, folders.length, failures, freedBytes) };
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
