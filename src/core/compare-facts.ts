import {
  compareExtensions,
  compareLargeObjects,
  compareMigration,
  compareRoles,
  compareSettings,
} from './compare-database-facts.ts';
import { compareFingerprints, compareMaterializedViews, compareSequences, compareTables } from './compare-row-facts.ts';
import { compareSchema } from './compare-schema-facts.ts';
import type { Facts } from './facts.ts';
import type { Scope } from './manifest.ts';
import { type Finding, finding, type Table } from './report.ts';
import type { RuleId } from './rules.ts';

/** Under which conditions the backup was restored. */
export interface ComparisonGiven {
  readonly sameMajor: boolean;
  readonly scope: Scope;
  /** A server that was there before (`scratch-url`): its roles and settings are its own. */
  readonly foreignServer?: boolean;
}

/** One thing that is not as it was; null where it is not there at all. */
export interface Difference {
  readonly what: string;
  readonly expected: string | null;
  readonly found: string | null;
}

/** What comparing one aspect came to. */
export interface Judgement {
  readonly rule: RuleId;
  readonly numbers: Readonly<Record<string, number>>;
  /** Said when nothing differs. */
  readonly pass: string;
  readonly differences: readonly Difference[];
  /** What differences mean here; `fail` unless said. */
  readonly severity?: 'warn' | 'fail';
  /** What could not be compared, each with its reason: makes a pass `unknown`. */
  readonly unknown?: readonly string[];
}

const NOT_AS_IT_WAS =
  'This backup does not hold what was there at its snapshot. Do not rely on it: take a new backup and drill it, drill the one before, and find out who wrote to the store.';
const OTHERWISE = 'Look at the table of differences: what it names may have to be set by hand after a restore.';

/** Differences named in a message; all of them are in the table. */
const NAMED = 20;

/** One finding per aspect the backup holds: `pass` with numbers, or naming each difference. */
export function compareFacts(expected: Facts, found: Facts, given: ComparisonGiven): Finding[] {
  return compareAndTabulate(expected, found, given).findings;
}

/** The same, and a table of every difference of every aspect, however many; none when there is none. */
export function compareAndTabulate(
  expected: Facts,
  found: Facts,
  given: ComparisonGiven,
): { findings: Finding[]; tables: Table[] } {
  const judgements = judge(expected, found, given);
  return { findings: judgements.map(describe), tables: tabulate(judgements) };
}

function tabulate(judgements: readonly Judgement[]): Table[] {
  const rows = judgements.flatMap(({ rule, differences, unknown = [] }) => [
    ...differences.map((one) => [rule, one.what, one.expected ?? 'absent', one.found ?? 'absent']),
    ...unknown.map((reason) => [rule, reason, 'not known', 'not known']),
  ]);
  if (rows.length === 0) return [];
  const columns = ['Rule', 'What', 'Expected', 'Found'].map((name) => ({ name }));
  return [{ title: 'Differences from the snapshot', columns, rows, folded: rows.length > NAMED }];
}

function judge(expected: Facts, found: Facts, given: ComparisonGiven): Judgement[] {
  const { scope } = given;
  // What pg_dump --schema-only and --data-only leave out is not expected: rows, refreshed views.
  const judgements = [
    scope === 'schema' ? undefined : compareTables(expected, found),
    scope === 'schema' ? undefined : compareFingerprints(expected, found),
    scope === 'schema' || scope === 'data' ? undefined : compareMaterializedViews(expected, found),
    scope === 'schema' ? undefined : compareSequences(expected, found),
    compareSchema(expected, found, given),
    compareExtensions(expected, found),
    compareRoles(expected, found, given),
    compareLargeObjects(expected, found),
    compareSettings(expected, found, given),
    compareMigration(expected, found),
  ];
  return judgements.filter((judgement) => judgement !== undefined);
}

function describe(judgement: Judgement): Finding {
  const { rule, differences, unknown = [] } = judgement;
  const numbers = { ...judgement.numbers, differences: differences.length };
  if (differences.length > 0) {
    const sentences = [...differences.map(sentence), ...unknown];
    const { severity = 'fail' } = judgement;
    const hint = severity === 'fail' ? NOT_AS_IT_WAS : OTHERWISE;
    return finding(rule, severity, `${counted(differences.length)}: ${listed(sentences)}.`, { numbers, hint });
  }
  if (unknown.length > 0) return finding(rule, 'unknown', `Not known: ${listed(unknown)}.`, { numbers });
  return finding(rule, 'pass', judgement.pass, { numbers });
}

function sentence({ what, expected, found }: Difference): string {
  if (found === null) return `${what} is missing`;
  if (expected === null) return `${what} was not in the snapshot`;
  return `${what}: expected ${expected}, found ${found}`;
}

function counted(differences: number): string {
  return differences === 1 ? '1 difference' : `${differences.toLocaleString('en-US')} differences`;
}

function listed(sentences: readonly string[]): string {
  const more = sentences.length - NAMED;
  const end = more > 0 ? `; and ${more.toLocaleString('en-US')} more` : '';
  return sentences.slice(0, NAMED).join('; ') + end;
}
