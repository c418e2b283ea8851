import { z } from 'zod';
import { judgeContinuity, lastEncryptedOf } from '../core/backup-judgement.ts';
import { describeBackup, judgeClock } from '../core/backup-report.ts';
import { trendsOf } from '../core/backup-tables.ts';
import { type CatalogBackup, mergeCatalogs } from '../core/catalog.ts';
import { Failure } from '../core/failure.ts';
import { wholeSeconds } from '../core/make-manifest.ts';
import type { Manifest, Scope } from '../core/manifest.ts';
import { openBackupStores } from '../core/open-backup-stores.ts';
import type { DumpRequest, Store, World } from '../core/ports.ts';
import { readPreviousManifest } from '../core/previous-manifest.ts';
import type { Report } from '../core/report.ts';
import { formatBytes } from '../core/size.ts';
import { judgeSize, sizeHistory } from '../core/size-judgement.ts';
import { type BackupPlan, writeBackup } from '../core/write-backup.ts';
import { common } from '../github/inputs/every-action.ts';
import { ofBackups } from '../github/inputs/of-backups.ts';
import {
  choice,
  duration,
  flag,
  lines,
  parseInputs,
  type RawInputs,
  shared,
  text,
  timespan,
} from '../github/inputs.ts';

export const description =
  'Back up a PostgreSQL database: one stream into every store at once, with the facts a restore is compared with.';

export const inputs = z.strictObject({
  source: shared.source,
  'database-url': text(
    'The database, `postgresql://user:password@host:5432/name?sslmode=require`. What it leaves out, or all of it when empty, comes from libpq: `PGHOST`, `PGPASSWORD`, `~/.pgpass`, service files.',
    { env: true, secret: true },
  ).optional(),
  ...common,
  tables: ofBackups.tables.prefault(''),
  'exclude-tables': lines('Tables left out altogether, one a line, named as in `tables`.').prefault(''),
  'exclude-table-data': lines('Tables whose rows are left out, one a line, named as in `tables`.').prefault(''),
  'schema-only': ofBackups['schema-only'].prefault('false'),
  'data-only': ofBackups['data-only'].prefault('false'),
  compression: text('`zstd`, or `zstd:LEVEL` with a level from 1 to 22.').prefault('zstd:3'),
  'age-recipients': ofBackups['age-recipients'].prefault(''),
  facts: choice(
    ['counts', 'fingerprints', 'none'],
    'What is recorded for the drill to compare: rows of each table (`counts`), their values too (`fingerprints`), or nothing (`none`).',
  ).prefault('counts'),
  'role-passwords': flag('Dump the password hashes of roles too; only with `age-recipients`.').prefault('false'),
  'min-size': shared['min-size'],
  'max-size-deviation': shared['max-size-deviation'],
  pin: text('A reason why prune must keep this backup, e.g. `before the move to 17`.').optional(),
  'pin-for': timespan('How long the pin holds, e.g. `8w`; for ever when empty.', {}, 1).optional(),
  jobs: shared.jobs,
  labels: lines('Labels kept in the manifest, one `name=value` a line.').prefault(''),
  'lock-timeout': duration('How long to wait for another run of this source.').prefault('0'),
  'table-lock-timeout': duration('How long to wait for a table that DDL has locked.').prefault('5m'),
  'allow-newer-client': flag(
    "Dump with a newer major than the server's when its own is not installed; the server's own major may not take such a dump back.",
  ).prefault('false'),
  'bin-dir': shared['bin-dir'].optional(),
  'tools-prefix': shared['tools-prefix'].optional(),
  'tools-host': shared['tools-host'].optional(),
});

export const outputs = {
  'backup-id': 'Id of the backup, e.g. `20261121T031500Z-3f9a1c`.',
  locations: 'Where it is now, one location a line.',
  bytes: 'Sum of its stored artifacts, in bytes.',
  'manifest-sha256': 'SHA-256 of its manifest.',
  'duration-seconds': 'From the snapshot to the manifest.',
};

type Given = z.output<typeof inputs>;

/** Two backups within one second are both dated by it; the other one still is history. */
export function afterSecond(takenAt: Date | string): Date {
  return new Date(new Date(takenAt).getTime() + 1_000);
}

