import { ageOf } from './catalog-table.ts';
import { counted } from './counted.ts';
import { formatDuration } from './duration.ts';
import type { Facts } from './facts.ts';
import { whereIs } from './keys.ts';
import type { Manifest } from './manifest.ts';
import { type Finding, finding, type Report, report, type Table } from './report.ts';
import { quoteForShell } from './shell-words.ts';
import { describeProof, type ShownBackup } from './show-backup.ts';
import { formatBytes } from './size.ts';

export interface ShowContext {
  readonly now: Date;
  /** As they were given, for commands that can be typed. */
  readonly storeUrls: readonly string[];
  /** Undefined: none, or no identity to read them with. */
  readonly facts: Facts | undefined;
}

/** All that is known of one backup, and the commands that use it. */
export function showReport(shown: ShownBackup, context: ShowContext): Report {
  const { found, manifest, copies } = shown;
  const readable = copies.filter((copy) => copy.manifest !== undefined).length;
  const findings: Finding[] = [...shown.findings];
  if (readable > 0)
    findings.push(finding('store-readable', 'pass', `${counted(readable, 'copy').replace('copys', 'copies')} read.`));
  return report(`Backup ${found.source}/${found.id}`, findings, {
    headline: manifest === undefined ? [] : headlineOf(shown, manifest, context),
    tables: [
      copiesTable(shown, context.now),
      ...(manifest === undefined ? [] : [artifactsTable(manifest), ...leftOutTable(manifest)]),
      ...drillsTable(shown, context.now),
      ...pinsTable(shown),
      ...restoresTable(shown, context.now),
      ...(context.facts === undefined ? [] : factsTables(context.facts)),
    ],
    outputs: { 'backup-id': found.id, ...(manifest !== undefined && { manifest: JSON.stringify(manifest) }) },
    sources: [found.source],
  });
}

function headlineOf({ found }: ShownBackup, manifest: Manifest, { now, storeUrls }: ShowContext): Report['headline'] {
  const { server, totals, run, labels = {} } = manifest;
  const recipients = [...new Set(manifest.artifacts.flatMap(({ encryption }) => encryption?.recipients ?? []))];
  const bytes = manifest.artifacts.reduce((sum, artifact) => sum + artifact.bytes, 0);
  const labelled = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const product = manifest.engine === 'postgresql' ? 'PostgreSQL' : 'Redis';
  return [
    {
      name: 'Taken',
      value: `${manifest.takenAt}, ${ageOf(new Date(manifest.takenAt), now)} ago, in ${formatDuration(manifest.durationSeconds * 1_000)}`,
    },
    {
      name: 'Of',
      value: `database ${server.database} on ${server.host}${server.port === null ? '' : `:${server.port}`}, ${product} ${server.version}`,
    },
    {
      name: 'Holds',
      value: `${manifest.scope}: ${counted(totals.tables, 'table')}${totals.rows === null ? '' : `, ${counted(totals.rows, 'row')}`}`,
    },
    { name: 'Size', value: `${formatBytes(bytes)} stored; the database took ${formatBytes(totals.databaseBytes)}` },
    { name: 'Encrypted', value: recipients.length === 0 ? 'no' : `for ${recipients.join(', ')}` },
    { name: 'A restore needs', value: needs(manifest, recipients.length > 0) },
    {
      name: 'Made by',
      value: [manifest.client, `${manifest.tool.name} ${manifest.tool.version}`, run?.url].filter(Boolean).join(', '),
    },
    ...(labelled.length > 0 ? [{ name: 'Labels', value: labelled.join(', ') }] : []),
    { name: 'Restore it', value: commandFor('restore', ['--target-url-file', 'FILE'], found, storeUrls, recipients) },
    { name: 'Rehearse it', value: commandFor('restore-drill', [], found, storeUrls, recipients) },
  ];
}

function needs({ engine, server, totals }: Manifest, isEncrypted: boolean): string {
  const program = engine === 'postgresql' ? `PostgreSQL ${server.major} or newer` : `Redis ${server.version}`;
  const room = `room for about ${formatBytes(totals.databaseBytes)}`;
  return [program, room, ...(isEncrypted ? ['the age identity of a recipient'] : [])].join(', ');
}

/** As it can be typed: files stand for secrets, in capitals. */
function commandFor(
  command: string,
  words: readonly string[],
  { source, id }: { readonly source: string; readonly id: string },
  storeUrls: readonly string[],
  recipients: readonly string[],
): string {
  const stores = storeUrls.flatMap((url) => ['--store', quoteForShell(url)]);
  const key = recipients.length > 0 ? ['--age-identity-file', 'FILE'] : [];
  return ['lifeboat', command, '--source', source, '--backup', id, ...stores, ...key, ...words].join(' ');
}

