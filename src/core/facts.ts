import { z } from 'zod';

const Count = z.int().nonnegative();

/** How much is recorded: `counts` of rows, or a `fingerprint` of every table's values as well. */
export const FactsLevel = z.enum(['counts', 'fingerprints', 'none']);
export type FactsLevel = z.output<typeof FactsLevel>;

/** Where a sequence stood: `nextval` gives `value` when not yet called, else `value` + increment. */
export const SequenceState = z.object({
  /** As text: a bigint does not fit a number. */
  value: z.string().regex(/^-?\d+$/),
  isCalled: z.boolean(),
});

export const SequenceFact = z.object({
  name: z.string(),
  increment: z.string().regex(/^-?\d+$/),
  cycle: z.boolean(),
  before: SequenceState,
  /** Read after the last stream ended. Sequences are not part of a snapshot. */
  after: SequenceState,
});
export type SequenceFact = z.output<typeof SequenceFact>;

export const TableFact = z.object({
  /** `quote_ident(schema).quote_ident(table)`. */
  name: z.string(),
  /** Rows this dump holds. */
  rows: Count,
  /** `v1:<count>:<sum>`; only with `facts: fingerprints`. */
  fingerprint: z.string().optional(),
});
export type TableFact = z.output<typeof TableFact>;

export const SchemaFact = z.object({
  /** `table`, `column`, `index`, `constraint`, `trigger`, `function`, `view`, `policy`, `type`, `grant`, … */
  kind: z.string(),
  identity: z.string(),
  /** First 32 hex digits of a SHA-256 over the normalised definition. */
  digest: z.string(),
});
export type SchemaFact = z.output<typeof SchemaFact>;

export const RoleFact = z.object({
  name: z.string(),
  /** Attribute words as in CREATE ROLE, sorted: `BYPASSRLS`, `CREATEDB`, `LOGIN`, … and `CONNECTION LIMIT n`. */
  attributes: z.array(z.string()),
  /** Names of roles it is a member of, with ` WITH ADMIN` where granted so; sorted. */
  memberOf: z.array(z.string()),
  /** `ALTER ROLE … SET` in all databases, `name=value`, sorted. */
  settings: z.array(z.string()),
});
export type RoleFact = z.output<typeof RoleFact>;

/** What was true of the data in the dump's own snapshot; stored as `facts.json`. */
export const Facts = z.object({
  format: z.literal(1),
  engine: z.enum(['postgresql', 'redis']),
  level: z.enum(['counts', 'fingerprints']),
  tables: z.array(TableFact),
  materializedViews: z.array(z.object({ name: z.string(), populated: z.boolean() })),
  sequences: z.array(SequenceFact),
  schema: z.array(SchemaFact),
  extensions: z.array(z.object({ name: z.string(), version: z.string(), schema: z.string() })),
  roles: z.array(RoleFact),
  /** Null when this dump holds none of them (schema-only, partial). */
  largeObjects: z.object({ count: Count, bytes: z.int().nonnegative() }).nullable(),
  settings: z.array(z.object({ role: z.string().nullable(), setting: z.string() })),
  /** The newest row of a migration tool's own table. */
  migration: z.object({ tool: z.string(), table: z.string(), newest: z.string() }).nullable(),
});
export type Facts = z.output<typeof Facts>;