/** Takes a guarded snapshot, streams it into every store, judges it, and writes its manifest last. */
export async function backup(raw: RawInputs, world: World): Promise<Report> {
  const given = parseInputs(inputs, raw);
  const scope = scopeOf(given);
  const level = compressionLevel(given.compression);
  const labels = parseLabels(given.labels);
  checkEncryption(given, world);
  checkPin(given);
  const opened = await openBackupStores(given, scope, world);
  try {
    const engine = await world.openEngine('postgresql');
    const history = mergeCatalogs(opened.catalogs);
    const previous = await readPreviousManifest(opened.stores, opened.catalogs, world);
    let connected = false;
    const making = engine.withSnapshot(dumpRequest(given, scope, world), async (snapshot) => {
      connected = true;
      world.log.info(
        `Snapshot of ${given.source} at ${snapshot.takenAt.toISOString()}: PostgreSQL ${snapshot.server.version}, ${formatBytes(snapshot.databaseBytes)}, ${snapshot.tables} tables, by ${snapshot.client}.`,
      );
      const plan = planOf(given, { scope, level, labels, stores: opened.stores, history, previous, now: world.now() });
      const written = await writeBackup(snapshot, plan, world);
      return { written, databaseBytes: snapshot.databaseBytes, pin: plan.pin };
    });
    const { written, databaseBytes, pin } = await making.catch((error: unknown) => {
      throw connected ? error : explainEmptyUrl(given, error);
    });
    const [store] = written.stores;
    const trends = store === undefined ? [] : await trendsOf(store, history, written);
    return describeBackup(given.source, written, opened, {
      trends,
      databaseBytes,
      notes: notesOf(given, pin),
      history: sizeHistory(history, afterSecond(written.manifest.takenAt)),
      now: world.now(),
    });
  } finally {
    await Promise.all(opened.all.map((store) => store.close()));
  }
}

function scopeOf(given: Given): Scope {
  const chosen = [
    ...(given.tables.length > 0 ? (['tables'] as const) : []),
    ...(given['schema-only'] ? (['schema'] as const) : []),
    ...(given['data-only'] ? (['data'] as const) : []),
  ];
  if (chosen.length <= 1) return chosen[0] ?? 'full';
  throw new Failure('invalid-input', '`tables`, `schema-only` and `data-only` exclude each other.', {
    hint: 'Give each its own source and step: one source has one scope.',
  });
}

export function compressionLevel(value: string): number {
  const level = Number(/^zstd(?::(\d{1,2}))?$/.exec(value)?.[1] ?? (value === 'zstd' ? 3 : Number.NaN));
  if (level >= 1 && level <= 22) return level;
  throw new Failure('invalid-input', `\`compression\` cannot be "${value}".`, {
    hint: 'Use `zstd`, or `zstd:LEVEL` with a level from 1 to 22.',
  });
}

export function parseLabels(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => {
      const [, name, value] = /^(?!__proto__=)([A-Za-z0-9._/-]{1,63})=(.{0,500})$/su.exec(entry) ?? [];
      if (name !== undefined && value !== undefined) return [name, value];
      throw new Failure('invalid-input', `\`labels\`: "${entry}" is not a label.`, {
        hint: 'Write name=value, the name of letters, digits, `.`, `_`, `/`, `-`.',
      });
    }),
  );
}

function checkEncryption(given: Given, world: World): void {
  world.encryption.checkRecipients(given['age-recipients']);
  if (!given['role-passwords'] || given['age-recipients'].length > 0) return;
  throw new Failure('invalid-input', '`role-passwords: true` would store password hashes in clear.', {
    hint: 'Give `age-recipients` as well, or leave the passwords out.',
  });
}

export function checkPin(given: Pick<Given, 'pin' | 'pin-for'>): void {
  if (given.pin !== undefined || given['pin-for'] === undefined) return;
  throw new Failure('invalid-input', '`pin-for` is given without `pin`: nothing would be pinned.', {
    hint: 'Say in `pin` why prune must keep this backup, or leave `pin-for` out.',
  });
}

