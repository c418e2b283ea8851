import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Facts } from '../../../src/core/facts.ts';
import type { Artifact, Manifest, Scope } from '../../../src/core/manifest.ts';
import type { DumpRequest, Log, ScratchRequest } from '../../../src/core/ports.ts';
import { postgresql } from '../../../src/engines/postgresql/engine.ts';
import type { TestPostgres } from '../../servers/postgresql.ts';

/** A backup held in memory: what a store would give. */
export interface TakenBackup {
  readonly manifest: Manifest;
  readonly facts: Facts | undefined;
  readonly stored: Map<string, Buffer>;
  open(artifact: Artifact): Promise<Readable>;
}

export const silent: Log = { info: () => {}, warning: () => {}, debug: () => {}, group: (_, use) => use() };

/** Takes a backup of a real server with the engine itself. */
export async function takeBackup(
  server: TestPostgres,
  database: string,
  given: {
    scope?: Scope;
    tables?: string[];
    excludeTableData?: string[];
    facts?: DumpRequest['facts'];
    jobs?: number;
  } = {},
): Promise<TakenBackup> {
  const engine = postgresql({ env: process.env, log: silent, now: () => new Date() });
  const request: DumpRequest = {
    source: 'shop',
    connection: { url: server.urlOf(database) },
    scope: given.scope ?? 'full',
    tables: given.tables ?? [],
    excludeTables: [],
    excludeTableData: given.excludeTableData ?? [],
    facts: given.facts ?? 'fingerprints',
    rolePasswords: false,
    lockTimeoutMs: 0,
    stallMs: 60_000,
    tableLockTimeoutMs: 10_000,
    allowNewerClient: false,
    jobs: given.jobs ?? 1,
    holder: 'test',
    signal: new AbortController().signal,
  };
  return engine.withSnapshot(request, async (snapshot) => {
    const stored = new Map<string, Buffer>();
    const artifacts: Artifact[] = [];
    for (const stream of snapshot.streams) {
      const bytes = await buffer(stream.open({ level: 1 }).compressed);
      const key = `${stream.name}.zst`;
      stored.set(key, bytes);
      artifacts.push(artifactOf(key, stream, bytes));
    }
    const { facts } = await snapshot.finish(await snapshot.readFacts());
    return { manifest: manifestOf(request, snapshot, artifacts, facts), facts, stored, open: openIn(stored) };
  });
}

export function artifactOf(key: string, stream: Pick<Artifact, 'role' | 'format'>, bytes: Buffer): Artifact {
  return {
    role: stream.role,
    key,
    format: stream.format,
    compression: 'zstd',
    encryption: null,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}

function openIn(stored: ReadonlyMap<string, Buffer>): TakenBackup['open'] {
  return async ({ key }) => Readable.from(chunksOf(stored.get(key) ?? Buffer.alloc(0)), { objectMode: false });
}

function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

function manifestOf(
  request: DumpRequest,
  snapshot: { server: Manifest['server']; takenAt: Date; databaseBytes: number; client: string },
  artifacts: Artifact[],
  facts: Facts | undefined,
): Manifest {
  const moment = snapshot.takenAt.toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    format: 1,
    id: `${moment.replaceAll(/[-:]/g, '')}-abcdef`,
    source: request.source,
    engine: 'postgresql',
    kind: 'logical',
    scope: request.scope,
    takenAt: moment,
    finishedAt: moment,
    durationSeconds: 1,
    server: snapshot.server,
    content: { leftOut: [] },
    artifacts,
    totals: {
      databaseBytes: snapshot.databaseBytes,
      tables: facts?.tables.length ?? 0,
      rows: facts?.tables.reduce((sum, { rows }) => sum + rows, 0) ?? null,
      schemaObjects: facts?.schema.length ?? 0,
    },
    findings: [],
    client: snapshot.client,
    tool: { name: 'lifeboat', version: '0' },
  };
}

/** A request for a scratch server, as the drill makes it. */
export function scratchRequest(
  backup: TakenBackup,
  scratchDir: string,
  given: Partial<ScratchRequest> = {},
): ScratchRequest {
  return {
    manifest: backup.manifest,
    facts: backup.facts,
    connection: {},
    settings: [],
    scratchDir,
    artifactBytes: [...backup.stored.values()].reduce((sum, bytes) => sum + bytes.length, 0),
    keepOnFailure: false,
    drillId: '20261121T031500Z-3f9a1c',
    stallMs: 60_000,
    signal: new AbortController().signal,
    ...given,
  };
}
