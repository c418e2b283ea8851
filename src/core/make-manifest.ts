import type { Facts } from './facts.ts';
import type { Artifact, Manifest } from './manifest.ts';
import type { Snapshot, World } from './ports.ts';
import type { Finding } from './report.ts';

export interface MadeBackup {
  readonly id: string;
  readonly startedAt: Date;
  readonly snapshot: Snapshot;
  readonly world: World;
  readonly artifacts: readonly Artifact[];
  readonly plan: {
    readonly source: string;
    readonly scope: Manifest['scope'];
    readonly recipients: readonly string[];
    readonly content: { tables?: string[]; excludeTables?: string[]; excludeTableData?: string[] };
    readonly labels: Readonly<Record<string, string>>;
  };
}

/**
 * What is known of a backup when its last artifact is stored.
 *
 * @param findings judged while it was made; with encryption those that name tables lose their names
 */
export function makeManifest(made: MadeBackup, facts: Facts | undefined, findings: readonly Finding[]): Manifest {
  const { plan, id, snapshot, world, startedAt } = made;
  const { server } = snapshot;
  const { settings } = server;
  const encrypted = plan.recipients.length > 0;
  const hidesSettings = encrypted || isLong(settings);
  const finishedAt = world.now();
  const rows = facts?.tables.reduce((sum, table) => sum + table.rows, 0) ?? null;
  return {
    format: 1,
    id,
    source: plan.source,
    engine: 'postgresql',
    kind: 'logical',
    scope: plan.scope,
    takenAt: wholeSeconds(snapshot.takenAt),
    finishedAt: wholeSeconds(finishedAt),
    durationSeconds: (finishedAt.getTime() - startedAt.getTime()) / 1000,
    server: hidesSettings ? { ...server, settings: [] } : server,
    // Names of tables stay in the encrypted facts: anybody who lists the store can read a manifest.
    content: {
      ...(encrypted ? {} : plan.content),
      leftOut: [...snapshot.leftOut, ...(hidesSettings && facts === undefined ? lostSettings(settings) : [])],
    },
    artifacts: [...made.artifacts],
    totals: {
      databaseBytes: snapshot.databaseBytes,
      tables: snapshot.tables,
      rows,
      schemaObjects: facts?.schema.length ?? 0,
    },
    findings: findings.map((one) => (encrypted ? withoutNames(one) : one)),
    client: snapshot.client,
    tool: { ...world.tool },
    run: world.run,
    ...(Object.keys(plan.labels).length === 0 ? {} : { labels: { ...plan.labels } }),
  };
}

/**
 * Values of settings may be secrets (`ALTER DATABASE … SET app.key`): they stay in the encrypted facts. So do
 * long ones, since any role may give itself a variable of its own, and a manifest of megabytes is read by nobody.
 */
function isLong(settings: Manifest['server']['settings']): boolean {
  return settings.reduce((sum, { setting }) => sum + setting.length, 0) > LONGEST_SETTINGS;
}

/** Without facts there is nowhere else to put them. */
function lostSettings(settings: Manifest['server']['settings']): Manifest['content']['leftOut'] {
  if (settings.length === 0) return [];
  const why = 'with `facts: none` there is no encrypted place for their values; `facts: counts` keeps them';
  return [{ what: `${settings.length} settings of the database`, why }];
}

/** In characters, all together. */
const LONGEST_SETTINGS = 100_000;

/** Rules whose messages name tables or sequences. */
const NAMING = new Set<Finding['rule']>(['sequence-moved', 'backup-restarted', 'facts-read']);

function withoutNames(one: Finding): Finding {
  return NAMING.has(one.rule)
    ? { ...one, message: 'Named in the log and report of the run that made this backup.' }
    : one;
}

/** `2026-11-21T03:15:00Z`. */
export function wholeSeconds(at: Date): string {
  return at.toISOString().replace(/\.\d+Z$/, 'Z');
}