/** What an operator must know at a glance of how this backup came about. */
function notesOf(given: Given, pin: BackupPlan['pin']): Report['headline'] {
  const { 'database-url': url } = given;
  const until = pin?.until ? `until ${wholeSeconds(pin.until)}` : 'for ever';
  return [
    ...(url === undefined
      ? [{ name: 'Database chosen by', value: "libpq's environment and defaults: `database-url` is empty" }]
      : []),
    ...(pin === undefined ? [] : [{ name: 'Pinned', value: `${until}: ${pin.reason}` }]),
  ];
}

/** Where libpq went without a URL may be far from what was meant, and its hints would send people there. */
function explainEmptyUrl(given: Given, error: unknown): unknown {
  const couldNotConnect = ['source-unreachable', 'source-denied', 'tool-failed'];
  if (given['database-url'] !== undefined || !(error instanceof Failure) || !couldNotConnect.includes(error.code))
    return error;
  const empty = "`database-url` is empty (does the secret exist in this repository?), so libpq's defaults were used.";
  return new Failure(error.code, error.message, { hint: [empty, error.hint ?? ''].join(' ').trim(), cause: error });
}

function dumpRequest(given: Given, scope: Scope, world: World): DumpRequest {
  const binDir = given['bin-dir'];
  const toolsPrefix = given['tools-prefix'];
  const toolsHost = given['tools-host'];
  return {
    source: given.source,
    connection: {
      url: given['database-url'] ?? '',
      ...(binDir === undefined ? {} : { binDir }),
      ...(toolsPrefix === undefined ? {} : { toolsPrefix }),
      ...(toolsHost === undefined ? {} : { toolsHost }),
    },
    scope,
    tables: given.tables,
    excludeTables: given['exclude-tables'],
    excludeTableData: given['exclude-table-data'],
    facts: given.facts,
    rolePasswords: given['role-passwords'],
    lockTimeoutMs: given['lock-timeout'],
    tableLockTimeoutMs: given['table-lock-timeout'],
    stallMs: given['stall-timeout'],
    allowNewerClient: given['allow-newer-client'],
    jobs: given.jobs ?? 1,
    holder: holderOf(world),
    signal: world.signal,
  };
}

/** Who we are, for another run that finds the lock taken: at most 40 characters. */
export function holderOf(world: World): string {
  const run = /\/runs\/(\d+)/.exec(world.run.url ?? '')?.[1];
  const who =
    run === undefined
      ? `pid ${world.process.pid} on ${world.process.host}`
      : `run ${run} of ${world.run.repository ?? ''}`;
  return who.slice(0, 40);
}

interface Circumstances {
  readonly scope: Scope;
  readonly level: number;
  readonly labels: Record<string, string>;
  readonly stores: readonly Store[];
  readonly history: readonly CatalogBackup[];
  readonly previous: Manifest | undefined;
  readonly now: Date;
}

function planOf(given: Given, circumstances: Circumstances): BackupPlan {
  const { scope, level, labels, stores, history, previous, now } = circumstances;
  const pinFor = given['pin-for'];
  const until = pinFor === undefined ? null : new Date(now.getTime() + pinFor);
  const named = (list: string[]) => (list.length === 0 ? undefined : list);
  const content = {
    tables: named(given.tables),
    excludeTables: named(given['exclude-tables']),
    excludeTableData: named(given['exclude-table-data']),
  };
  return {
    source: given.source,
    stores,
    scope,
    compressionLevel: level,
    jobs: given.jobs ?? 1,
    recipients: given['age-recipients'],
    content: Object.fromEntries(Object.entries(content).filter(([, list]) => list !== undefined)),
    labels,
    pin: given.pin === undefined ? undefined : { reason: given.pin, until },
    stallMs: given['stall-timeout'],
    judge: ({ bytes, snapshot }) => [
      ...judgeSize({ name: 'This backup', bytes }, sizeHistory(history, afterSecond(snapshot.takenAt)), {
        minBytes: given['min-size'],
        maxDeviation: given['max-size-deviation'],
      }),
      judgeClock(snapshot.server.clockOffsetSeconds),
      ...judgeContinuity(previous, {
        scope,
        server: snapshot.server,
        tables: snapshot.tables,
        encrypted: given['age-recipients'].length > 0,
        lastEncrypted: lastEncryptedOf(history),
      }),
    ],
  };
}
