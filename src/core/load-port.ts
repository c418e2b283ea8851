import type { Readable } from 'node:stream';
import type { Facts, TableFact } from './facts.ts';
import type { Artifact, Manifest } from './manifest.ts';
import type { Connection, ScratchRequest } from './ports.ts';

/** Rows of a backup that are put into a database which stays what it is, lent to nobody meanwhile. */
export interface LoadRequest {
  /** The database in its URL is the target. */
  readonly target: Connection;
  readonly manifest: Manifest;
  readonly facts: Facts | undefined;
  /** Names as the user wrote them; none: every table that the backup holds rows of. */
  readonly tables: readonly string[];
  /** A schema that is made for them; undefined: into the tables that are there, which must be empty. */
  readonly intoSchema: string | undefined;
  /** Role that the tables are made as (`SET ROLE`). */
  readonly role?: string;
  readonly restoreId: string;
  readonly scratch: Pick<
    ScratchRequest,
    'connection' | 'settings' | 'scratchDir' | 'artifactBytes' | 'keepOnFailure' | 'jobs' | 'stallMs'
  >;
  /** As `Scratch.restore` takes it. */
  open(artifact: Artifact): Promise<Readable>;
  /** Called when a step begins. */
  onStep(step: LoadStep): void;
  readonly signal: AbortSignal;
}

export type LoadStep =
  | 'starting the scratch server'
  | 'restoring into scratch'
  | 'writing into the target'
  | 'counting';

/** What came across, in one transaction. */
export interface Loaded {
  readonly tables: readonly LoadedTable[];
  /** Left out on purpose, a sentence each. */
  readonly leftOut: readonly string[];
  /** What a person should look at, a sentence each. */
  readonly warnings: readonly string[];
  /** How the live tables and the restored ones differ and how to merge them; none for rows put into live tables. */
  readonly sql: readonly TableSql[];
  readonly scratch: { readonly version: string; readonly notIsolated: readonly string[] };
}

export interface LoadedTable {
  /** Names as facts write them. */
  readonly from: string;
  readonly into: string;
  /** Undefined when the backup has no facts: what the scratch server held stands for it. */
  readonly expected: TableFact | undefined;
  /** Counted in the target after it was committed. */
  readonly arrived: TableFact;
}

/** For one table, ready to be run; comments in it say what each statement does. */
export interface TableSql {
  readonly table: string;
  readonly differences: string;
  readonly merge: string;
}
