import { conclusiveDrill, isComplete } from './catalog.ts';
import { countSamples } from './copy-metrics.ts';
import { formatDuration } from './duration.ts';
import { type Sample, samplesOf } from './metrics.ts';
import type { CarriedOut } from './prune-carry-out.ts';
import type { PruneCandidate, StorePlan } from './prune-plan.ts';
import type { Report, Table, Trend } from './report.ts';
import { formatBytes } from './size.ts';
import { sizeTrend } from './size-trend.ts';

export interface PrunedStore {
  readonly plan: StorePlan;
  /** Whether the plan was judged fit to be carried out. */
  readonly mayRemove: boolean;
  /** Undefined when nothing was done: a dry run, or a plan that was refused. */
  readonly done: CarriedOut | undefined;
  /** Of leftovers. */
  readonly cleanedBytes: number;
}

export interface PruneReportOptions {
  readonly dryRun: boolean;
  readonly now: Date;
  /** Whether every store given is among those described: what was not looked at may still hold everything. */
  readonly isComplete: boolean;
}

/** Longer plans are folded away. */
const LONG = 30;

/** Headline, plans, curves and outputs of what was planned and done. */
export function describePrune(
  stores: readonly PrunedStore[],
  options: PruneReportOptions,
): Pick<Report, 'headline' | 'tables' | 'trends' | 'outputs' | 'metrics'> {
  const left = new Set(stores.flatMap((store) => idsLeft(store)));
  const kept = new Set(stores.flatMap((store) => idsLeft(store).filter((id) => !store.done?.half.has(id))));
  const anywhere = new Set(stores.flatMap(({ done }) => [...(done?.removed ?? [])]));
  const removed = options.isComplete ? [...anywhere].filter((id) => !left.has(id)) : [];
  const freedBytes = stores.reduce((sum, { done, cleanedBytes }) => sum + (done?.freedBytes ?? 0) + cleanedBytes, 0);
  const planned = stores.flatMap((store) => removable(store));
  return {
    headline: options.dryRun
      ? [
          { name: 'Dry run', value: 'nothing was removed' },
          { name: 'Would remove', value: String(new Set(planned.map(({ id }) => id)).size) },
          { name: 'Would free', value: formatBytes(planned.reduce((sum, { totalBytes }) => sum + totalBytes, 0)) },
          { name: 'Would keep', value: String(new Set(stores.flatMap((store) => idsKept(store))).size) },
        ]
      : [
          { name: 'Removed', value: String(anywhere.size) },
          { name: 'Freed', value: formatBytes(freedBytes) },
          { name: 'Kept', value: String(kept.size) },
        ],
    tables: stores.map((store) => planTable(store, options)),
    trends: stores.flatMap((store) => keptTrend(store, options)),
    outputs: {
      kept: JSON.stringify([...kept].toSorted()),
      removed: JSON.stringify(removed.toSorted()),
      'kept-count': String(kept.size),
      'removed-count': String(removed.length),
      'freed-bytes': String(freedBytes),
    },
    metrics: stores.flatMap((store) => samplesOfStore(store, options)),
  };
}

/** The plan as lines of a log, written before it is carried out. */
export function planLines({ plan, goes }: StorePlan): string[] {
  const going = new Set(goes.map(({ id }) => id));
  return [...plan.keep, ...plan.remove]
    .toSorted(([a], [b]) => (a.id < b.id ? 1 : -1))
    .map(([{ id }, reasons]) => `${going.has(id) ? 'remove' : 'keep'} ${id}: ${reasons.join('; ')}`);
}

function idsLeft({ plan, done }: PrunedStore): string[] {
  return [...plan.plan.keep.keys(), ...plan.plan.remove.keys()]
    .map(({ id }) => id)
    .filter((id) => !done?.removed.has(id));
}

