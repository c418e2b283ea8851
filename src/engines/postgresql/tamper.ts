import type { Facts } from '../../core/facts.ts';
import { Failure } from '../../core/failure.ts';
import type { Expectation, Tampering } from '../../core/self-test-trial.ts';
import type { Reread } from './facts.ts';
import type { Session } from './session.ts';
import type { Relation } from './tables.ts';
import { databaseDamages } from './tamper-database.ts';
import { objectDamages } from './tamper-objects.ts';
import { rowDamages } from './tamper-rows.ts';

/** One way to do a damage, to one object. */
export interface Attempt {
  /** To what: `public.orders`. */
  readonly target: string;
  /** Done in a transaction that is rolled back; a statement that finds nothing to change must fail. */
  readonly sql: string;
  readonly expect: readonly Expectation[];
  readonly reread: Reread;
}

/** A kind of damage: the first attempt that the database allows is made. */
export interface DamageKind {
  readonly damage: string;
  attempts(database: TamperedDatabase): Promise<readonly Attempt[]>;
  /** Why there is no attempt; `not-in-facts` when facts of a higher level would hold it. */
  readonly none: { readonly notDone: 'none-there' | 'not-in-facts'; readonly why: string };
}

/** A restored database, and what was read of it while it was sound. */
export interface TamperedDatabase {
  readonly session: Session;
  readonly known: Facts;
  /** Facts of the backup. */
  readonly expected: Facts;
  /** Tables whose rows were counted. */
  readonly tables: readonly Relation[];
}

/** How many objects are tried for one kind: a trigger, a check, a missing replica identity may forbid the first. */
const MOST_ATTEMPTS = 40;
/** The row or value does not take the change: data exceptions, constraints, types without the operator, no replica identity. */
const DOES_NOT_TAKE = /\(SQLSTATE (22|23|42804|42846|42883|42725|428C9|55000|0A000|2BP01|42P07)/;

/**
 * Does every kind of damage in a transaction of its own, reads facts in that transaction, and rolls it
 * back. RESTART of a sequence is transactional (setval is not), and so is `ALTER DATABASE … SET`.
 */
export async function* tamperWith(
  database: TamperedDatabase,
  reread: (what: Reread) => Promise<Facts>,
): AsyncGenerator<Tampering> {
  // Triggers, rules and foreign keys of the database itself must not undo or widen a damage. Denied to
  // ordinary users on a foreign server: there they fire, and an attempt they forbid gives way to the next.
  await database.session.execute('SET session_replication_role = replica').catch(unlessOurs);
  for (const kind of [...objectDamages, ...databaseDamages, ...rowDamages(database.known.level)]) {
    yield await tryKind(kind, database, reread);
  }
}

async function tryKind(
  { damage, attempts, none }: DamageKind,
  database: TamperedDatabase,
  reread: (what: Reread) => Promise<Facts>,
): Promise<Tampering> {
  const all = await attempts(database);
  let refused: Failure | undefined;
  for (const attempt of all.slice(0, MOST_ATTEMPTS)) {
    const found = await tryOne(attempt, database.session, reread).catch(unlessOurs);
    if (!(found instanceof Failure)) return { ...describe(attempt, damage), found };
    refused = found;
  }
  if (refused === undefined) return { damage, ...none };
  if (!DOES_NOT_TAKE.test(refused.message)) return { damage, notDone: 'failed', why: refused.message.trim() };
  return { damage, notDone: 'none-there', why: 'nothing in the database takes it: keys, checks, types forbid it' };
}

async function tryOne({ sql, reread: what }: Attempt, session: Session, reread: (what: Reread) => Promise<Facts>) {
  await session.execute('BEGIN READ WRITE');
  try {
    await session.execute(sql);
    return await reread(what);
  } finally {
    await session.execute('ROLLBACK');
  }
}

function describe({ target, expect, reread }: Attempt, damage: string) {
  const parts = [
    ...(reread.schema ? ['the schema'] : []),
    ...(reread.tables.size > 0 ? [`the rows of ${[...reread.tables].join(', ')}`] : []),
    ...(reread.largeObjects ? ['large objects'] : []),
  ];
  const path = `${parts.length === 0 ? 'what is read every time' : parts.join(', ')} read anew`;
  return { damage, target, path, expect };
}

function unlessOurs(error: unknown): Failure {
  if (error instanceof Failure) return error;
  throw error;
}
