import { z } from 'zod';
import { RunInfo, Scope } from './manifest.ts';
import { Status, StoredFinding } from './report.ts';

/** What a drill says of the backup itself, apart from its verdict: a missed RTO disproves nothing. */
export const Proof = z.enum(['proven', 'disproven', 'inconclusive']);
export type Proof = z.output<typeof Proof>;

const Moment = z.iso.datetime({ precision: 0 });

/** How many there were of each kind, without names. */
const Counts = z.record(z.string(), z.number());

/** What a record written by an earlier version does not have. */
const details = {
  /** Of the backup: the moment of its snapshot. */
  takenAt: Moment.optional(),
  scope: Scope.optional(),
  artifacts: z
    .array(
      z.object({
        key: z.string(),
        bytes: z.number(),
        sha256: z.string(),
        /** Read to its end, and what was read had this SHA-256. */
        matched: z.boolean(),
      }),
    )
    .optional(),
  facts: z.object({ level: z.string(), expected: Counts, found: Counts.nullable() }).optional(),
  assertions: z.array(z.object({ name: z.string().optional(), sql: z.string().optional(), status: Status })).optional(),
  objectives: z
    .object({ maxDurationSeconds: z.number().nullable(), maxDataLossSeconds: z.number().nullable() })
    .optional(),
  steps: z.array(z.object({ name: z.string(), seconds: z.number() })).optional(),
};
const DrillDetails = z.object(details);
export type DrillDetails = z.output<typeof DrillDetails>;

/** `<id>/drills/<drill id>.<verdict>.<proof>.json`: the evidence, written beside the backup. */
export const DrillRecord = z.object({
  format: z.literal(1),
  id: z.string(),
  source: z.string(),
  backup: z.string(),
  /** Of the manifest that was drilled: a copy in another store counts only if it is the same. */
  manifestSha256: z.string(),
  /** Location of the store whose bytes were restored. */
  store: z.string(),
  /** Locations of other stores whose bytes were read back against the same SHA-256. */
  alsoRead: z.array(z.string()),
  startedAt: Moment,
  finishedAt: Moment,
  /** Fetch, decrypt, decompress and restore, until the database could be queried. */
  restoreSeconds: z.number().nonnegative().nullable(),
  dataLossSeconds: z.number().nullable(),
  verdict: Status,
  proof: Proof,
  findings: z.array(StoredFinding),
  scratch: z.object({
    /** `own` or the location of the `scratch-url` server, without credentials. */
    server: z.string(),
    version: z.string(),
    /** Isolation that was not possible here, one sentence each. */
    notIsolated: z.array(z.string()),
  }),
  tool: z.object({ name: z.string(), version: z.string() }),
  run: RunInfo.optional(),
  ...details,
});
export type DrillRecord = z.output<typeof DrillRecord>;

/** `<id>/pin-<until, or forever>.json`: why this backup must stay. */
export const PinRecord = z.object({
  format: z.literal(1),
  reason: z.string().min(1),
  pinnedAt: Moment,
  /** Null: for ever. */
  until: Moment.nullable(),
  by: z.string().optional(),
});
export type PinRecord = z.output<typeof PinRecord>;

/** `<id>/in-progress.json`: who is making this backup; rewritten while it is being made. */
export const InProgressRecord = z.object({
  format: z.literal(1),
  id: z.string(),
  source: z.string(),
  startedAt: Moment,
  host: z.string(),
  pid: z.int(),
  run: RunInfo.optional(),
  /** Location of the store it is copied from; absent while it is made. */
  copyFrom: z.string().optional(),
});
export type InProgressRecord = z.output<typeof InProgressRecord>;

/** `<id>/removing.json`: this program is removing what is left here; without it, a folder that lost its manifest was robbed. */
export const RemovingRecord = z.object({
  format: z.literal(1),
  id: z.string(),
  source: z.string(),
  startedAt: Moment,
});
export type RemovingRecord = z.output<typeof RemovingRecord>;

/** `<source>/restores/<id>.json`: what was restored where, and how it ended; also of one that failed. */
export const RestoreRecord = z.object({
  format: z.literal(1),
  id: z.string(),
  source: z.string(),
  backup: z.string(),
  manifestSha256: z.string(),
  /** Of the backup. */
  takenAt: Moment,
  /** Location of the store whose bytes were restored. */
  store: z.string(),
  startedAt: Moment,
  finishedAt: Moment,
  way: z.enum(['create', 'beside', 'swap', 'replace', 'drop-first', 'tables', 'rows']),
  target: z.object({ server: z.string(), database: z.string() }),
  /** Database that holds the backup now; null: none does. */
  database: z.string().nullable(),
  /** Database that holds what was in the target before; null: none does. */
  kept: z.string().nullable(),
  safetyBackup: z.object({ source: z.string(), id: z.string() }).nullable(),
  /** Null when it did not come to its end. */
  restoreSeconds: z.number().nonnegative().nullable(),
  dataLossSeconds: z.number(),
  verdict: Status,
  failedAt: z.string().nullable(),
  findings: z.array(StoredFinding),
  steps: z.array(z.object({ name: z.string(), seconds: z.number() })),
  tool: z.object({ name: z.string(), version: z.string() }),
  run: RunInfo.optional(),
});
export type RestoreRecord = z.output<typeof RestoreRecord>;