function samplesOfStore(store: PrunedStore, { now, dryRun }: PruneReportOptions): Sample[] {
  const { plan, source, location } = store.plan;
  const removed = store.done?.removed ?? new Set<string>();
  const left = [...plan.keep.keys(), ...plan.remove.keys()]
    .map(({ backup }) => backup)
    .filter((backup) => isComplete(backup) && !removed.has(backup.id));
  const copy = { source, store: location };
  return [
    ...countSamples(
      copy,
      left.map(({ takenAt }) => takenAt),
      now,
    ),
    ...samplesOf(copy, {
      lifeboat_backups_stored_bytes: left.reduce((sum, { totalBytes }) => sum + totalBytes, 0),
      lifeboat_prune_removed_backups: dryRun ? undefined : removed.size,
      lifeboat_prune_freed_bytes: dryRun ? undefined : (store.done?.freedBytes ?? 0) + store.cleanedBytes,
    }),
  ];
}

/** What a real run would remove. */
function removable({ plan, mayRemove }: PrunedStore): StorePlan['goes'] {
  return mayRemove ? plan.goes : [];
}

function idsKept(store: PrunedStore): string[] {
  const { plan } = store.plan;
  const gone = new Set(removable(store).map(({ id }) => id));
  return [...plan.keep.keys(), ...plan.remove.keys()].map(({ id }) => id).filter((id) => !gone.has(id));
}

/** Of what is kept, so that one sees what the rules leave; of a dry run, of what would be. */
function keptTrend(store: PrunedStore, { dryRun }: PruneReportOptions): Trend[] {
  const { plan, source, location } = store.plan;
  const ids = new Set(dryRun ? idsKept(store) : idsLeft(store));
  const kept = [...plan.keep.keys(), ...plan.remove.keys()]
    .filter(({ id }) => ids.has(id))
    .map(({ backup }) => backup)
    .toSorted((one, other) => (one.id < other.id ? -1 : 1));
  return kept.length < 2 ? [] : [sizeTrend(`Size of the kept backups of ${source} in ${location}`, kept)];
}

/** Every backup with its reason, newest first. */
function planTable(store: PrunedStore, { now, dryRun }: PruneReportOptions): Table {
  const { plan, source, location } = store.plan;
  const all = [...plan.keep, ...plan.remove].toSorted(([a], [b]) => (a.id < b.id ? 1 : -1));
  const going = new Set(store.plan.goes.map(({ id }) => id));
  return {
    title: `${dryRun ? 'Plan' : 'Outcome'} for ${source} in ${location}`,
    columns: [
      { name: 'Backup' },
      { name: 'Age', numeric: true },
      { name: 'Size', numeric: true },
      { name: 'Proof' },
      { name: dryRun ? 'Decision' : 'Outcome' },
      { name: 'Why' },
    ],
    rows: all.map(([candidate, reasons]) => [
      candidate.id,
      formatDuration(now.getTime() - candidate.takenAt.getTime()),
      formatBytes(candidate.backup.totalBytes),
      // Records are read where they decide; of the others their names tell.
      candidate.proof ?? conclusiveDrill(candidate.backup)?.proof ?? '–',
      ...outcomeOf(candidate, reasons, store, { isGoing: going.has(candidate.id), dryRun }),
    ]),
    folded: all.length > LONG,
  };
}

function outcomeOf(
  { id }: PruneCandidate,
  reasons: readonly string[],
  { plan, done, mayRemove }: PrunedStore,
  { isGoing, dryRun }: { isGoing: boolean; dryRun: boolean },
): [decision: string, why: string] {
  const lock = plan.locked.get(id);
  if (lock !== undefined)
    return ['keep', lock === null ? 'legal hold' : `locked until ${lock.toISOString().replace('.000Z', 'Z')}`];
  if (!isGoing) return [dryRun ? 'keep' : 'kept', reasons.join('; ')];
  if (dryRun && !mayRemove) return ['keep', `the plan would be refused; else removed: ${reasons.join('; ')}`];
  if (dryRun) return ['remove', reasons.join('; ')];
  if (done?.removed.has(id)) return ['removed', reasons.join('; ')];
  const why = done?.stillThere.get(id) ?? 'the plan was not carried out';
  return [done?.half.has(id) ? 'half removed' : 'still there', why];
}
