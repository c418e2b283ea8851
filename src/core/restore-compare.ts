import { type ComparisonGiven, compareAndTabulate } from './compare-facts.ts';
import { counted } from './counted.ts';
import { judgeTotals } from './drill-totals.ts';
import type { Facts } from './facts.ts';
import type { Manifest } from './manifest.ts';
import { type Finding, finding, type Table } from './report.ts';
import type { RestoreAsked } from './restore-request.ts';

/** Kinds of facts that a restore without owners leaves out. */
const OF_OWNERS = new Set(['owner', 'grant', 'default-privileges']);
const LEFT_THERE =
  'Nothing was swapped. Look at the table of differences: restore another backup, or put this one in its place by hand, knowingly.';

interface Compared {
  readonly findings: readonly Finding[];
  readonly tables: readonly Table[];
}

/** Compares a restored database with the facts of its snapshot, as far as it was meant to be the same. */
export function compareRestored(
  { manifest, expected, major }: { manifest: Manifest; expected: Facts; major: number },
  found: Facts,
  asked: Pick<RestoreAsked, 'owner' | 'part'>,
): Compared {
  const given: ComparisonGiven = {
    sameMajor: major === manifest.server.major,
    scope: asked.part === 'all' ? manifest.scope : asked.part,
    // Roles are those of the server, which has others too.
    foreignServer: true,
  };
  const [left, right] = asked.owner ? [expected, found] : [withoutOwners(expected), withoutOwners(found)];
  const { findings, tables } = compareAndTabulate(left, right, given);
  const judged = findings.map((one) => (one.status === 'fail' ? { ...one, hint: LEFT_THERE } : one));
  const message = `The backup has facts (${expected.level}) of ${counted(expected.tables.length, 'table')}.`;
  return {
    findings: [finding('facts-missing', 'pass', message), judgeTotals(manifest, expected), ...judged],
    tables,
  };
}

/** Nothing to compare with is no reason to keep somebody from the only backup there is. */
export function nothingToCompare(): Finding {
  return finding('facts-missing', 'warn', 'The backup was made without facts: nobody compared what was restored.', {
    hint: 'Look at the restored database yourself. Back up with `facts: counts` (the default) from now on.',
  });
}

function withoutOwners(facts: Facts): Facts {
  return { ...facts, roles: [], settings: [], schema: facts.schema.filter(({ kind }) => !OF_OWNERS.has(kind)) };
}

export interface CriticalRows {
  readonly table: string;
  /** In the target when the restore began; null: there is no such table, or nobody could look. */
  readonly before: number | null;
  readonly restored: number | null;
}

/** A table that somebody calls critical and that is not there is no restore to go on with. */
export function judgeCriticalTables(rows: readonly CriticalRows[]): Compared {
  const cell = (count: number | null) => (count === null ? 'absent' : count.toLocaleString('en-US'));
  const columns = [
    { name: 'Table' },
    { name: 'In the target before', numeric: true },
    { name: 'Restored', numeric: true },
  ];
  const table = {
    title: 'Critical tables',
    columns,
    rows: rows.map((row) => [row.table, cell(row.before), cell(row.restored)]),
  };
  const absent = rows.filter(({ restored }) => restored === null).map((row) => row.table);
  const empty = rows.filter(({ restored }) => restored === 0).map((row) => row.table);
  const judged =
    absent.length > 0
      ? finding('critical-tables', 'fail', `Critical tables are not in what was restored: ${absent.join(', ')}.`, {
          hint: 'Check their names in `critical-tables` (`schema.table`). If they are right, this is the wrong backup.',
        })
      : empty.length > 0
        ? finding('critical-tables', 'warn', `Critical tables are empty: ${empty.join(', ')}.`, {
            hint: 'Compare with what you expect before you let the application in.',
          })
        : finding('critical-tables', 'pass', `${counted(rows.length, 'critical table')} hold rows.`);
  return { findings: [judged], tables: [table] };
}
