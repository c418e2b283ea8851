import { createHash } from 'node:crypto';
import type { CatalogBackup } from '../src/core/catalog.ts';
import { backupKey, IN_PROGRESS, MANIFEST, makeId } from '../src/core/keys.ts';
import { type Artifact, type Manifest, writeManifest } from '../src/core/manifest.ts';
import type { Log, Store, World } from '../src/core/ports.ts';
import { drillRecordKey, type PinMark } from '../src/core/record-keys.ts';
import type { DrillRecord } from '../src/core/records.ts';
import type { RetentionCandidate } from '../src/core/retention.ts';
import type { MemoryStore } from '../src/stores/memory.ts';

/** Moments are written as people read them: `2026-11-21` or `2026-11-21T02:00:00Z`. */
export function at(moment: string): Date {
  return new Date(moment.length === 10 ? `${moment}T00:00:00Z` : moment);
}

/** Six hex digits that differ with `seed`. */
export function hexOf(seed: string | number): string {
  return createHash('sha256').update(String(seed)).digest('hex').slice(0, 6);
}

export function idAt(moment: string | Date, seed: string | number = 0): string {
  return makeId(typeof moment === 'string' ? at(moment) : moment, hexOf(seed));
}

/** A sound, unproven, full backup as retention sees it. */
export function candidateAt(moment: string | Date, rest: Partial<RetentionCandidate> = {}): RetentionCandidate {
  const takenAt = typeof moment === 'string' ? at(moment) : moment;
  return {
    id: idAt(takenAt),
    takenAt,
    scope: 'full',
    pins: [],
    proof: undefined,
    readable: true,
    soundSize: true,
    inProgress: false,
    ...rest,
  };
}

/** A complete full backup as a listing tells of it. */
export function backupAt(moment: string | Date, rest: Partial<CatalogBackup> = {}): CatalogBackup {
  const takenAt = typeof moment === 'string' ? at(moment) : moment;
  return {
    source: 'orders',
    id: idAt(takenAt),
    takenAt,
    manifestBytes: 900,
    inProgressAt: undefined,
    removingAt: undefined,
    artifacts: [{ key: 'database.dump.zst', bytes: 1_000 }],
    bytes: 1_000,
    totalBytes: 1_900,
    scope: 'full',
    drills: [],
    pins: [],
    lastChangeAt: takenAt,
    ...rest,
  };
}

export const forever: PinMark = { until: null, key: 'pin-forever.json' };

export interface BackupFixture {
  readonly source?: string;
  readonly id?: string;
  readonly scope?: Manifest['scope'];
  /** Stored bytes of the dump. */
  readonly bytes?: number;
  readonly findings?: Manifest['findings'];
  /** When its objects were last changed; its own moment when absent. */
  readonly modifiedAt?: Date;
  /** Begun and never finished. */
  readonly withoutManifest?: boolean;
}

const dumpNames = { full: 'database', schema: 'schema', data: 'data', tables: 'tables' } as const;

/** Puts a backup that is whole and fits its manifest into a memory store. */
export function putBackup(store: MemoryStore, moment: string | Date, fixture: BackupFixture = {}): Manifest {
  const takenAt = typeof moment === 'string' ? at(moment) : moment;
  const { source = 'orders', id = idAt(takenAt), scope = 'full', modifiedAt = takenAt } = fixture;
  const dump = Buffer.alloc(fixture.bytes ?? 1_000, id);
  const artifact = artifactOf(`${dumpNames[scope]}.dump.zst`, dump);
  const manifest = manifestOf({ source, id, scope, takenAt, artifacts: [artifact], findings: fixture.findings ?? [] });
  store.overwrite(backupKey(source, id, artifact.key), dump, modifiedAt);
  if (fixture.withoutManifest) {
    store.overwrite(backupKey(source, id, IN_PROGRESS), Buffer.from('{}'), modifiedAt);
    return manifest;
  }
  store.overwrite(backupKey(source, id, MANIFEST), Buffer.from(writeManifest(manifest)), modifiedAt);
  return manifest;
}

export function artifactOf(key: string, stored: Buffer): Artifact {
  const sha256 = createHash('sha256').update(stored).digest('hex');
  const bytes = stored.length;
  return { role: 'dump', key, format: 'pg_dump-custom', compression: 'zstd', encryption: null, bytes, sha256 };
}

