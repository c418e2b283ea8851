import { z } from 'zod';
import { listSources } from '../core/catalog.ts';
import { counted } from '../core/counted.ts';
import { Failure } from '../core/failure.ts';
import { notReadable, withStores } from '../core/open-stores.ts';
import type { Store, World } from '../core/ports.ts';
import {
  type ArchivePolicy,
  announceArchive,
  archiveLines,
  archiveTable,
  carryOutArchive,
  planArchive,
  refuseClassless,
} from '../core/prune-archive.ts';
import { carryOut, cleanUp, leftoverFolders } from '../core/prune-carry-out.ts';
import { judgePlan } from '../core/prune-judgement.ts';
import { planStore, type StorePlan } from '../core/prune-plan.ts';
import { describePrune, type PrunedStore, planLines } from '../core/prune-report.ts';
import { type Finding, finding, type Report, report, type Table } from '../core/report.ts';
import type { RetentionPolicy } from '../core/retention.ts';
import { common } from '../github/inputs/every-action.ts';
import { keepRules, policyOf } from '../github/inputs/keep-rules.ts';
import { ofBackups } from '../github/inputs/of-backups.ts';
import { flag, parseInputs, type RawInputs, share, shared, text, timespan } from '../github/inputs.ts';

export const description =
  'Removes backups that no keep rule wants, never the newest, the newest proven, a pinned or an unreadable one, and says why.';

export const inputs = z.strictObject({
  ...common,
  source: shared.source,
  ...keepRules,
  'require-proven': flag('Remove nothing from a store that holds no backup proven by a drill.').prefault('true'),
  'max-delete': share(
    "Refuse a plan that removes ten backups or more and more than this share of a store's backups.",
    {},
    1,
  ).prefault('50%'),
  'archive-after': timespan(
    'Move the artifacts of kept backups older than this, e.g. `60d`, to `archive-class`; never those of the newest and the newest proven backup, never manifests, drills or pins. Buckets only.',
    {},
    1,
  ).optional(),
  'archive-class': text(
    'Storage class of the bucket for old backups, e.g. `STANDARD_IA`, `GLACIER_IR`, `GLACIER` or `DEEP_ARCHIVE`.',
  )
    .refine(
      (name) => /^[A-Z][A-Z0-9_]*$/.test(name) && name !== 'STANDARD',
      'Use the name of a class, e.g. `GLACIER_IR`.',
    )
    .optional(),
  'dry-run': ofBackups['dry-run'].prefault('false'),
});

export const outputs = {
  kept: 'JSON array of the ids that are still in a store.',
  removed: 'JSON array of the ids that were removed and are gone from every store given.',
  'kept-count': 'How many are kept.',
  'removed-count': 'How many were removed.',
  'freed-bytes': 'Bytes freed in all stores together, unfinished backups among them.',
} as const;

type Given = z.output<typeof inputs>;

/** Plans every store from its own content, judges the plans, carries out those that hold. */
export async function prune(raw: RawInputs, world: World): Promise<Report> {
  const given = parseInputs(inputs, raw);
  const policy = checkedPolicy(given);
  const archive = archivePolicy(given);
  return withStores(world, given.store, async ({ stores, findings }) => {
    const all = [...findings];
    const pruned: PrunedStore[] = [];
    const moved: Table[] = [];
    if (archive !== undefined) refuseClassless(stores);
    for (const store of stores) {
      try {
        const plan = await planStore(store, given.source, policy, world.now(), world.signal);
        await showPlan(plan, world);
        const { findings, ...one } = await pruneStore(store, plan, given, world);
        pruned.push(one);
        all.push(...findings);
        if (archive === undefined) continue;
        const archived = await archiveStore(store, plan, archive, given, world);
        all.push(archived.finding);
        moved.push(...archived.tables);
      } catch (error) {
        all.push(notReadable(store.location, error, `${given.source} was left alone: it`));
      }
    }
    if (findings.length === 0) all.push(...(await judgeSource(given.source, pruned, stores)));
    const details = describePrune(pruned, {
      dryRun: given['dry-run'],
      now: world.now(),
      isComplete: pruned.length === stores.length && findings.length === 0,
    });
    return report(`${given['dry-run'] ? 'Plan to prune' : 'Prune'} ${given.source}`, all, {
      ...details,
      tables: [...details.tables, ...moved],
      sources: [given.source],
    });
  });
}

