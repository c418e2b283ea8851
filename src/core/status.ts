import { activePin, type CatalogBackup, isComplete, readCatalog } from './catalog.ts';
import { Failure } from './failure.ts';
import type { FreshnessLimits } from './freshness.ts';
import { overviewOf, type SourceOverview } from './freshness-overview.ts';
import type { JudgedSource } from './freshness-report.ts';
import type { Store } from './ports.ts';
import { speaksFor } from './proof.ts';
import { planStore } from './prune-plan.ts';
import { type Finding, type Verdict, worst } from './report.ts';
import type { RetentionPolicy } from './retention.ts';
import { describePolicy, type Going, type Outlook, outlookOf } from './retention-outlook.ts';
import { type Copies, type DrillReading, type Reading, readDrills, readDurations } from './status-readings.ts';

/** One restorable copy, as a page shows it. */
export interface RecoveryPoint {
  readonly id: string;
  readonly takenAt: Date;
  readonly bytes: number;
  readonly scope: string;
  /**
   * What the record of the last conclusive drill says of this very copy. `elsewhere`: all were of copies in other
   * stores; `unread`: there are records, and none of those that were read speaks of this copy.
   */
  readonly drill: 'proven' | 'disproven' | 'elsewhere' | 'unread' | 'none';
  /** Null: for ever; undefined: not pinned. */
  readonly pinnedUntil: Date | null | undefined;
  /** Why it stays at the next prune, or why it goes; undefined without keep rules. */
  readonly fate: { readonly going: Going; readonly reasons: readonly string[] } | undefined;
}

/** One source in one store. */
export interface StoreStatus {
  readonly location: string;
  /** Newest first. */
  readonly points: readonly RecoveryPoint[];
  /** How often backups come, as the look ahead took it; undefined without keep rules. */
  readonly outlook: Pick<Outlook, 'everyMs'> | undefined;
  /** With keep rules: nothing here is proven, and prune then removes nothing. */
  readonly isUnproven: boolean;
  /** Why the store could not be read to its end; nothing else is known then. */
  readonly problem: string | undefined;
}

/** All that the page says of one source. */
export interface SourceStatus {
  readonly overview: SourceOverview;
  readonly findings: readonly Finding[];
  readonly stores: readonly StoreStatus[];
  readonly durations: readonly Reading[];
  readonly drills: readonly DrillReading[];
  /** Records there are that were left out, or cannot be read. */
  readonly notRead: { readonly manifests: number; readonly drills: number };
}

export interface Status {
  readonly now: Date;
  readonly verdict: Verdict;
  /** Of no single source: the room in a store, a store that cannot be reached. */
  readonly findings: readonly Finding[];
  /** The worst first. */
  readonly sources: readonly SourceStatus[];
  /** The keep rules as they are typed; undefined when none were given. */
  readonly policy: string | undefined;
  readonly tool: { readonly name: string; readonly version: string };
}

export interface StatusRequest {
  readonly judged: readonly JudgedSource[];
  /** All of the report. */
  readonly findings: readonly Finding[];
  readonly limits: FreshnessLimits;
  readonly policy: RetentionPolicy | undefined;
  readonly now: Date;
  readonly tool: Status['tool'];
  readonly signal?: AbortSignal;
  /** Takes secrets out of texts that others wrote: the page leaves this machine. */
  readonly redact: (text: string) => string;
}

/** Records read in all, of manifests and of drills each: a hundred sources must not take a hundred times as long. */
const MOST_READ = 1_500;
const MOST_READ_OF_ONE = 60;
const FEWEST_READ_OF_ONE = 5;

/** Gathers what the page shows beyond what was judged: whole listings, times of backups and drills, what prune would do. */
export async function gatherStatus(stores: readonly Store[], request: StatusRequest): Promise<Status> {
  const { judged, findings, limits, now, policy, tool } = request;
  const bySource = new Map(judged.map((one) => [one.source, one]));
  const sources: SourceStatus[] = [];
  for (const overview of overviewOf(judged, limits, now)) {
    const one = bySource.get(overview.source);
    if (one !== undefined) sources.push(await sourceStatus(stores, overview, one.findings, request));
  }
  return {
    now,
    verdict: worst(findings),
    findings: withoutSecrets(
      findings.filter(({ source }) => source === undefined),
      request,
    ),
    sources,
    policy: policy && describePolicy(policy),
    tool,
  };
}

