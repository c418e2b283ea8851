import type { Difference, Judgement } from './compare-facts.ts';
import type { Facts, SequenceFact } from './facts.ts';
import { isBefore } from './sequence-order.ts';

const number = (value: number) => value.toLocaleString('en-US');
const rowsOf = (value: number) => `${number(value)} ${value === 1 ? 'row' : 'rows'}`;

/** Items of two lists paired by name, in the order of the first, then those only the second has. */
export function pair<T extends { readonly name: string }>(
  expected: readonly T[],
  found: readonly T[],
): { name: string; expected: T | undefined; found: T | undefined }[] {
  const left = new Map(expected.map((one) => [one.name, one]));
  const right = new Map(found.map((one) => [one.name, one]));
  const names = [...new Set([...left.keys(), ...right.keys()])];
  return names.map((name) => ({ name, expected: left.get(name), found: right.get(name) }));
}

/** Rows of each table; a table that is missing or was never there counts even when it is empty. */
export function compareTables(expected: Facts, found: Facts): Judgement {
  const differences = pair(expected.tables, found.tables).flatMap<Difference>((one) =>
    one.expected?.rows === one.found?.rows
      ? []
      : [{ what: `table ${one.name}`, expected: rowsOrNull(one.expected), found: rowsOrNull(one.found) }],
  );
  const rows = expected.tables.reduce((sum, table) => sum + table.rows, 0);
  const tables = expected.tables.length;
  const pass =
    tables === 0
      ? 'The backup holds no table, and none was found.'
      : `${number(tables)} ${tables === 1 ? 'table holds' : 'tables hold'} ${rowsOf(rows)}, as in the snapshot.`;
  return { rule: 'facts-tables', numbers: { tables, rows }, pass, differences };
}

function rowsOrNull(table: { rows: number } | undefined): string | null {
  return table === undefined ? null : rowsOf(table.rows);
}

/** Tables that are missing or have lost rows are compareTables' business. */
export function compareFingerprints(expected: Facts, found: Facts): Judgement | undefined {
  if (expected.level !== 'fingerprints') return undefined;
  const differences: Difference[] = [];
  const unknown: string[] = [];
  let compared = 0;
  for (const one of pair(expected.tables, found.tables)) {
    if (one.expected === undefined || one.found === undefined) continue;
    const [left, right] = [one.expected.fingerprint, one.found.fingerprint];
    if (left === undefined || right === undefined || version(left) !== version(right)) {
      unknown.push(`table ${one.name} has no fingerprint to compare with`);
    } else {
      compared += 1;
      if (left !== right) differences.push({ what: `values of table ${one.name}`, expected: left, found: right });
    }
  }
  const pass = `${number(compared)} ${compared === 1 ? 'table holds' : 'tables hold'} the same values as in the snapshot.`;
  return { rule: 'facts-fingerprints', numbers: { tables: compared }, pass, differences, unknown };
}

function version(fingerprint: string): string {
  return fingerprint.split(':', 1)[0] ?? '';
}

export function compareMaterializedViews(expected: Facts, found: Facts): Judgement {
  const state = (view: { populated: boolean } | undefined) =>
    view === undefined ? null : view.populated ? 'populated' : 'not populated';
  const differences = pair(expected.materializedViews, found.materializedViews).flatMap<Difference>((one) =>
    state(one.expected) === state(one.found)
      ? []
      : [{ what: `materialized view ${one.name}`, expected: state(one.expected), found: state(one.found) }],
  );
  const views = expected.materializedViews.length;
  const populated = expected.materializedViews.filter((view) => view.populated).length;
  const pass =
    views === 0
      ? 'There are no materialized views.'
      : `${number(populated)} of ${number(views)} materialized views are populated, as they were.`;
  return { rule: 'facts-materialized-views', numbers: { views, populated }, pass, differences };
}

/** Sequences are no part of a snapshot: each must stand between its readings before and after the dump. */
export function compareSequences(expected: Facts, found: Facts): Judgement {
  const differences: Difference[] = [];
  const unknown: string[] = [];
  for (const one of pair(expected.sequences, found.sequences)) {
    // Those that came or went during the dump are not among the expected; the schema knows them.
    if (one.expected === undefined) continue;
    const what = `sequence ${one.name}`;
    if (one.found === undefined) differences.push({ what, expected: range(one.expected), found: null });
    else if (!isWithin(one.found.before, one.expected)) {
      if (isReversed(one.expected)) unknown.push(`${what} was set back or started over during the dump`);
      else differences.push({ what, expected: range(one.expected), found: state(one.found.before) });
    }
  }
  const sequences = expected.sequences.length;
  const pass =
    sequences === 0
      ? 'There are no sequences.'
      : `${number(sequences)} ${sequences === 1 ? 'sequence stands' : 'sequences stand'} where the dump found them.`;
  return { rule: 'facts-sequences', numbers: { sequences }, pass, differences, unknown };
}

type State = SequenceFact['before'];

/** A cycling one that started over stood, during the dump, after its first reading or before its second. */
function isWithin(at: State, { before, after, increment, cycle }: SequenceFact): boolean {
  const notEarlier = !isBefore(at, before, increment);
  const notLater = !isBefore(after, at, increment);
  if (isBefore(after, before, increment)) return cycle && (notEarlier || notLater);
  return notEarlier && notLater;
}

function isReversed({ before, after, increment }: SequenceFact): boolean {
  return isBefore(after, before, increment);
}

function state({ value, isCalled }: State): string {
  return isCalled ? value : `${value} (not yet called)`;
}

function range({ before, after }: SequenceFact): string {
  return before.value === after.value && before.isCalled === after.isCalled
    ? state(after)
    : `between ${state(before)} and ${state(after)}`;
}