/** A name that no store knows is most often mistyped: a green run would hide that nothing is ever pruned. */
async function judgeSource(
  source: string,
  pruned: readonly PrunedStore[],
  stores: readonly Store[],
): Promise<Finding[]> {
  const isEmpty = ({ plan: { plan } }: PrunedStore) => plan.keep.size + plan.remove.size === 0;
  if (pruned.length < stores.length || !pruned.every(isEmpty)) return [];
  const names = new Set((await Promise.all(stores.map((store) => listSources(store)))).flat());
  names.delete(source);
  const held = names.size === 0 ? 'no other source' : `backups of ${[...names].toSorted().slice(0, 10).join(', ')}`;
  const hint = `There is ${held}. Check \`source\` and \`store\`: they must be those of the backup job.`;
  return [finding('backup-missing', 'fail', `${source}: none of the stores holds a backup of it.`, { hint })];
}

async function showPlan(plan: StorePlan, { log }: World): Promise<void> {
  await log.group(`Plan for ${plan.source} in ${plan.location}`, async () => {
    for (const line of planLines(plan)) log.info(line);
  });
}

async function pruneStore(
  store: Store,
  plan: StorePlan,
  given: Given,
  world: World,
): Promise<PrunedStore & { findings: Finding[] }> {
  const limits = { requireProven: given['require-proven'], maxDelete: given['max-delete'], dryRun: given['dry-run'] };
  const { findings, mayRemove, mayClean } = judgePlan(plan, limits);
  if (given['dry-run']) {
    const announced = [...findings, ...announceCleaning(plan, world.now())];
    return { plan, mayRemove, done: undefined, cleanedBytes: 0, findings: announced };
  }
  const done = mayRemove && plan.goes.length > 0 ? await carryOut(store, plan, world.now(), world.log) : undefined;
  const cleaned = mayClean ? await cleanUp(store, plan, world.now()) : undefined;
  const after = [...(done?.findings ?? []), ...(cleaned?.finding ? [cleaned.finding] : [])];
  return { plan, mayRemove, done, cleanedBytes: cleaned?.freedBytes ?? 0, findings: [...findings, ...after] };
}

/** What leaves is gone by now; what stays and is old moves. */
async function archiveStore(store: Store, plan: StorePlan, policy: ArchivePolicy, given: Given, world: World) {
  const { log, signal } = world;
  const archive = await planArchive(store, plan, policy, world.now());
  const dryRun = given['dry-run'];
  for (const line of archiveLines(archive)) log.info(line);
  const finding = dryRun
    ? announceArchive(plan.source, store.location, archive)
    : await carryOutArchive(store, plan.source, archive, log, signal);
  return { finding, tables: archiveTable(plan.source, store.location, archive, dryRun) };
}

function archivePolicy(given: Given): ArchivePolicy | undefined {
  const { 'archive-after': afterMs, 'archive-class': storageClass } = given;
  if (afterMs !== undefined && storageClass !== undefined) return { afterMs, storageClass };
  if (afterMs === undefined && storageClass === undefined) return undefined;
  throw new Failure('invalid-input', '`archive-after` and `archive-class` belong together, and one is missing.', {
    hint: 'Give both, e.g. `archive-after: 60d` and `archive-class: GLACIER_IR`, or none.',
  });
}

function announceCleaning(plan: StorePlan, now: Date): Finding[] {
  const [folders, uploads] = [leftoverFolders(plan, now).length, plan.staleUploads.length];
  if (folders + uploads === 0) return [];
  const message = `${plan.source}: ${counted(folders, 'unfinished backup')} and ${counted(uploads, 'unfinished upload')} would be removed.`;
  return [finding('prune-leftovers', 'pass', message, { subject: plan.location, numbers: { folders, uploads } })];
}

function checkedPolicy(given: Given): RetentionPolicy {
  const policy = policyOf(given);
  if (policy !== undefined) return policy;
  throw new Failure('invalid-input', 'No keep rule was given: every backup but the newest would go.', {
    hint: 'Set at least one of `keep-last`, `keep-daily`, `keep-weekly`, `keep-monthly`, `keep-within`, …',
  });
}
