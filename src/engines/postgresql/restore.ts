import type { Readable } from 'node:stream';
import type { Facts } from '../../core/facts.ts';
import { Failure } from '../../core/failure.ts';
import { inLanes } from '../../core/lanes.ts';
import type { Artifact, Manifest } from '../../core/manifest.ts';
import type { Log, RestoredPart } from '../../core/ports.ts';
import { type Finding, finding } from '../../core/report.ts';
import { feed, startPipeline } from '../../sys/process.ts';
import { unzstdCommand } from '../../sys/zstd.ts';
import { type ArchiveEntry, extensionsIn, parseArchiveList, readHead } from './archive-list.ts';
import type { Client } from './programs.ts';
import { explainRestore, explainStep, type Where } from './restore-failure.ts';
import { danglingKeys, type ListedStep, restoreListed } from './restore-keys.ts';
import { planPhases } from './restore-plan.ts';
import { mayBeSpooled, restoreArguments, restoreSpooled } from './restore-spooled.ts';
import { describeSubscriptions } from './restore-subscriptions.ts';
import { refuseForeignOwners } from './scratch-role.ts';
import type { Session } from './session.ts';
import { missingExtensions } from './target-words.ts';

/** Gives the decrypted, still compressed bytes of one artifact. */
export type OpenArtifact = (artifact: Artifact) => Promise<Readable>;

