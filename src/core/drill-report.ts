import { drillSamples } from './copy-metrics.ts';
import type { ConcludedDrill, WrittenRecord } from './drill-record.ts';
import { formatDuration } from './duration.ts';
import type { Sample } from './metrics.ts';
import type { Proof } from './records.ts';
import { type Finding, type Report, report, type Table, type Trend } from './report.ts';
import { readRestoreTimes, restoreTrend } from './restore-trend.ts';
import { formatBytes } from './size.ts';

/** Drills in the curve, the present one among them. */
const TREND_DRILLS = 10;

/** The report of a drill: verdict, proof, times, rows, and how long the last restores took. */
export async function describeDrill(
  drill: ConcludedDrill,
  { key, sha256, record, findings: recorded }: WrittenRecord,
  findings: readonly Finding[],
): Promise<Report> {
  const { plan, outcome, proof, dataLossSeconds } = drill;
  const { backup } = plan.copies.chosen;
  const seconds = outcome.restoreMs === null ? '' : String(outcome.restoreMs / 1000);
  return report(`Restore drill of ${backup.source}: ${wordOf(proof)}`, [...findings, ...recorded], {
    headline: headline(drill),
    tables: [...outcome.tables, ...rowTable(drill)],
    trends: await readRestoreTrend(drill),
    outputs: {
      'backup-id': backup.id,
      proof,
      'restore-seconds': seconds,
      'data-loss-seconds': dataLossSeconds === null ? '' : String(dataLossSeconds),
      'record-key': key,
    },
    sources: [backup.source],
    metrics: samplesOfDrill(drill),
    drill: { key, sha256, record },
  });
}

/** A drill that found nothing out leaves the numbers of the last conclusive one; its verdict tells of it. */
function samplesOfDrill({ plan, outcome, startedAt, finishedAt, proof, alsoRead }: ConcludedDrill): Sample[] {
  if (proof === 'inconclusive') return [];
  // As in the record: bytes that went bad in one store say nothing against another.
  const stores = [plan.copies.store.location, ...(proof === 'proven' ? alsoRead : [])];
  const restoreSeconds = outcome.restoreMs === null ? null : outcome.restoreMs / 1000;
  const { source } = plan.copies.chosen.backup;
  return stores.flatMap((store) => drillSamples({ source, store }, { proof, startedAt, restoreSeconds }, finishedAt));
}

function wordOf(proof: Proof): string {
  return proof === 'inconclusive' ? 'nothing proven' : `backup ${proof}`;
}

/** What is not proven may lose everything: then no time can be given. */
function describeLoss(proof: Proof, lossMs: number): string {
  return proof === 'proven' ? formatDuration(lossMs) : 'unknown: this backup is not proven';
}

function headline({ plan, outcome, startedAt, proof, dataLossSeconds, alsoRead }: ConcludedDrill) {
  const { chosen, store } = plan.copies;
  const { manifest } = chosen;
  const age = startedAt.getTime() - Date.parse(manifest.takenAt);
  const bytes = manifest.artifacts.reduce((sum, one) => sum + one.bytes, 0);
  const { restoreMs, scratch, kept } = outcome;
  return [
    { name: 'Backup', value: `${manifest.id}, ${formatDuration(age)} old, ${formatBytes(bytes)} (${manifest.scope})` },
    { name: 'Proof', value: proof },
    { name: 'Restored in', value: restoreMs === null ? 'not restored' : formatDuration(restoreMs) },
    ...(dataLossSeconds === null ? [] : [{ name: 'Data loss', value: describeLoss(proof, age) }]),
    { name: 'Store', value: [store.location, ...alsoRead.map((other) => `${other} (read back)`)].join(', ') },
    ...(scratch === undefined
      ? []
      : [{ name: 'Scratch server', value: `PostgreSQL ${scratch.version}, ${scratch.server}` }]),
    ...(kept === undefined ? [] : [{ name: 'Kept for 24 hours', value: kept }]),
    ...chosen.skipped.slice(0, 3).map(({ id, why }) => ({ name: 'Passed over', value: `${id}: ${why}` })),
  ];
}

function rowTable({ outcome }: ConcludedDrill): Table[] {
  const { expected, found } = outcome;
  if (expected === undefined || expected.tables.length === 0) return [];
  const rowsOf = new Map(found?.tables.map(({ name, rows }) => [name, rows]));
  const cell = (rows: number | undefined) => rows?.toLocaleString('en-US') ?? 'absent';
  return [
    {
      title: 'Rows per table',
      columns: [{ name: 'Table' }, { name: 'Expected', numeric: true }, { name: 'Found', numeric: true }],
      rows: expected.tables.map(({ name, rows }) => [
        name,
        cell(rows),
        found ? cell(rowsOf.get(name)) : 'not restored',
      ]),
      folded: true,
    },
  ];
}

async function readRestoreTrend({ plan, outcome, startedAt }: ConcludedDrill): Promise<Trend[]> {
  const times = await readRestoreTimes(plan.copies.store, plan.copies.catalog, TREND_DRILLS - 1);
  const { restoreMs } = outcome;
  return restoreTrend(restoreMs === null ? times : [...times, { at: startedAt, seconds: restoreMs / 1000 }]);
}
