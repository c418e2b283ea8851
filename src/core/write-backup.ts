import { Readable } from 'node:stream';
import { reportProgress } from './backup-progress.ts';
import { backupStores, describeLoss } from './backup-stores.ts';
import type { Facts } from './facts.ts';
import { Failure } from './failure.ts';
import { backupKey, backupPrefix, IN_PROGRESS, MANIFEST, makeId, whereIs } from './keys.ts';
import { makeManifest, wholeSeconds } from './make-manifest.ts';
import { type Artifact, type Manifest, writeManifest } from './manifest.ts';
import { sha256Of } from './manifest-reading.ts';
import type { Snapshot, Store, World } from './ports.ts';
import { pinKey } from './record-keys.ts';
import { type Finding, finding } from './report.ts';
import { unlessStalled } from './stalled-store.ts';
import type { StoredArtifact } from './store-artifact.ts';
import { type StreamWriting, writeArtifact, writeStreams } from './write-streams.ts';

export interface BackupPlan {
  readonly source: string;
  /** In the order given; the first is where a drill looks first. */
  readonly stores: readonly Store[];
  readonly scope: Manifest['scope'];
  readonly compressionLevel: number;
  /** Streams written at a time. */
  readonly jobs: number;
  /** Empty: not encrypted. */
  readonly recipients: readonly string[];
  readonly content: { tables?: string[]; excludeTables?: string[]; excludeTableData?: string[] };
  readonly labels: Readonly<Record<string, string>>;
  /** `until` null: for ever. */
  readonly pin: { reason: string; until: Date | null } | undefined;
  readonly stallMs: number;
  /** Judges the backup from its own numbers, before the manifest is written. */
  readonly judge: (made: { bytes: number; snapshot: Snapshot }) => readonly Finding[];
}

export interface WrittenBackup {
  readonly id: string;
  readonly manifest: Manifest;
  readonly manifestSha256: string;
  /** Stores that hold the whole backup. */
  readonly stores: readonly Store[];
  readonly failed: ReadonlyMap<Store, unknown>;
  readonly facts: Facts | undefined;
  readonly findings: readonly Finding[];
}

/** One backup on its way into the stores. */
interface Writing extends StreamWriting {
  readonly plan: BackupPlan;
  readonly startedAt: Date;
}

/**
 * Writes a backup into every store: in-progress mark, artifacts, and last the manifest, before which
 * each artifact is looked up again. A store that fails is dropped and cleaned; the others keep theirs.
 *
 * @throws the dump's failure, or the first store's when none is left; then no manifest exists anywhere
 *         and what was written is removed as far as the stores allow
 */
export async function writeBackup(snapshot: Snapshot, plan: BackupPlan, world: World): Promise<WrittenBackup> {
  const broken = new AbortController();
  const writing = begin(snapshot, plan, world, broken.signal);
  const stopProgress = new AbortController();
  const { stores } = writing;
  const [key, mark] = [backupKey(plan.source, writing.id, IN_PROGRESS), markOf(writing)];
  const ticking = reportProgress(writing.progress, world, stopProgress.signal, () => stores.renewText(key, mark));
  const stopTicking = async () => {
    stopProgress.abort();
    await ticking;
  };
  try {
    await stores.putText(key, mark);
    const { facts, findings } = await writeArtifacts(writing, broken);
    await confirmArtifacts(writing);
    return await writeMarker(writing, facts, findings);
  } catch (error) {
    // First, or a renewal under way could leave a mark behind.
    await stopTicking();
    await stores.discardAll();
    throw error;
  } finally {
    await stopTicking();
  }
}

function begin(snapshot: Snapshot, plan: BackupPlan, world: World, broken: AbortSignal): Writing {
  const startedAt = world.now();
  const id = makeId(snapshot.takenAt, world.randomHex(3));
  const signal = AbortSignal.any([world.signal, broken]);
  return {
    id,
    plan,
    world,
    snapshot,
    startedAt,
    signal,
    stores: backupStores(plan.stores, {
      prefix: backupPrefix(plan.source, id),
      signal,
      sleep: world.sleep,
      log: world.log,
    }),
    artifacts: [],
    progress: { startedAt, doing: 'begin', parts: [] },
  };
}

