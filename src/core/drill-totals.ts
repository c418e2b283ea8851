import type { Facts } from './facts.ts';
import type { Manifest } from './manifest.ts';
import { type Finding, finding } from './report.ts';

/**
 * Whether the counts that a manifest shows to everybody are those of the facts. A difference says
 * that one of both was changed after it was written, and nothing of the data.
 */
export function judgeTotals({ totals, server }: Pick<Manifest, 'totals' | 'server'>, facts: Facts): Finding {
  const counted = {
    rows: facts.tables.reduce((sum, table) => sum + table.rows, 0),
    schemaObjects: facts.schema.length,
    // A standby's unlogged tables are empty: they are in the manifest's number, and no facts of theirs.
    ...(server.standby ? {} : { tables: facts.tables.length }),
  };
  const wrong = Object.entries(counted).flatMap(([name, expected]) => {
    const said = totals[name as keyof typeof counted];
    return said === expected ? [] : [`totals.${name} is ${said}, and ${expected} by the facts`];
  });
  if (wrong.length === 0)
    return finding('manifest-totals', 'pass', 'The totals of the manifest are those of its facts.');
  return finding('manifest-totals', 'fail', `The manifest does not fit its facts: ${wrong.join('; ')}.`, {
    numbers: { differences: wrong.length },
    hint: 'Manifests are written once: somebody changed it. Compare it with the copy in another store, or with an older version of the object.',
  });
}
