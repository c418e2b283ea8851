import { bytesOf } from './drill-fetch.ts';
import type { DrillStep } from './drill-steps.ts';
import { formatDuration } from './duration.ts';
import { type Finding, type Report, report, type Table } from './report.ts';
import type { RestoreJob, RestoreOutcome } from './restore.ts';
import { describeConnections } from './restore-guards.ts';
import { type NextCommand, nextCommands, type Reach } from './restore-next.ts';
import { describeEstimate, describeWay, type RestorePlan } from './restore-plan.ts';
import { databaseOf } from './restore-record.ts';
import type { RestoreKnown } from './restore-request.ts';
import { describeSituation, titleOf } from './restore-situation.ts';
import { formatBytes } from './size.ts';

/** Of a plan that is only shown, or was refused. */
export interface UndoneRestore {
  readonly job: Pick<RestoreJob, 'asked' | 'known' | 'plan' | 'copies'>;
  readonly findings: readonly Finding[];
}

/** The report of a dry run, or of a restore that was refused: in both nothing was changed. */
export function describePlan({ job, findings }: UndoneRestore): Report {
  const { asked, known, plan, copies } = job;
  const title = asked.dryRun
    ? `Plan to restore ${asked.source} into ${plan.target}`
    : `Restore of ${asked.source} refused: nothing was changed`;
  return report(title, findings, {
    headline: [
      { name: asked.dryRun ? 'Dry run' : 'Refused', value: 'nothing was changed' },
      { name: 'Plan', value: describeWay(plan) },
      ...aboutBackup(known, copies.store.location),
      ...aboutTarget(known),
      { name: 'Estimated time', value: describeEstimate(known.drillSeconds) },
      ...copies.chosen.skipped.slice(0, 3).map(({ id, why }) => ({ name: 'Passed over', value: `${id}: ${why}` })),
    ],
    tables: [stepTable(plan), ...leftTable(known)],
    outputs: outputsOf(job, undefined),
    sources: [asked.source],
  });
}

/** What the log says of a plan before it is carried out. */
export function planHeadline({ known, plan, copies }: UndoneRestore['job']): string[] {
  const lines = [...aboutBackup(known, copies.store.location), ...aboutTarget(known)];
  return [
    describeWay(plan),
    ...lines.map(({ name, value }) => `${name}: ${value}`),
    `Estimated time: ${describeEstimate(known.drillSeconds)}`,
  ];
}

/** The report of a restore that was begun: first of all what is where now, then what to type. */
export function describeRestore(
  job: RestoreJob,
  outcome: RestoreOutcome,
  findings: readonly Finding[],
  reach: Reach,
): Report {
  const { asked, known, plan, copies } = job;
  const { situation, restoreMs } = outcome;
  const lines = describeSituation(situation, { target: plan.target, backup: known.backup.id });
  const next = nextCommands(situation, asked, plan, reach);
  return report(`Restore of ${asked.source}: ${titleOf(situation, plan.target)}`, findings, {
    headline: [
      ...lines.map(({ what, is }) => ({ name: what, value: is })),
      { name: 'Took', value: restoreMs === null ? 'it did not come to its end' : formatDuration(restoreMs) },
      ...aboutBackup(known, copies.store.location),
    ],
    tables: [
      ...nextTable(next),
      ...outcome.tables,
      stepTable(plan, outcome.steps, situation.failedAt),
      ...leftTable(known),
    ],
    outputs: outputsOf(job, outcome),
    sources: [asked.source],
  });
}

export function aboutBackup({ manifest, now, state }: RestoreKnown, store: string): Report['headline'] {
  const takenAt = Date.parse(manifest.takenAt);
  const age = formatDuration(Math.max(0, now.getTime() - takenAt));
  const write = state.database?.newestWrite;
  const since =
    write != null && write.at.getTime() > takenAt
      ? `; the target was last written ${formatDuration(write.at.getTime() - takenAt)} after it`
      : '';
  return [
    { name: 'Backup', value: `${manifest.id}, ${formatBytes(bytesOf(manifest))} (${manifest.scope}), from ${store}` },
    { name: 'Data loss', value: `${age}: taken at ${manifest.takenAt}${since}` },
  ];
}

export function aboutTarget({ state }: RestoreKnown): Report['headline'] {
  const { database, location } = state;
  if (database === undefined) return [{ name: 'Target now', value: `${location} does not exist` }];
  const { bytes, tables, isEmpty, newestWrite, connections } = database;
  const written =
    newestWrite === null
      ? 'not known when it was written last'
      : `last written ${newestWrite.from === 'files' ? 'about ' : ''}${newestWrite.at.toISOString().replace(/\.\d+Z$/, 'Z')}`;
  const who = connections.length === 0 ? 'nobody is connected' : `connected: ${describeConnections(connections)}`;
  const size = isEmpty ? 'empty' : `${formatBytes(bytes)} in ${tables} tables`;
  return [{ name: 'Target now', value: `${location}: ${size}, ${written}, ${who}` }];
}

/** @param done steps that were begun; undefined: none was */
function stepTable({ steps }: RestorePlan, done?: readonly DrillStep[], failedAt?: string): Table {
  const rows = steps.map(({ name, what }, at) => [String(at + 1), name, what]);
  const columns = [{ name: '#', numeric: true }, { name: 'Step' }, { name: 'What it does', wraps: true }];
  if (done === undefined) return { title: 'Steps', columns, rows };
  const ending = (at: number) => {
    const one = done[at];
    if (one === undefined) return 'not begun';
    return `${one.name === failedAt ? 'failed after ' : ''}${formatDuration(one.seconds * 1000)}`;
  };
  return { title: 'Steps', columns: [...columns, { name: 'Took' }], rows: rows.map((row, at) => [...row, ending(at)]) };
}

/** Line by line: what is typed must be copied as it is. */
function nextTable(next: readonly NextCommand[]): Table[] {
  const rows = next.flatMap(({ to, command }) =>
    command
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line, at) => [at === 0 ? to : '', line]),
  );
  return rows.length === 0 ? [] : [{ title: 'What to do next', columns: [{ name: 'To' }, { name: 'Type' }], rows }];
}

/** Databases of earlier restores: each takes room, and nobody else remembers them. */
function leftTable({ state }: RestoreKnown): Table[] {
  if (state.leftDatabases.length === 0) return [];
  const words = { unfinished: 'left by a restore that was killed', kept: 'kept by an earlier restore' };
  return [
    {
      title: 'Databases of earlier restores',
      columns: [{ name: 'Database' }, { name: 'What it is' }, { name: 'Size', numeric: true }],
      rows: state.leftDatabases.map(({ name, what, bytes }) => [name, words[what], formatBytes(bytes)]),
    },
  ];
}

function outputsOf({ known, plan }: UndoneRestore['job'], outcome: RestoreOutcome | undefined): Record<string, string> {
  const { backup, manifest, now } = known;
  const restoreMs = outcome?.restoreMs ?? null;
  return {
    'backup-id': backup.id,
    database: (outcome && databaseOf(outcome, plan.target)) ?? '',
    'safety-backup-id': outcome?.situation.safety?.id ?? '',
    'restore-seconds': restoreMs === null ? '' : String(restoreMs / 1000),
    'data-loss-seconds': String(Math.round((now.getTime() - Date.parse(manifest.takenAt)) / 1000)),
  };
}
