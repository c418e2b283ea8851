import { type CatalogBackup, isComplete, usualScope } from './catalog.ts';
import type { Manifest } from './manifest.ts';
import { readManifestOf } from './manifest-reading.ts';
import type { Store } from './ports.ts';
import type { Table, Trend } from './report.ts';
import { formatBytes } from './size.ts';
import { sizeTrend } from './size-trend.ts';
import type { WrittenBackup } from './write-backup.ts';

/** Manifests read for the curve of durations, this one's included. */
const DURATION_POINTS = 10;

/** What was stored, what was left out, and the largest tables of a backup. */
export function tablesOf({ manifest, facts }: WrittenBackup): Table[] {
  const largest = (facts?.tables ?? []).toSorted((a, b) => b.rows - a.rows).slice(0, 20);
  return [
    artifactTable(manifest),
    {
      title: 'Left out',
      columns: [{ name: 'What' }, { name: 'Why' }],
      rows: manifest.content.leftOut.map(({ what, why }) => [what, why]),
      folded: true,
    },
    {
      title: 'Tables with the most rows',
      columns: [{ name: 'Table' }, { name: 'Rows', numeric: true }],
      rows: largest.map(({ name, rows }) => [name, String(rows)]),
      folded: true,
    },
  ].filter(({ rows }) => rows.length > 0);
}

function artifactTable({ artifacts }: Manifest): Table {
  return {
    title: 'Artifacts',
    columns: [
      { name: 'Artifact' },
      { name: 'Stored', numeric: true },
      { name: 'Plain', numeric: true },
      { name: 'SHA-256' },
    ],
    rows: artifacts.map(({ key, bytes, plainBytes, sha256 }) => [
      key,
      formatBytes(bytes),
      plainBytes === undefined ? '' : formatBytes(plainBytes),
      `${sha256.slice(0, 16)}…`,
    ]),
  };
}

/** Size and duration of the last backups and this one, oldest first. */
export async function trendsOf(
  store: Store,
  history: readonly CatalogBackup[],
  written: Pick<WrittenBackup, 'manifest'>,
): Promise<Trend[]> {
  const { manifest } = written;
  const scope = usualScope(history) ?? manifest.scope;
  const before = history.filter((one) => isComplete(one) && one.scope === scope && one.id !== manifest.id);
  const bytes = manifest.artifacts.reduce((sum, artifact) => sum + artifact.bytes, 0);
  const takenAt = new Date(manifest.takenAt);
  return [
    sizeTrend('Stored size of the last backups', [...before, { takenAt, bytes }]),
    { title: 'Duration of the last backups', unit: 's', points: await durations(store, before, manifest) },
  ];
}

async function durations(store: Store, before: readonly CatalogBackup[], now: Manifest): Promise<Trend['points']> {
  const read = await Promise.all(
    before.slice(1 - DURATION_POINTS).map((one) =>
      // One that cannot be read is a finding of verify-freshness; here it is a point less.
      readManifestOf(store, one.source, one.id).then(
        ({ manifest }) => manifest,
        () => undefined,
      ),
    ),
  );
  const manifests = [...read.filter((one) => one !== undefined), now];
  return manifests.map(({ takenAt, durationSeconds }) => ({
    label: takenAt.slice(0, 16).replace('T', ' '),
    value: durationSeconds,
  }));
}