/** An empty database, and the backup that is restored into it. */
export interface RestoreTarget {
  readonly client: Client;
  /** Connected to another database of the same server. */
  readonly session: Session;
  readonly database: string;
  readonly manifest: Manifest;
  readonly facts: Facts | undefined;
  /** The server was configured by us, with room for the locks of one large transaction. */
  readonly tuned: boolean;
  /** Whose server it is, for what is said of it; undefined: told by `tuned`. */
  readonly place?: Where;
  /** Undefined: all. */
  readonly part?: RestoredPart;
  /** Undefined: owners and grants as they were. */
  readonly ownership?: { readonly owner: boolean; readonly role?: string };
  /** Streams at a time. */
  readonly jobs: number;
  /** For the lists that pg_restore reads; a folder of ours. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Restores the archives of a backup into an empty database.
 *
 * @returns what was left out, and why
 * @throws {Failure} `restore-failed` naming the object, `scratch-failed` when an extension is missing
 *                   or the server died, `disk-full`, or what the stored bytes errored with
 */
export async function restoreArchives(target: RestoreTarget, open: OpenArtifact): Promise<Finding[]> {
  const phases = planPhases(target.manifest, target.part);
  const lists = await readLists(
    target,
    phases.flat().map(({ artifact }) => artifact),
    open,
  );
  const all = [...lists.values()].flat();
  const leftOut: string[] = [];
  for (const phase of phases) {
    const steps = phase.map((step) => ({ ...step, entries: lists.get(step.artifact) ?? [], isPartial: false, all }));
    leftOut.push(...(await runPhase(target, steps, open)));
  }
  return [
    ...(leftOut.length === 0 ? [] : [describeLeftOut(leftOut)]),
    ...(placeOf(target) === 'target' ? await describeSubscriptions(target, lists, open) : []),
  ];
}

/**
 * What the archives hold, each read as far as its list.
 *
 * @throws {Failure} when this server cannot take it: extensions that are missing, owners that are not ours
 */
export async function readLists(
  target: RestoreTarget,
  artifacts: readonly Artifact[],
  open: OpenArtifact,
): Promise<ReadonlyMap<Artifact, ArchiveEntry[]>> {
  const lists = new Map<Artifact, ArchiveEntry[]>();
  await inLanes([...new Set(artifacts)], target.jobs, async (artifact) => {
    lists.set(artifact, await readList(target, artifact, open));
  });
  const all = [...lists.values()].flat();
  await refuseMissingExtensions(target, all);
  if (target.ownership?.owner !== false) await refuseForeignOwners(target.session, all, placeOf(target));
  return lists;
}

/**
 * Runs steps that do not wait for each other; the first one that fails ends the others.
 *
 * @returns foreign keys that were left out
 */
export async function runPhase(
  target: RestoreTarget,
  steps: readonly ListedStep[],
  open: OpenArtifact,
): Promise<string[]> {
  const failed = new AbortController();
  const signal = AbortSignal.any([target.signal, failed.signal]);
  const leftOut: string[] = [];
  await inLanes(steps, target.jobs, async (step) => {
    try {
      leftOut.push(...(await runStep({ ...target, signal }, step, open)));
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  return leftOut;
}

function describeLeftOut(keys: readonly string[]): Finding {
  const shown = `${keys.slice(0, 10).join(', ')}${keys.length > 10 ? ', …' : ''}`;
  const message = `${keys.length} foreign keys into tables whose rows this backup does not hold were left out: ${shown}.`;
  return finding('left-out', 'pass', message, { numbers: { foreignKeys: keys.length } });
}

async function readList(target: RestoreTarget, artifact: Artifact, open: OpenArtifact): Promise<ArchiveEntry[]> {
  const commands = [unzstdCommand(target.env), target.client.command('pg_restore', ['-l'], { LC_ALL: 'C' })];
  const list = await readHead(commands, await open(artifact), target.signal).catch((error: unknown) => {
    throw explainRestore(error, artifact.key, placeOf(target));
  });
  return parseArchiveList(list);
}

async function runStep(target: RestoreTarget, step: ListedStep, open: OpenArtifact): Promise<string[]> {
  try {
    const keys = await danglingKeys(target, step, open);
    const gone = new Set(keys.map(({ id }) => id));
    const entries = step.entries.filter(({ id }) => !gone.has(id));
    const restore = mayBeSpooled(target, step) ? restoreSpooled : restoreStreamed;
    await restore(target, { ...step, entries, isPartial: step.isPartial || keys.length > 0 }, open);
    return keys.map(({ constraint, references }) => `${constraint} (into ${references})`);
  } catch (error) {
    throw await explainStep(error, step.artifact.key, target.session, placeOf(target));
  }
}

/** A server that we did not configure is not ours. */
function placeOf({ tuned, place }: RestoreTarget): Where {
  return place ?? (tuned ? 'own' : 'elsewhere');
}

async function restoreStreamed(target: RestoreTarget, step: ListedStep, open: OpenArtifact): Promise<void> {
  const { artifact, sections, entries, isPartial } = step;
  const what = sections.map((section) => `--section=${section}`);
  if (fitsOneTransaction(target, entries)) what.push('--single-transaction');
  const args = restoreArguments(target, what);
  const restore = isPartial
    ? await restoreListed(target, { name: `${artifact.sha256}.list`, entries }, args)
    : [target.client.command('pg_restore', args, { LC_ALL: 'C' })];
  const stored = await open(artifact);
  const pipe = startPipeline([unzstdCommand(target.env), ...restore], 'pipe', target.signal);
  await feedWhole(pipe, stored, sections.length > 0, target.signal);
}

/**
 * As `feed`, for a reader that may have enough before the end (definitions stand at the head): then
 * the rest is read all the same, since only the end tells that the stored bytes are what they were.
 */
async function feedWhole(
  pipe: ReturnType<typeof startPipeline>,
  stored: Readable,
  mayStop: boolean,
  signal: AbortSignal,
): Promise<void> {
  if (!mayStop) return feed(pipe, stored);
  const reader = pipe.programs.at(-1);
  pipe.stdin?.on('error', () => {}); // the reader had enough
  pipe.stdout.resume();
  for await (const chunk of stored) {
    signal.throwIfAborted();
    if (pipe.stdin?.writable && !pipe.stdin.write(chunk)) await drained(pipe.stdin);
  }
  pipe.stdin?.end();
  const exit = await reader?.exit;
  if (exit?.code !== 0) await pipe.done;
}

function drained(stdin: NonNullable<ReturnType<typeof startPipeline>['stdin']>): Promise<void> {
  return new Promise((resolve) => {
    if (!stdin.writable) return resolve();
    stdin.once('drain', resolve);
    stdin.once('close', resolve);
    stdin.once('error', () => resolve());
  });
}

/** Objects that a server which was not configured for it can lock at once. */
const DEFAULT_LOCKS = 1_000;
/** Each is locked by itself until the end; nothing says how many there are before the list is read. */
const MOST_LARGE_OBJECTS = 2_000;

/** Rows are then written without WAL, a quarter faster; but every object stays locked to the end. */
function fitsOneTransaction({ tuned, facts }: RestoreTarget, entries: readonly ArchiveEntry[]): boolean {
  const blobs = entries.filter(({ what }) => what.startsWith('BLOB')).length;
  if (Math.max(blobs, facts?.largeObjects?.count ?? 0) > MOST_LARGE_OBJECTS) return false;
  return tuned || entries.length <= DEFAULT_LOCKS;
}

/** Before the restore starts: an hour later it would end at the first CREATE EXTENSION. */
async function refuseMissingExtensions(target: RestoreTarget, entries: readonly ArchiveEntry[]): Promise<void> {
  const wanted = new Set([...extensionsIn(entries), ...(target.facts?.extensions.map(({ name }) => name) ?? [])]);
  const there = await target.session.query<{ name: string }>('SELECT name FROM pg_catalog.pg_available_extensions');
  const missing = [...wanted].filter((name) => !there.some((one) => one.name === name));
  if (missing.length === 0) return;
  if (placeOf(target) === 'target') throw missingExtensions(missing);
  const { major } = target.manifest.server;
  const verb = missing.length === 1 ? 'extension is' : 'extensions are';
  throw new Failure(
    'scratch-failed',
    `The backup needs what is not installed on the scratch server: the ${verb} ${missing.join(', ')}.`,
    {
      hint: `Install on this runner the packages the source's server has (Debian: postgresql-contrib for those of PostgreSQL itself, postgresql-${major}-<extension>, e.g. postgresql-${major}-postgis-3). One that must be preloaded also needs \`scratch-settings: shared_preload_libraries = '…'\`.`,
    },
  );
}