function markOf({ id, plan, world, startedAt }: Writing): string {
  const record = {
    format: 1,
    id,
    source: plan.source,
    startedAt: wholeSeconds(startedAt),
    ...world.process,
    run: world.run,
  };
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

async function writeArtifacts(writing: Writing, broken: AbortController) {
  const reading = writing.snapshot.readFacts();
  reading.catch((error: unknown) => broken.abort(error));
  await writeStreams(writing, broken);
  writing.progress.doing = 'facts';
  const { facts, findings } = await writing.snapshot.finish(await reading);
  if (facts !== undefined) await writeFacts(writing, facts);
  return { facts, findings };
}

async function writeFacts(writing: Writing, facts: Facts): Promise<void> {
  const text = JSON.stringify(facts);
  const compressed = writing.world.compression.compress(
    Readable.from([Buffer.from(text)]),
    writing.plan.compressionLevel,
  );
  const bytes = Buffer.byteLength(text);
  const kind = { role: 'facts', name: 'facts.json', format: 'json', estimatedBytes: bytes } as const;
  writing.artifacts.push(await writeArtifact(writing, kind, { compressed, plainBytes: () => bytes }));
}

/** Every artifact is looked up again in every store: what is not there as it was stored makes no backup. */
async function confirmArtifacts(writing: Writing): Promise<void> {
  writing.progress.doing = 'confirm';
  for (const store of [...writing.stores.live]) {
    try {
      for (const { artifact, stored } of writing.artifacts) await confirm(writing, store, artifact, stored);
    } catch (error) {
      await writing.stores.drop(store, error);
    }
  }
  writing.stores.refuseNone();
}

async function confirm(
  { plan, id, world }: Writing,
  store: Store,
  artifact: Artifact,
  stored: StoredArtifact,
): Promise<void> {
  const key = backupKey(plan.source, id, artifact.key);
  const state = await unlessStalled(store, world.sleep, () => store.head(key));
  const copy = stored.copies.get(store);
  if (state !== undefined && copy !== undefined && state.bytes === artifact.bytes && state.tag === copy.tag) return;
  const found = state === undefined ? 'it is not there' : `it holds ${state.bytes} bytes, tag ${state.tag}`;
  throw new Failure('artifact-corrupt', `${whereIs(store, key)} is not what was stored a moment ago: ${found}.`, {
    hint: 'Something else writes or deletes in this store: a lifecycle rule, a sync, another tool. Give the backups a place of their own.',
  });
}

async function writeMarker(
  writing: Writing,
  facts: Facts | undefined,
  factFindings: readonly Finding[],
): Promise<WrittenBackup> {
  const { plan, id, snapshot, stores } = writing;
  const bytes = writing.artifacts.reduce((sum, { artifact }) => sum + artifact.bytes, 0);
  const judged = [...snapshot.findings, ...factFindings, ...plan.judge({ bytes, snapshot })];
  const lost = [...stores.failed].map(([store, error]) =>
    finding('store-copy', 'fail', describeLoss(store, error), { subject: store.location }),
  );
  const manifest = makeManifest({ ...writing, artifacts: writing.artifacts.map(({ artifact }) => artifact) }, facts, [
    ...judged,
    ...lost,
  ]);
  const text = writeManifest(manifest);
  await pinEverywhere(writing);
  writing.signal.throwIfAborted();
  await writing.stores.putText(backupKey(plan.source, id, MANIFEST), text);
  // The backup exists from here on; a mark that stays behind hides nothing and prune removes it.
  await Promise.all(
    [...writing.stores.live].map((store) => store.remove([backupKey(plan.source, id, IN_PROGRESS)]).catch(() => [])),
  );
  return {
    id,
    manifest,
    manifestSha256: sha256Of(text),
    stores: [...stores.live],
    failed: stores.failed,
    facts,
    findings: judged,
  };
}

async function pinEverywhere(writing: Writing): Promise<void> {
  const { plan, id, world } = writing;
  if (plan.pin === undefined) return;
  const { reason, until } = plan.pin;
  const by = world.run.actor;
  const record = {
    format: 1,
    reason,
    pinnedAt: wholeSeconds(world.now()),
    until: until === null ? null : wholeSeconds(until),
    ...(by === undefined ? {} : { by }),
  };
  await writing.stores.putText(pinKey(plan.source, id, until), `${JSON.stringify(record, undefined, 2)}\n`);
}
