import type { Facts, SequenceFact } from '../../core/facts.ts';
import { Failure } from '../../core/failure.ts';
import { type Finding, finding } from '../../core/report.ts';
import { isBefore } from '../../core/sequence-order.ts';
import { EVERYTHING, type HiddenOids, notHidden, notMember, userSchema } from './facts-scope.ts';
import { literal, type Session } from './session.ts';

/** A sequence as it stands at this moment, whatever the snapshot. */
export interface SequenceReading {
  readonly name: string;
  /** As text, like `value`: a bigint does not fit a number. */
  readonly increment: string;
  readonly cycle: boolean;
  readonly value: string;
  readonly isCalled: boolean;
}

/** Sequences in one statement. */
const BATCH = 200;
/** How often a list is read anew because one of it was dropped before it could be read. */
const ATTEMPTS = 3;

/**
 * Where every sequence stands now. Outside the snapshot's transaction: before the dump and after it.
 * Needs SELECT on each (pg_read_all_data has it).
 */
export async function readSequences(session: Session, scope: HiddenOids = EVERYTHING): Promise<SequenceReading[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readOnce(session, scope);
    } catch (error) {
      const vanished = error instanceof Failure && /does not exist|could not open relation/.test(error.message);
      if (!vanished || attempt === ATTEMPTS) throw error;
    }
  }
}

/** A standby has no unlogged relations: reading one is an error there. */
async function readOnce(session: Session, scope: HiddenOids): Promise<SequenceReading[]> {
  const listed = await session.query<Omit<SequenceReading, 'value' | 'isCalled'>>(`
    SELECT format('%I.%I', n.nspname, c.relname) AS name, s.seqincrement::text AS increment, s.seqcycle AS cycle
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${userSchema('n.nspname')} AND (${notMember('pg_class', 'c.oid')}
        OR c.oid = ANY (SELECT unnest(extconfig) FROM pg_extension))
      AND (c.relpersistence <> 'u' OR NOT pg_is_in_recovery()) AND ${notHidden(scope, 'pg_class', 'c.oid')}
    ORDER BY 1`);
  const states = new Map<string, SequenceFact['before']>();
  for (let from = 0; from < listed.length; from += BATCH) {
    const parts = listed
      .slice(from, from + BATCH)
      .map(({ name }) => `SELECT ${literal(name)} AS name, last_value::text AS value, is_called FROM ${name}`);
    const rows = await session.query<{ name: string; value: string; is_called: boolean }>(parts.join(' UNION ALL '));
    for (const { name, value, is_called } of rows) states.set(name, { value, isCalled: is_called });
  }
  return listed.flatMap((one) => {
    const state = states.get(one.name);
    return state === undefined ? [] : [{ ...one, ...state }];
  });
}

/** As facts hold them when there is one reading only, as of a restored database. */
export function asFacts(readings: readonly SequenceReading[]): SequenceFact[] {
  return readings.map(({ name, increment, cycle, value, isCalled }) => {
    const state = { value, isCalled };
    return { name, increment, cycle, before: state, after: state };
  });
}

/**
 * Puts the two readings around the dump in place of the one the facts were read with, and names the
 * sequences whose place in the dump nobody can tell. Those that came or went are left out.
 */
export function mergeSequences(
  facts: Facts,
  before: readonly SequenceReading[],
  after: readonly SequenceReading[],
): { facts: Facts; findings: Finding[] } {
  const first = new Map(before.map((one) => [one.name, one]));
  const last = new Map(after.map((one) => [one.name, one]));
  const unknown: string[] = [];
  const sequences = facts.sequences.flatMap((sequence) => {
    const start = first.get(sequence.name);
    const end = last.get(sequence.name);
    const why = whyUnknown(sequence.name, start, end);
    if (why !== undefined) unknown.push(why);
    return start === undefined || end === undefined ? [] : [between(start, end)];
  });
  return { facts: { ...facts, sequences }, findings: unknown.length === 0 ? [] : [moved(unknown)] };
}

function between(start: SequenceReading, end: SequenceReading): SequenceFact {
  const state = ({ value, isCalled }: SequenceReading) => ({ value, isCalled });
  return {
    name: end.name,
    increment: end.increment,
    cycle: start.cycle || end.cycle,
    before: state(start),
    after: state(end),
  };
}

function whyUnknown(
  name: string,
  start: SequenceReading | undefined,
  end: SequenceReading | undefined,
): string | undefined {
  if (start === undefined) return `${name} was created while the dump began`;
  if (end === undefined) return `${name} was dropped or renamed during the dump`;
  if (start.increment !== end.increment) return `${name} was altered during the dump`;
  if (!isBefore(end, start, end.increment)) return undefined;
  return end.cycle || start.cycle
    ? `${name} started over (CYCLE) during the dump, from ${start.value} to ${end.value}`
    : `${name} was set back during the dump, from ${start.value} to ${end.value}`;
}

function moved(unknown: readonly string[]): Finding {
  const named = unknown.slice(0, 20).join('; ') + (unknown.length > 20 ? `; and ${unknown.length - 20} more` : '');
  return finding('sequence-moved', 'unknown', `Where the dump holds these sequences cannot be told: ${named}.`, {
    numbers: { sequences: unknown.length },
    hint: 'Look who calls setval or alters sequences at this hour; the next backup compares them again.',
  });
}