async function sourceStatus(
  stores: readonly Store[],
  overview: SourceOverview,
  findings: readonly Finding[],
  request: StatusRequest,
): Promise<SourceStatus> {
  const { signal, judged } = request;
  const looked = await Promise.all(stores.map((store) => lookInto(store, overview.source, request)));
  const copies = looked.map(({ copies }) => copies).filter((one) => one !== undefined);
  const fair = Math.floor(MOST_READ / judged.length);
  const most = Math.max(FEWEST_READ_OF_ONE, Math.min(MOST_READ_OF_ONE, fair));
  const durations = await readDurations(copies, most, signal);
  const drills = await readDrills(copies, most, signal);
  return {
    overview: withoutSecretsIn(overview, request),
    findings: withoutSecrets(findings, request),
    stores: looked.map((one) => storeStatus(one, drills.read, request)),
    durations: durations.read,
    drills: drills.read,
    notRead: { manifests: durations.notRead, drills: drills.notRead },
  };
}

interface LookedInto {
  readonly store: Store;
  readonly copies: Copies | undefined;
  readonly fates: ReadonlyMap<string, RecoveryPoint['fate']>;
  readonly outlook: Outlook | undefined;
  readonly isUnproven: boolean;
  readonly problem: string | undefined;
}

/** A store that cannot be read is no end of the page: the others are shown, and of this one why. */
async function lookInto(store: Store, source: string, request: StatusRequest): Promise<LookedInto> {
  const nothing = { store, copies: undefined, fates: new Map(), outlook: undefined, isUnproven: false };
  try {
    return request.policy === undefined
      ? { ...nothing, copies: { store, backups: await listComplete(store, source, request) }, problem: undefined }
      : await lookAhead(store, source, request.policy, request);
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'cancelled' || error.code === 'timed-out') throw error;
    return { ...nothing, problem: error.message };
  }
}

async function listComplete(store: Store, source: string, { signal }: StatusRequest): Promise<CatalogBackup[]> {
  return (await readCatalog(store, source, signal ? { signal } : {})).filter(isComplete);
}

async function lookAhead(
  store: Store,
  source: string,
  policy: RetentionPolicy,
  { now, signal }: StatusRequest,
): Promise<LookedInto> {
  const { plan, locked } = await planStore(store, source, policy, now, signal);
  const outlook = outlookOf(plan, policy, now, locked);
  const all = [...plan.keep, ...plan.remove];
  const fates = all.map(([{ id }, reasons]) => {
    const lock = locked.get(id);
    const why = lock === undefined ? reasons : [lock === null ? 'legal hold' : `locked until ${dayOf(lock)}`];
    return [id, { going: outlook.goingOf.get(id) ?? { when: 'unknown' }, reasons: why }] as const;
  });
  const backups = all.map(([{ backup }]) => backup).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const isUnproven = plan.newestProven === undefined;
  return { store, copies: { store, backups }, fates: new Map(fates), outlook, isUnproven, problem: undefined };
}

function storeStatus(looked: LookedInto, drills: readonly DrillReading[], request: StatusRequest): StoreStatus {
  const { store, copies, fates, outlook, isUnproven, problem } = looked;
  const points = (copies?.backups ?? []).map((backup) => ({
    id: backup.id,
    takenAt: backup.takenAt,
    bytes: backup.bytes,
    scope: backup.scope ?? 'unknown',
    drill: drillOf(backup, drills, store),
    pinnedUntil: activePin(backup, request.now)?.until,
    fate: fates.get(backup.id),
  }));
  return {
    location: request.redact(store.location),
    points: points.toReversed(),
    outlook,
    isUnproven,
    problem: problem && request.redact(problem),
  };
}

function drillOf(backup: CatalogBackup, drills: readonly DrillReading[], store: Store): RecoveryPoint['drill'] {
  const conclusive = drills.filter(({ backupId, mark }) => backupId === backup.id && mark.proof !== 'inconclusive');
  const own = conclusive.findLast(
    ({ mark, record }) => record !== undefined && speaksFor({ ...record, proof: mark.proof }, store),
  );
  if (own !== undefined) return own.mark.proof === 'proven' ? 'proven' : 'disproven';
  if (conclusive.length === 0) return 'none';
  return conclusive.every(({ record }) => record !== undefined) ? 'elsewhere' : 'unread';
}

function withoutSecrets(findings: readonly Finding[], { redact }: Pick<StatusRequest, 'redact'>): Finding[] {
  return findings.map((one) => ({
    ...one,
    message: redact(one.message),
    ...(one.hint !== undefined && { hint: redact(one.hint) }),
    ...(one.subject !== undefined && { subject: redact(one.subject) }),
  }));
}

function withoutSecretsIn(overview: SourceOverview, { redact }: Pick<StatusRequest, 'redact'>): SourceOverview {
  return { ...overview, nextAction: overview.nextAction && redact(overview.nextAction) };
}

/** `2026-11-21`, in UTC. */
export function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}
