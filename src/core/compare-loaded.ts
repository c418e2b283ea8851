import { counted } from './counted.ts';
import type { LoadedTable } from './load-port.ts';
import { type Finding, finding } from './report.ts';

const WRITTEN =
  'The rows were written and are there. Somebody may have written into these tables since: look before you use or drop them.';

/** Whether what was counted in the target is what the backup holds. */
export function compareRows(tables: readonly LoadedTable[]): Finding[] {
  const rows = tables.reduce((sum, { arrived }) => sum + arrived.rows, 0);
  const fewer = tables.filter(({ expected, arrived }) => expected !== undefined && expected.rows !== arrived.rows);
  const numbers = { tables: tables.length, rows, differences: fewer.length };
  const words = fewer.map((one) => `${one.into}: expected ${one.expected?.rows ?? 0} rows, found ${one.arrived.rows}`);
  const counts =
    fewer.length === 0
      ? finding(
          'facts-tables',
          'pass',
          `${counted(tables.length, 'table')} with ${rows.toLocaleString('en-US')} rows arrived, as in the snapshot.`,
          { numbers },
        )
      : finding('facts-tables', 'fail', `${words.join('; ')}.`, { numbers, hint: WRITTEN });
  return [counts, ...compareValues(tables)];
}

function compareValues(tables: readonly LoadedTable[]): Finding[] {
  const known = tables.filter(({ expected, arrived }) => expected?.fingerprint && arrived.fingerprint);
  if (known.length === 0) return [];
  const other = known.filter((one) => one.expected?.rows === one.arrived.rows && !isSame(one));
  const numbers = { tables: known.length, differences: other.length };
  if (other.length === 0)
    return [
      finding('facts-fingerprints', 'pass', `${counted(known.length, 'table')} hold the values of the snapshot.`, {
        numbers,
      }),
    ];
  const named = other.map(({ into }) => into).join(', ');
  return [
    finding('facts-fingerprints', 'fail', `Other values than in the snapshot: ${named}.`, { numbers, hint: WRITTEN }),
  ];
}

function isSame({ expected, arrived }: LoadedTable): boolean {
  return expected?.fingerprint === arrived.fingerprint;
}