export function manifestOf(
  given: Pick<Manifest, 'source' | 'id' | 'scope' | 'artifacts'> & { takenAt: Date; findings?: Manifest['findings'] },
): Manifest {
  const moment = secondsOf(given.takenAt);
  return {
    format: 1,
    engine: 'postgresql',
    kind: 'logical',
    ...given,
    takenAt: moment,
    finishedAt: moment,
    durationSeconds: 5,
    server: serverInfo,
    content: { leftOut: [] },
    totals: { databaseBytes: 10_000, tables: 3, rows: 30, schemaObjects: 12 },
    findings: given.findings ?? [],
    client: 'pg_dump 15.20',
    tool: { name: 'lifeboat', version: '0.1.0' },
  };
}

export const serverInfo: Manifest['server'] = {
  version: '15.20',
  major: 15,
  systemIdentifier: '7312345678901234567',
  host: 'db.example',
  port: 5432,
  database: 'orders',
  owner: 'orders',
  acl: null,
  connectionLimit: -1,
  settings: [],
  encoding: 'UTF8',
  localeProvider: 'libc',
  collate: 'C.UTF-8',
  ctype: 'C.UTF-8',
  bootstrapRole: 'postgres',
  standby: false,
  clockOffsetSeconds: 0,
};

/** Writes the record of a drill of a backup that is in the store already. */
export async function putDrill(
  store: MemoryStore,
  backup: Pick<Manifest, 'source' | 'id'>,
  moment: string | Date,
  rest: Partial<DrillRecord> = {},
): Promise<string> {
  const startedAt = typeof moment === 'string' ? at(moment) : moment;
  const record: DrillRecord = {
    format: 1,
    id: idAt(startedAt, 'drill'),
    source: backup.source,
    backup: backup.id,
    manifestSha256: await manifestSha256In(store, backup),
    store: store.location,
    alsoRead: [],
    startedAt: secondsOf(startedAt),
    finishedAt: secondsOf(startedAt),
    restoreSeconds: 12,
    dataLossSeconds: null,
    verdict: 'pass',
    proof: 'proven',
    findings: [],
    scratch: { server: 'own', version: '15.20', notIsolated: [] },
    tool: { name: 'lifeboat', version: '0.1.0' },
    ...rest,
  };
  const key = drillRecordKey(backup.source, backup.id, record);
  store.overwrite(key, Buffer.from(JSON.stringify(record)), startedAt);
  return key;
}

async function manifestSha256In(store: Store, backup: Pick<Manifest, 'source' | 'id'>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of await store.get(backupKey(backup.source, backup.id, MANIFEST))) hash.update(chunk);
  return hash.digest('hex');
}

function secondsOf(moment: Date): string {
  return moment.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Every key a store holds now. */
export async function keysOf(store: Store, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

/** A world of memory stores at a fixed moment; what a test does not give is refused loudly. */
export function fakeWorld(
  stores: Readonly<Record<string, Store>>,
  now: string | Date,
  rest: Partial<World> = {},
): World {
  const refuse = (what: string) => () => {
    throw new Error(`This test gives no ${what}.`);
  };
  let randoms = 0;
  return {
    now: () => (typeof now === 'string' ? at(now) : now),
    randomHex: (bytes) =>
      createHash('sha256')
        .update(String(randoms++))
        .digest('hex')
        .slice(0, bytes * 2),
    openStore: async (url) => stores[url] ?? refuse(`store ${url}`)(),
    openEngine: refuse('engine'),
    encryption: {
      encrypt: refuse('key'),
      decrypt: refuse('key'),
      checkRecipients: refuse('key'),
      checkIdentity: refuse('key'),
      makeIdentity: refuse('key'),
      recipientsOf: refuse('key'),
    },
    compression: { compress: refuse('compression'), decompress: refuse('compression') },
    // Time stands still: waiting ends only when it is given up.
    sleep: (_, until) => new Promise((resolve) => until?.addEventListener('abort', () => resolve(), { once: true })),
    log: silent,
    signal: new AbortController().signal,
    run: {},
    process: { host: 'runner', pid: 42 },
    tool: { name: 'lifeboat', version: '0.1.0' },
    openSchedules: async () => undefined,
    scratchDir: '/nowhere',
    redact: (text) => text,
    writePage: refuse('place for pages'),
    application: { runScript: refuse('shell'), probe: refuse('application') },
    examineMachine: refuse('machine'),
    tryIssues: refuse('repository'),
    files: {
      resolve: refuse('files'),
      read: refuse('files'),
      write: refuse('files'),
      repositoryOf: refuse('files'),
      home: '/nowhere',
    },
    ask: undefined,
    ...rest,
  };
}

const silent: Log = { info() {}, warning() {}, debug() {}, group: (_title, use) => use() };
