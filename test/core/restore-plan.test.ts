import { describe, expect, it } from 'vitest';
import { planRestore } from '../../src/core/restore-plan.ts';
import type { RestoreAsked, RestoreKnown } from '../../src/core/restore-request.ts';
import type { TargetState } from '../../src/core/target-port.ts';
import { artifactOf, at, backupAt, idAt, manifestOf, serverInfo } from '../fixtures.ts';

const takenAt = at('2026-11-21T03:15:00Z');
const id = idAt(takenAt);
const MiB = 1024 ** 2;

const asked: RestoreAsked = {
  id: '20261122T040000Z-abcdef',
  source: 'orders',
  mode: 'new-database',
  swap: false,
  dropFirst: false,
  confirm: undefined,
  safetyBackup: undefined,
  part: 'all',
  owner: true,
  role: undefined,
  createRoles: false,
  waive: [],
  allowUnproven: false,
  before: undefined,
  after: undefined,
  health: undefined,
  criticalTables: [],
  analyze: true,
  reindex: false,
  dryRun: false,
};

const database: NonNullable<TargetState['database']> = {
  bytes: 40 * MiB,
  tables: 12,
  isEmpty: false,
  newestWrite: { at: at('2026-11-22T03:00:00Z'), from: 'files' },
  connections: [],
  slots: [],
  subscriptions: [],
  publications: [],
  prepared: [],
};

const state: TargetState = {
  server: serverInfo,
  user: { name: 'postgres', superuser: true, mayCreateDatabases: true, lacks: [] },
  location: 'postgresql://db.example:5432',
  database,
  freeBytes: 10_000 * MiB,
  freeUnknown: undefined,
  missingRoles: [],
  missingExtensions: [],
  leftDatabases: [],
};

const known: RestoreKnown = {
  target: 'shop',
  state,
  backup: backupAt(takenAt),
  manifest: {
    ...manifestOf({
      source: 'orders',
      id,
      scope: 'full',
      takenAt,
      artifacts: [artifactOf('database.dump.zst', Buffer.alloc(MiB))],
    }),
    totals: { databaseBytes: 30 * MiB, tables: 12, rows: 100, schemaObjects: 40 },
  },
  tables: ['public.orders', '"My Shop"."Orders"'],
  proof: { proof: 'proven', at: at('2026-11-21T08:00:00Z') },
  drillSeconds: [40, 60, 50],
  sources: [],
  now: at('2026-11-22T04:00:00Z'),
};

const replace = { mode: 'replace', confirm: 'shop' } as const;
const swap = { swap: true, confirm: 'shop' } as const;

function plan(request: Partial<RestoreAsked> = {}, facts: Partial<RestoreKnown> = {}) {
  return planRestore({ ...asked, ...request }, { ...known, ...facts });
}
const withDatabase = (more: Partial<typeof database>) => ({ state: { ...state, database: { ...database, ...more } } });
const withState = (more: Partial<TargetState>) => ({ state: { ...state, ...more } });

describe('the steps of each way', () => {
  const all = {
    before: 'stop',
    after: 'start',
    health: { url: 'https://shop.example/health?key=secret', timeoutMs: 300_000 },
  };
  it.each([
    ['beside', all, {}, ['restore', 'compare', 'analyze', 'open']],
    [
      'create',
      all,
      withState({ database: undefined }),
      ['run before', 'restore', 'compare', 'analyze', 'rename', 'run after', 'check health'],
    ],
    [
      'swap',
      { ...all, ...swap },
      {},
      ['run before', 'restore', 'compare', 'analyze', 'swap', 'run after', 'check health'],
    ],
    [
      'replace',
      { ...all, ...replace },
      {},
      [
        'run before',
        'back up the target',
        'restore',
        'compare',
        'analyze',
        'swap',
        'run after',
        'check health',
        'drop the old database',
      ],
    ],
    [
      'drop-first',
      { ...all, ...replace, dropFirst: true },
      {},
      [
        'read the backup',
        'run before',
        'back up the target',
        'drop the target',
        'restore',
        'compare',
        'analyze',
        'rename',
        'run after',
        'check health',
      ],
    ],
    ['create', replace, withState({ database: undefined }), ['restore', 'compare', 'analyze', 'rename']],
    [
      'replace',
      { ...replace, safetyBackup: false },
      {},
      ['restore', 'compare', 'analyze', 'swap', 'drop the old database'],
    ],
    [
      'replace',
      replace,
      withDatabase({ isEmpty: true }),
      ['restore', 'compare', 'analyze', 'swap', 'drop the old database'],
    ],
    ['swap', { ...swap, safetyBackup: true }, {}, ['back up the target', 'restore', 'compare', 'analyze', 'swap']],
    [
      'beside',
      { analyze: false, reindex: true, criticalTables: ['public.orders'] },
      withState({
        leftDatabases: [
          { name: 'shop_restored_1', what: 'unfinished', bytes: 1 },
          { name: 'shop_old_1', what: 'kept', bytes: 1 },
        ],
      }),
      ['remove leftovers', 'restore', 'compare', 'reindex', 'count critical tables', 'open'],
    ],
  ] as const)('%s: %o %o', (way, request, facts, steps) => {
    const planned = plan(request as Partial<RestoreAsked>, facts);
    expect(planned).toMatchObject({ way, isRefused: false });
    expect(planned.steps.map(({ name }) => name)).toEqual(steps);
  });

  it('never drops the target before a check of what was restored, unless `drop-first` says so', () => {
    const names = plan({ ...replace, ...all }).steps.map(({ name }) => name);
    expect(names.indexOf('drop the old database')).toBeGreaterThan(names.indexOf('check health'));
    expect(names).not.toContain('drop the target');
  });

  it('says the SQL that matters, and no secret', () => {
    const text = plan({ ...swap, ...all })
      .steps.map(({ what }) => what)
      .join('\n');
    expect(text).toContain('ALTER DATABASE "shop" RENAME TO "shop_old_20261122t040000"');
    expect(text).toContain('ALTER DATABASE "shop_restored_20261122t040000" RENAME TO "shop"');
    expect(text).toContain('GET https://shop.example/health until');
    expect(text).not.toContain('secret');
  });

  it('leaves alone what an earlier restore kept on purpose', () => {
    const left = [{ name: 'a', what: 'unfinished', bytes: 1 } as const, { name: 'b', what: 'kept', bytes: 1 } as const];
    expect(plan({}, withState({ leftDatabases: left })).leftovers).toEqual(['a']);
  });
});

