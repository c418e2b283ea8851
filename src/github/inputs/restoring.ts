import { z } from 'zod';
import { Failure } from '../../core/failure.ts';
import { type RestoreAsked, restoreModes, type Waiver, waivers } from '../../core/restore-request.ts';
import { choice, duration, flag, lines, shared, text } from '../inputs.ts';
import { common } from './every-action.ts';
import { ofBackups } from './of-backups.ts';

/** Inputs of a restore. */
export const restoring = z.strictObject({
  source: shared.source,
  'target-url': text(
    'The database to restore into, `postgresql://user:password@host:5432/name?sslmode=require`, whether it exists or not. What it leaves out comes from libpq: `PGPASSWORD`, `~/.pgpass`, service files.',
    { secret: true },
  ),
  ...common,
  backup: ofBackups.backup.prefault('latest'),
  mode: choice(
    restoreModes,
    'What becomes of a target that exists. `new-database`: the backup is restored beside it, and it is left as it is. `replace`: the backup takes its place, and it is dropped once all is well; needs `confirm`.',
  ).prefault('new-database'),
  confirm: text('Name of the target database, typed by a person: allows that it is renamed or dropped.').optional(),
  swap: flag(
    'With `mode: new-database`: swap both in the end, and keep what was there under the name `…_old_…`. Needs `confirm`.',
  ).prefault('false'),
  'drop-first': flag(
    'With `mode: replace`, where the disk has no room for two: back the target up, drop it, then restore.',
  ).prefault('false'),
  'dry-run': ofBackups['dry-run'].prefault('false'),
  'safety-backup': flag(
    'Back the target up first, as source `<source>-before-restore` into the same stores, pinned and read back. With `mode: replace` always, unless this is `false` or the target is empty.',
  ).optional(),
  tables: ofBackups.tables.prefault(''),
  'into-schema': text('Schema that `tables` are restored into; made for them, beside the live data.').optional(),
  'schema-only': ofBackups['schema-only'].prefault('false'),
  'data-only': ofBackups['data-only'].prefault('false'),
  owner: flag(
    'Restore owners and grants; `false` leaves them out, and all belongs to who connects, or to `role`.',
  ).prefault('true'),
  role: text('Role that the restore is done as (`SET ROLE`).').optional(),
  'create-roles': flag('Create roles that the backup needs and the server lacks, from the backup.').prefault('false'),
  waive: lines(
    'What of the target need not follow to the restored database, one a line: `slots`, `subscriptions`, `publications`.',
  ).prefault(''),
  'allow-unproven': flag('Restore a backup although its last drill disproved it.').prefault('false'),
  'critical-tables': lines(
    'Tables whose rows are counted and shown before anything is swapped, one `schema.table` a line.',
  ).prefault(''),
  analyze: flag('ANALYZE the restored database, so that queries are planned well from the first on.').prefault('true'),
  reindex: flag('REINDEX the restored database.').prefault('false'),
  before: text(
    'Commands that stop the application, run by bash before anything is changed; not where the target is left as it is. They see none of the inputs and tokens of this step.',
  ).optional(),
  after: text(
    'Commands that start the application, run by bash once the restore passed and the backup is in its place.',
  ).optional(),
  'health-url': text(
    'URL of the application that is asked in the end until it answers 2xx, e.g. `https://shop.example/health`.',
  )
    .refine(isWebUrl, 'Use an `http://` or `https://` URL.')
    .optional(),
  'health-timeout': duration('How long `health-url` may take until it answers 2xx.', {}, 1).prefault('5m'),
  'max-duration': ofBackups['max-duration'].optional(),
  'age-identity': shared['age-identity'].prefault(''),
  'age-recipients': ofBackups['age-recipients'].prefault(''),
  jobs: shared.jobs,
  'bin-dir': shared['bin-dir'].optional(),
  'tools-prefix': shared['tools-prefix'].optional(),
  'tools-host': shared['tools-host'].optional(),
  'scratch-dir': shared['scratch-dir'].optional(),
});

export type GivenRestore = z.output<typeof restoring>;

/** What of the inputs decides. */
export function askedOf(given: GivenRestore, id: string): RestoreAsked {
  const { confirm, before, after, role, owner, swap, source, mode, analyze, reindex } = given;
  const url = given['health-url'];
  return {
    ...{ id, source, mode, swap, confirm, owner, role, before, after, analyze, reindex },
    dropFirst: given['drop-first'],
    safetyBackup: given['safety-backup'],
    part: given['schema-only'] ? 'schema' : given['data-only'] ? 'data' : 'all',
    createRoles: given['create-roles'],
    waive: given.waive as Waiver[],
    allowUnproven: given['allow-unproven'],
    health: url === undefined ? undefined : { url, timeoutMs: given['health-timeout'] },
    criticalTables: given['critical-tables'],
    dryRun: given['dry-run'],
  };
}

/** Two inputs that do not go together are refused before anything is touched: one of them was meant otherwise. */
export function refuseContradictions(given: GivenRestore): void {
  const { swap, mode, tables, waive } = given;
  const intoSchema = given['into-schema'];
  if (given['schema-only'] && (given['data-only'] || tables.length > 0))
    refuse('`schema-only` excludes `tables` and `data-only`.', 'Restore one part after the other.');
  refuseWithTables(given);
  if (swap && mode === 'replace')
    refuse(
      '`swap` and `mode: replace` exclude each other.',
      '`swap` keeps what is in the target, `replace` drops it in the end: leave one out.',
    );
  if (given['drop-first'] && mode !== 'replace')
    refuse(
      '`drop-first` is part of `mode: replace`.',
      'Give `mode: replace` when the target is to be dropped, else leave `drop-first` out.',
    );
  if (tables.length > 0 && intoSchema === undefined && !given['data-only'])
    refuse(
      '`tables` are restored beside the live data, and `into-schema` does not say where.',
      'Name a schema that is made for them, e.g. `into-schema: restored`; or with `data-only` their rows go into the tables that are there, which must be empty.',
    );
  if (given['data-only'] && intoSchema !== undefined)
    refuse('`data-only` and `into-schema` exclude each other.', 'Rows go into tables that are there: leave one out.');
  if (tables.length === 0 && intoSchema !== undefined)
    refuse('`into-schema` is for `tables`, and none is named.', 'Name the tables.');
  const unknown = waive.filter((one) => !waivers.some((kind) => kind === one));
  if (unknown.length > 0)
    refuse(
      `\`waive\` cannot be "${unknown.join('", "')}".`,
      `Use ${waivers.map((kind) => `\`${kind}\``).join(', ')}, one a line.`,
    );
}

/** What speaks of a whole database that is put in the place of another one. */
const WHOLE = [
  'swap',
  'drop-first',
  'safety-backup',
  'create-roles',
  'reindex',
  'before',
  'after',
  'health-url',
] as const;

function refuseWithTables(given: GivenRestore): void {
  if (given.tables.length === 0 && !given['data-only']) return;
  const what = given['data-only'] ? 'data-only' : 'tables';
  const set = [
    ...(given.mode === 'replace' ? ['mode'] : []),
    ...WHOLE.filter((name) => given[name] !== undefined && given[name] !== false),
    ...(given['critical-tables'].length > 0 ? ['critical-tables'] : []),
  ];
  if (set.length === 0) return;
  const names = set.map((name) => `\`${name}\``).join(', ');
  refuse(
    `${names} and \`${what}\` exclude each other.`,
    `With \`${what}\` the database stays where it is: leave ${names} out.`,
  );
}

function refuse(message: string, hint: string): never {
  throw new Failure('invalid-input', message, { hint });
}

function isWebUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}