function copiesTable({ copies, found }: ShownBackup, now: Date): Table {
  return {
    title: 'Copies',
    columns: [{ name: 'Where' }, { name: 'State' }, { name: 'Size', numeric: true }],
    rows: copies.map((copy) => [
      whereIs(copy.store, `${found.source}/${found.id}/`),
      describeProof(copy, now) + (copy.damages.length > 0 ? ', damaged' : ''),
      formatBytes(copy.backup.bytes),
    ]),
  };
}

function artifactsTable({ artifacts }: Manifest): Table {
  return {
    title: 'Artifacts',
    columns: [{ name: 'File' }, { name: 'Role' }, { name: 'Size', numeric: true }, { name: 'SHA-256' }],
    rows: artifacts.map(({ key, role, bytes, sha256 }) => [key, role, formatBytes(bytes), sha256]),
  };
}

function leftOutTable({ content }: Manifest): Table[] {
  if (content.leftOut.length === 0) return [];
  return [
    {
      title: 'Not in it',
      columns: [{ name: 'What' }, { name: 'Why' }],
      rows: content.leftOut.map(({ what, why }) => [what, why]),
    },
  ];
}

function drillsTable({ drills }: ShownBackup, now: Date): Table[] {
  if (drills.length === 0) return [];
  const columns = [
    { name: 'When' },
    { name: 'Proof' },
    { name: 'Verdict' },
    { name: 'Took', numeric: true },
    { name: 'Store' },
  ];
  const rows = drills.map(({ startedAt, proof, verdict, restoreSeconds, store }) => [
    `${startedAt}, ${ageOf(new Date(startedAt), now)} ago`,
    proof,
    verdict,
    restoreSeconds === null ? '' : formatDuration(restoreSeconds * 1_000),
    store,
  ]);
  return [{ title: 'Drills', columns, rows }];
}

function pinsTable({ pins }: ShownBackup): Table[] {
  if (pins.length === 0) return [];
  const columns = [{ name: 'Until' }, { name: 'Reason' }, { name: 'By' }];
  return [
    { title: 'Pins', columns, rows: pins.map(({ until, reason, by = '' }) => [until ?? 'for ever', reason, by]) },
  ];
}

function restoresTable({ restores }: ShownBackup, now: Date): Table[] {
  if (restores.length === 0) return [];
  const columns = [{ name: 'When' }, { name: 'Verdict' }, { name: 'Target' }, { name: 'It is now in' }];
  const rows = restores.map(({ startedAt, verdict, target, database }) => [
    `${startedAt}, ${ageOf(new Date(startedAt), now)} ago`,
    verdict,
    `${target.database} on ${target.server}`,
    database ?? 'no database',
  ]);
  return [{ title: 'Restores of it', columns, rows }];
}

const MOST_TABLES = 10;

function factsTables(facts: Facts): Table[] {
  const kinds = Map.groupBy(facts.schema, ({ kind }) => kind);
  const counts: [string, number][] = [
    ['tables', facts.tables.length],
    ['rows', facts.tables.reduce((sum, { rows }) => sum + rows, 0)],
    ['sequences', facts.sequences.length],
    ...[...kinds].map(([kind, some]): [string, number] => [`of the schema: ${kind}`, some.length]),
    ['roles', facts.roles.length],
    ['large objects', facts.largeObjects?.count ?? 0],
  ];
  const newest = facts.migration;
  const words = [
    ['extensions', facts.extensions.map(({ name, version }) => `${name} ${version}`).join(', ')],
    ['last migration', newest === null ? '' : `${newest.newest} (${newest.tool})`],
  ].filter(([, value]) => value !== '');
  const largest = facts.tables.toSorted((a, b) => b.rows - a.rows).slice(0, MOST_TABLES);
  return [
    {
      title: `Facts of the snapshot (${facts.level})`,
      columns: [{ name: 'What' }, { name: 'How many, or which', numeric: true }],
      rows: [
        ...counts.filter(([, count]) => count > 0).map(([name, count]) => [name, count.toLocaleString('en-US')]),
        ...(words as string[][]),
      ],
    },
    {
      title: 'Largest tables',
      columns: [{ name: 'Table' }, { name: 'Rows', numeric: true }],
      rows: largest.map(({ name, rows }) => [name, rows.toLocaleString('en-US')]),
    },
  ];
}