describe('guards', () => {
  const connections = [{ user: 'shop', application: 'api', count: 3 }];
  const app = { name: 'app', superuser: false, mayCreateDatabases: false };
  const owned = { user: { ...app, lacks: [{ what: 'rename or drop the database shop', sql: 'GRANT x TO app;' }] } };
  const drill = { proof: 'disproven', at: at('2026-11-21T08:00:00Z') } as const;
  it.each([
    ['a database that exists, and no `confirm`', { swap: true }, {}, 'restore-confirm', 'fail', 'would be renamed'],
    ['the same before a drop', { mode: 'replace' }, {}, 'restore-confirm', 'fail', 'would be dropped'],
    ['a dry run of it', { swap: true, dryRun: true }, {}, 'restore-confirm', 'warn', '`confirm` does not name it'],
    [
      'a wrong `confirm`',
      { swap: true, confirm: 'Shop' },
      {},
      'restore-confirm',
      'fail',
      '`confirm` is "Shop", and the target is shop',
    ],
    ['a wrong `confirm` where none is needed', { confirm: 'shop2' }, {}, 'restore-confirm', 'fail', 'is "shop2"'],
    ['a wrong `confirm` in a dry run', { confirm: 'shop2', dryRun: true }, {}, 'restore-confirm', 'fail', 'is "shop2"'],
    ['nothing that exists is touched', {}, {}, 'restore-confirm', 'pass', 'Nothing that exists'],
    [
      'an empty database, too',
      { mode: 'replace' },
      withDatabase({ isEmpty: true }),
      'restore-confirm',
      'fail',
      'would be dropped',
    ],
    [
      'an older server',
      {},
      withState({ server: { ...serverInfo, major: 14, version: '14.9' } }),
      'target-server',
      'fail',
      'is PostgreSQL 14.9',
    ],
    [
      'a newer server',
      {},
      withState({ server: { ...serverInfo, major: 17, version: '17.2' } }),
      'target-server',
      'pass',
      '17.2 takes a backup of 15.20',
    ],
    ['a standby', {}, withState({ server: { ...serverInfo, standby: true } }), 'target-server', 'fail', 'a standby'],
    [
      'a user who may not create databases',
      {},
      withState({
        user: { ...app, lacks: [{ what: 'create and rename databases', sql: 'ALTER ROLE app CREATEDB;' }] },
      }),
      'target-server',
      'fail',
      'app may not create and rename databases',
    ],
    ['a target that belongs to somebody else', swap, withState(owned), 'target-server', 'fail', 'rename or drop'],
    ['the same, when it is left alone', {}, withState(owned), 'target-server', 'pass', ''],
    ['a full disk', {}, withState({ freeBytes: 20 * MiB }), 'target-room', 'fail', 'and only 20 MiB are free'],
    [
      'room only once the target is dropped',
      { ...replace, dropFirst: true },
      withState({ freeBytes: 20 * MiB }),
      'target-room',
      'pass',
      'once the target is dropped',
    ],
    [
      'a disk that nobody can ask',
      {},
      withState({ freeBytes: null, freeUnknown: 'another machine' }),
      'target-room',
      'warn',
      'another machine',
    ],
    ['a backup that was disproven', {}, { proof: drill }, 'drill-proof', 'fail', 'disproved'],
    ['the same, allowed', { allowUnproven: true }, { proof: drill }, 'drill-proof', 'warn', 'disproved'],
    ['a backup that was never drilled', {}, { proof: undefined }, 'drill-missing', 'warn', 'never restored in a drill'],
    ['a critical table', { criticalTables: ['My Shop.Orders'] }, {}, 'critical-tables', 'pass', 'holds every'],
    ['one that is not in it', { criticalTables: ['public.order'] }, {}, 'critical-tables', 'fail', 'public.order'],
    [
      'the same, unknown without facts',
      { criticalTables: ['x.y'] },
      { tables: undefined },
      'critical-tables',
      undefined,
      '',
    ],
    ['missing roles', {}, withState({ missingRoles: ['shop', 'reader'] }), 'target-roles', 'fail', 'shop, reader'],
    [
      'missing roles, to be created',
      { createRoles: true },
      withState({ missingRoles: ['shop'] }),
      'target-roles',
      'pass',
      'created',
    ],
    [
      'missing roles, without owners',
      { owner: false },
      withState({ missingRoles: ['shop'] }),
      'target-roles',
      'pass',
      'left out',
    ],
    ['missing extensions', {}, withState({ missingExtensions: ['postgis'] }), 'target-extensions', 'fail', 'postgis'],
    ['slots of what is renamed', swap, withDatabase({ slots: ['cdc'] }), 'target-replication', 'fail', 'slots: cdc'],
    ['slots of what is left alone', {}, withDatabase({ slots: ['cdc'] }), 'target-replication', undefined, ''],
    [
      'slots, waived',
      { ...swap, waive: ['slots'] },
      withDatabase({ slots: ['cdc'] }),
      'target-replication',
      'warn',
      'waived: slots: cdc',
    ],
    [
      'another thing waived',
      { ...swap, waive: ['slots'] },
      withDatabase({ subscriptions: ['s'] }),
      'target-replication',
      'fail',
      'subscriptions: s',
    ],
    ['publications', swap, withDatabase({ publications: ['p'] }), 'target-replication', 'fail', 'publications: p'],
    [
      'connections',
      swap,
      withDatabase({ connections }),
      'target-connections',
      'warn',
      '3 connections to shop will be ended: 3 of shop (api)',
    ],
    [
      'connections that `before` ends',
      { ...swap, before: 'stop' },
      withDatabase({ connections }),
      'target-connections',
      'pass',
      '3 connections',
    ],
    [
      'a prepared transaction that nobody ends',
      swap,
      withDatabase({ prepared: [{ gid: 'two-phase', seconds: 61 }] }),
      'target-prepared',
      'fail',
      'A prepared transaction keeps shop from being renamed or dropped: two-phase',
    ],
    [
      'one of this moment',
      swap,
      withDatabase({ prepared: [{ gid: 'two-phase', seconds: 2 }] }),
      'target-prepared',
      'pass',
      'No prepared transaction',
    ],
    [
      'one in what is left alone',
      {},
      withDatabase({ prepared: [{ gid: 'two-phase', seconds: 61 }] }),
      'target-prepared',
      undefined,
      '',
    ],
    ['a waived safety backup', { ...replace, safetyBackup: false }, {}, 'safety-backup', 'warn', 'will be gone'],
    ['what was written since', swap, {}, 'rpo', 'pass', 'last written 23h 45m after it'],
  ] as const)('%s', (_what, request, facts, rule, status, message) => {
    const planned = plan(request as Partial<RestoreAsked>, facts);
    const found = planned.findings.filter((one) => one.rule === rule);
    expect(found.map((one) => one.status)).toEqual(status === undefined ? [] : [status]);
    expect(found[0]?.message ?? '').toContain(message);
    if (status === 'fail' || status === 'warn') expect(planned.isRefused).toBe(status === 'fail');
    if (status === 'fail') expect(found[0]?.hint ?? '').not.toBe('');
  });

  it('says of a target that it is what backups come from, also of another source', () => {
    const place = { systemIdentifier: serverInfo.systemIdentifier, host: 'elsewhere', port: 1, database: 'shop' };
    const { findings } = plan({ swap: true }, { sources: [{ source: 'billing', ...place }] });
    expect(findings[0]?.message).toContain(
      'would be renamed, and `confirm` does not name it. The backups of billing come from it.',
    );
    const other = plan({ swap: true }, { sources: [{ source: 'billing', ...place, systemIdentifier: '1' }] });
    expect(other.findings[0]?.message).not.toContain('billing');
  });
});
