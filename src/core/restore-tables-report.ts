import { counted } from './counted.ts';
import { withoutNames } from './drill-record.ts';
import { formatDuration } from './duration.ts';
import type { Loaded, TableSql } from './load-port.ts';
import { wholeSeconds } from './make-manifest.ts';
import type { World } from './ports.ts';
import type { RestoreRecord } from './records.ts';
import { type Finding, type Report, report, type Table, worst } from './report.ts';
import { withoutSecrets } from './restore-record.ts';
import { aboutBackup, aboutTarget } from './restore-report.ts';
import type { PlannedTables, TablesOutcome } from './restore-tables.ts';

/** The report of a dry run, or of a restore that was refused: in both nothing was changed. */
export function describeTablesPlan(job: PlannedTables, findings: readonly Finding[]): Report {
  const { asked, known } = job;
  const title = asked.dryRun
    ? `Plan to restore ${what(job)} of ${asked.source} into ${known.target}`
    : `Restore of ${asked.source} refused: nothing was changed`;
  const done = asked.dryRun ? 'Dry run' : 'Refused';
  return report(title, findings, {
    headline: [{ name: done, value: 'nothing was changed' }, ...about(job)],
    tables: [stepTable(job)],
    outputs: outputsOf(job, undefined),
    sources: [asked.source],
  });
}

/** What arrived where, and what to type next. */
export function describeTables(job: PlannedTables, outcome: TablesOutcome, findings: readonly Finding[]): Report {
  const { asked, known } = job;
  const { loaded, restoreMs } = outcome;
  const ending = loaded === undefined ? 'nothing was written' : describeEnd(job, loaded);
  return report(`Restore of ${asked.source}: ${ending}`, findings, {
    headline: [
      {
        name: known.target,
        value: loaded === undefined ? 'as it was' : `${describeEnd(job, loaded)}; all else is as it was`,
      },
      { name: 'Took', value: restoreMs === null ? 'it did not come to its end' : formatDuration(restoreMs) },
      ...about(job),
    ],
    tables: [...(loaded === undefined ? [] : tablesOf(job, loaded)), stepTable(job)],
    outputs: outputsOf(job, outcome),
    sources: [asked.source],
  });
}

function what({ asked }: PlannedTables): string {
  return asked.intoSchema === undefined ? 'rows' : 'tables';
}

function about({ known, copies }: PlannedTables): Report['headline'] {
  return [...aboutBackup(known, copies.store.location), ...aboutTarget(known)];
}

function describeEnd({ asked, known }: PlannedTables, { tables }: Loaded): string {
  const rows = counted(
    tables.reduce((sum, { arrived }) => sum + arrived.rows, 0),
    'row',
  );
  const count = counted(tables.length, 'table');
  return asked.intoSchema === undefined
    ? `${rows} were written into ${count} of ${known.target}`
    : `${count} with ${rows} are in the schema ${asked.intoSchema} of ${known.target}`;
}

function tablesOf({ asked, known }: PlannedTables, { tables, sql, leftOut }: Loaded): Table[] {
  const rows = (count: number | undefined) => (count === undefined ? '' : count.toLocaleString('en-US'));
  const lines =
    sql.length === 0
      ? []
      : [sqlTable('SQL that shows the differences', sql, 'differences'), sqlTable('SQL that merges', sql, 'merge')];
  const drop = `DROP SCHEMA "${asked.intoSchema?.replaceAll('"', '""') ?? ''}" CASCADE;`;
  return [
    {
      title: 'Tables',
      columns: [
        { name: 'Table' },
        { name: 'Restored as' },
        { name: 'In the snapshot', numeric: true },
        { name: 'Arrived', numeric: true },
      ],
      rows: tables.map(({ from, into, expected, arrived }) => [from, into, rows(expected?.rows), rows(arrived.rows)]),
    },
    ...lines,
    ...(asked.intoSchema === undefined
      ? []
      : [{ title: 'When it is no longer needed', columns: [{ name: `Type in ${known.target}` }], rows: [[drop]] }]),
    ...(leftOut.length === 0
      ? []
      : [{ title: 'Left out', columns: [{ name: 'What' }], rows: leftOut.map((one) => [one]), folded: true }]),
  ];
}

/** Line by line, so that it is copied as it is. */
export function sqlLines(sql: readonly TableSql[], which: 'differences' | 'merge'): string[] {
  const lines = sql.flatMap((one) => one[which].split('\n').filter((line) => line !== ''));
  return which === 'differences' ? lines : ['BEGIN;', ...lines, '-- Look at what it says, then: COMMIT;'];
}

function sqlTable(title: string, sql: readonly TableSql[], which: 'differences' | 'merge'): Table {
  return { title, columns: [{ name: 'Type' }], rows: sqlLines(sql, which).map((line) => [line]) };
}

function stepTable({ plan }: PlannedTables): Table {
  const rows = plan.steps.map((step, at) => [String(at + 1), step]);
  return {
    title: 'Steps',
    columns: [
      { name: '#', numeric: true },
      { name: 'What it does', wraps: true },
    ],
    rows,
    folded: true,
  };
}

function outputsOf({ known }: PlannedTables, outcome: TablesOutcome | undefined): Record<string, string> {
  const { backup, manifest, now, target } = known;
  const restoreMs = outcome?.restoreMs ?? null;
  return {
    'backup-id': backup.id,
    database: outcome?.loaded === undefined ? '' : target,
    'safety-backup-id': '',
    'restore-seconds': restoreMs === null ? '' : String(restoreMs / 1000),
    'data-loss-seconds': String(Math.round((now.getTime() - Date.parse(manifest.takenAt)) / 1000)),
  };
}

export function makeTablesRecord(
  { asked, known, copies }: PlannedTables,
  outcome: TablesOutcome,
  world: World,
): RestoreRecord {
  const { manifest, sha256 } = copies.chosen;
  const { findings, steps, restoreMs, startedAt, loaded } = outcome;
  const isEncrypted = manifest.artifacts.some(({ encryption }) => encryption !== null);
  return {
    ...{ format: 1, id: asked.id, source: asked.source, backup: manifest.id, manifestSha256: sha256 },
    takenAt: manifest.takenAt,
    store: copies.store.location,
    startedAt: wholeSeconds(startedAt),
    finishedAt: wholeSeconds(world.now()),
    way: asked.intoSchema === undefined ? 'rows' : 'tables',
    target: { server: known.state.location, database: known.target },
    database: loaded === undefined ? null : known.target,
    kept: null,
    safetyBackup: null,
    restoreSeconds: restoreMs === null ? null : restoreMs / 1000,
    dataLossSeconds: Math.round((startedAt.getTime() - Date.parse(manifest.takenAt)) / 1000),
    verdict: worst(findings),
    failedAt: loaded === undefined ? (steps.at(-1)?.name ?? null) : null,
    findings: findings.map((one) => withoutSecrets(isEncrypted ? withoutNames(one) : one, world)),
    steps: steps.map(({ name, seconds }) => ({ name, seconds })),
    tool: { ...world.tool },
    run: world.run,
  };
}
