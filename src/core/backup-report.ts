import { lossOf } from './backup-stores.ts';
import { tablesOf } from './backup-tables.ts';
import { backupSamples } from './copy-metrics.ts';
import { formatDuration } from './duration.ts';
import { whereIs } from './keys.ts';
import type { Manifest } from './manifest.ts';
import type { OpenedStores } from './open-backup-stores.ts';
import type { Store } from './ports.ts';
import { type Finding, finding, type Report, report, type Trend } from './report.ts';
import { formatBytes } from './size.ts';
import type { WrittenBackup } from './write-backup.ts';

/** `takenAt` is of the server's clock: one that is wrong by minutes makes every age wrong by minutes. */
export function judgeClock(offset: number): Finding {
  const numbers = { offsetSeconds: offset, warnSeconds: 60, failSeconds: 600 };
  const far = Math.abs(offset);
  if (far <= 60)
    return finding('clock-offset', 'pass', `The server's clock is within a minute of this runner's.`, { numbers });
  const message = `The server's clock is ${formatDuration(far * 1000)} ${offset > 0 ? 'ahead of' : 'behind'} this runner's.`;
  return finding('clock-offset', far > 600 ? 'fail' : 'warn', message, { numbers, hint: 'Let both keep time by NTP.' });
}

export interface BackupCircumstances {
  /** Bytes of the backups before it, oldest first. */
  readonly history: readonly number[];
  readonly now: Date;
  readonly trends: readonly Trend[];
  readonly databaseBytes: number;
  /** More lines of the headline. */
  readonly notes: Report['headline'];
}

/** Everything a reader of the summary wants to know of a backup that was just written. */
export function describeBackup(
  source: string,
  written: WrittenBackup,
  opened: Pick<OpenedStores, 'findings' | 'created'>,
  { trends, databaseBytes, notes, history, now }: BackupCircumstances,
): Report {
  const failed = [...written.failed].map(([store, error]) => lossOf(store, error));
  const copies = written.stores.map((store) =>
    finding('store-copy', 'pass', `${store.location} holds the backup.`, { subject: store.location }),
  );
  const findings = [
    writtenFinding(written, databaseBytes),
    ...opened.findings,
    ...failed,
    ...copies,
    ...opened.created.filter((store) => written.stores.includes(store)).map(createdFinding),
    ...written.findings,
    factsFinding(written),
  ];
  return report(`Backup of ${source}`, findings, {
    headline: [...headlineOf(written, databaseBytes), ...notes],
    tables: tablesOf(written),
    trends,
    outputs: outputsOf(source, written),
    sources: [source],
    metrics: written.stores.flatMap(({ location: store }) =>
      backupSamples({ source, store }, written.manifest, history, now),
    ),
  });
}

function storedBytes({ manifest }: WrittenBackup): number {
  return manifest.artifacts.reduce((sum, artifact) => sum + artifact.bytes, 0);
}

function writtenFinding(written: WrittenBackup, databaseBytes: number): Finding {
  const sizes = `${formatBytes(storedBytes(written))} of ${formatBytes(databaseBytes)}`;
  const duration = formatDuration(written.manifest.durationSeconds * 1000);
  return finding('backup-written', 'pass', `${written.id} is complete: ${sizes} in ${duration}.`);
}

function headlineOf(written: WrittenBackup, databaseBytes: number): Report['headline'] {
  const { id, manifest, stores } = written;
  const { database, host, version } = manifest.server;
  const places = stores.map(({ location }) => location).join(', ');
  return [
    { name: 'Backup', value: id },
    { name: 'Taken at', value: manifest.takenAt },
    { name: 'Stored', value: `${formatBytes(storedBytes(written))} in ${places}` },
    { name: 'Database', value: `${database} on ${host}, PostgreSQL ${version}, ${formatBytes(databaseBytes)}` },
    encryptionOf(manifest),
    { name: 'Duration', value: formatDuration(manifest.durationSeconds * 1000) },
  ];
}

/** Of a recipient enough to tell keys apart: `age128d7…`. */
function encryptionOf({ artifacts }: Manifest): { name: string; value: string } {
  const recipients = new Set(artifacts.flatMap(({ encryption }) => encryption?.recipients ?? []));
  if (recipients.size === 0) return { name: 'Encryption', value: 'Not encrypted' };
  return { name: 'Encrypted to', value: [...recipients].map((recipient) => `${recipient.slice(0, 8)}…`).join(', ') };
}

/** A disk that is not mounted leaves an empty mount point, and the backups go to the disk below. */
function createdFinding({ location }: Store): Finding {
  return finding(
    'store-created',
    'warn',
    `The folder ${location} did not exist and was created; is the disk mounted?`,
    {
      subject: location,
      hint: 'At the first backup of all there is nothing to do. Otherwise mount the disk, and move the backup there.',
    },
  );
}

function outputsOf(source: string, written: WrittenBackup): Report['outputs'] {
  return {
    'backup-id': written.id,
    locations: written.stores.map((store) => whereIs(store, `${source}/${written.id}`)).join('\n'),
    bytes: String(storedBytes(written)),
    'manifest-sha256': written.manifestSha256,
    'duration-seconds': String(written.manifest.durationSeconds),
  };
}

function factsFinding({ facts }: WrittenBackup): Finding {
  if (facts === undefined) {
    return finding(
      'facts-read',
      'warn',
      'No facts were recorded (`facts: none`): a drill of this backup can prove only that it restores.',
    );
  }
  const rows = facts.tables.reduce((sum, table) => sum + table.rows, 0);
  return finding(
    'facts-read',
    'pass',
    `${facts.tables.length} tables with ${rows} rows and ${facts.schema.length} objects of the schema were recorded.`,
    {
      numbers: { tables: facts.tables.length, rows, schemaObjects: facts.schema.length },
    },
  );
}
