import { z } from 'zod';
import { Failure } from './failure.ts';
import { momentOfId } from './keys.ts';
import { StoredFinding } from './report.ts';

export const FORMAT = 1;

const Moment = z.iso.datetime({ precision: 0 });
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Count = z.int().nonnegative();
/** Relative to the backup's folder: no absolute path, no way up, no empty part. */
const RelativeKey = z.string().regex(/^(?!\.)[A-Za-z0-9_-][A-Za-z0-9._-]*$/, 'Expected a plain file name');

export const EngineName = z.enum(['postgresql', 'redis']);
export type EngineName = z.output<typeof EngineName>;
export const Kind = z.enum(['logical', 'physical', 'rdb', 'aof']);
export const Scope = z.enum(['full', 'schema', 'data', 'tables']);
export type Scope = z.output<typeof Scope>;

/** What each artifact is for. `data` is one stream of several when a dump is parallel. */
export const ArtifactRole = z.enum([
  'dump',
  'schema',
  'pre-data',
  'data',
  'post-data',
  'globals',
  'facts',
  'base',
  'rdb',
  'aof',
]);
export type ArtifactRole = z.output<typeof ArtifactRole>;

export const Artifact = z.object({
  role: ArtifactRole,
  key: RelativeKey,
  /** `pg_dump-custom`, `sql`, `json`, `tar`, `rdb`: what is inside compression and encryption. */
  format: z.enum(['pg_dump-custom', 'sql', 'json', 'tar', 'rdb']),
  compression: z.enum(['zstd', 'none']),
  encryption: z.object({ type: z.literal('age'), recipients: z.array(z.string()) }).nullable(),
  /** Of the stored bytes. */
  bytes: Count,
  sha256: Sha256,
  /** Before compression and encryption. */
  plainBytes: Count.optional(),
});
export type Artifact = z.output<typeof Artifact>;

export const ServerInfo = z.object({
  /** As the server reports it, e.g. `15.20`. */
  version: z.string().min(1),
  major: z.int().positive(),
  systemIdentifier: z.string().nullable(),
  host: z.string(),
  port: z.int().nullable(),
  database: z.string(),
  owner: z.string(),
  /** `datacl` as text items, null when never granted. */
  acl: z.array(z.string()).nullable(),
  connectionLimit: z.int(),
  /**
   * `ALTER DATABASE … SET` and `ALTER ROLE … IN DATABASE … SET`; `role` is null for the database's own. Empty with
   * encryption: their values may be secrets, and are in the encrypted facts, if there are any.
   */
  settings: z.array(z.object({ role: z.string().nullable(), setting: z.string() })),
  encoding: z.string(),
  localeProvider: z.enum(['libc', 'icu', 'builtin']),
  collate: z.string(),
  ctype: z.string(),
  icuLocale: z.string().optional(),
  collationVersion: z.string().optional(),
  bootstrapRole: z.string(),
  standby: z.boolean(),
  /** Server minus runner, positive when the server is ahead. */
  clockOffsetSeconds: z.number(),
  timeline: z.int().optional(),
  startLsn: z.string().optional(),
  endLsn: z.string().optional(),
  walSegmentBytes: z.int().optional(),
});
export type ServerInfo = z.output<typeof ServerInfo>;

export const RunInfo = z.object({
  url: z.string().optional(),
  repository: z.string().optional(),
  sha: z.string().optional(),
  actor: z.string().optional(),
  event: z.string().optional(),
  runner: z.string().optional(),
  workflow: z.string().optional(),
  job: z.string().optional(),
});
export type RunInfo = z.output<typeof RunInfo>;

/** The record written last: a backup exists if and only if its manifest does. */
export const Manifest = z.object({
  format: z.literal(FORMAT),
  id: z.string(),
  source: z.string(),
  engine: EngineName,
  kind: Kind,
  scope: Scope,
  /** The moment of the dump's snapshot on the database server's clock; data loss counts from here. */
  takenAt: Moment,
  finishedAt: Moment,
  durationSeconds: z.number().nonnegative(),
  server: ServerInfo,
  content: z.object({
    tables: z.array(z.string()).optional(),
    excludeTables: z.array(z.string()).optional(),
    excludeTableData: z.array(z.string()).optional(),
    leftOut: z.array(z.object({ what: z.string(), why: z.string() })),
  }),
  artifacts: z.array(Artifact).min(1),
  totals: z.object({
    databaseBytes: Count,
    tables: Count,
    rows: Count.nullable(),
    schemaObjects: Count,
    keys: Count.optional(),
  }),
  findings: z.array(StoredFinding),
  /** The program that made the dump, e.g. `pg_dump 15.20`. */
  client: z.string(),
  tool: z.object({ name: z.string(), version: z.string() }),
  run: RunInfo.optional(),
  labels: z.record(z.string(), z.string()).optional(),
  /** Reserved. */
  signature: z.string().optional(),
});
export type Manifest = z.output<typeof Manifest>;

/** Serializes, refusing anything that is not of this format: nothing unreadable is ever written. */
export function writeManifest(manifest: Manifest): string {
  return `${JSON.stringify(z.strictObject(Manifest.shape).parse(manifest), undefined, 2)}\n`;
}

const OVERWRITTEN =
  'Records are written once and whole: somebody or something changed it. Take it from another store, or from an older version of the object.';

/**
 * Reads a manifest; unknown fields of the same format are ignored, a higher format is refused.
 *
 * @throws {Failure} `backup-invalid`, naming `where` and what is wrong
 */
export function readManifest(text: string, where: string, expected: { source: string; id: string }): Manifest {
  const manifest = parseRecord(Manifest, text, where);
  if (manifest.source !== expected.source || manifest.id !== expected.id) {
    throw new Failure(
      'backup-invalid',
      `${where} describes ${manifest.source}/${manifest.id}, not ${expected.source}/${expected.id}.`,
      {
        hint: 'Somebody moved or copied it. Restore the right manifest from another store, or from an older version of the object.',
      },
    );
  }
  // Else a takenAt in the future would keep an old backup fresh for ever.
  if (momentOfId(manifest.id)?.getTime() === Date.parse(manifest.takenAt)) return manifest;
  throw new Failure(
    'backup-invalid',
    `${where} says \`takenAt\` ${manifest.takenAt}, which is not the moment in its id.`,
    {
      hint: OVERWRITTEN,
    },
  );
}

/** Parses any stored JSON record (`format` first, then the schema). Throws `backup-invalid`. */
export function parseRecord<T>(schema: z.ZodType<T>, text: string, where: string): T {
  const value = parseJson(text, where);
  const format = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined;
  if (typeof format === 'number' && format > FORMAT) {
    throw new Failure('backup-invalid', `${where} is of format ${format}; this version reads up to ${FORMAT}.`, {
      hint: 'Use a newer version of Lifeboat.',
    });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new Failure(
    'backup-invalid',
    `${where} cannot be read: ${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'not valid'}.`,
    { cause: result.error, hint: OVERWRITTEN },
  );
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const what = text.trim() === '' ? 'is empty' : 'is not JSON';
    throw new Failure('backup-invalid', `${where} ${what}.`, { cause, hint: OVERWRITTEN });
  }
}
