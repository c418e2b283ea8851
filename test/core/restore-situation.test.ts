import { expect, it } from 'vitest';
import { nextCommands, psqlWords } from '../../src/core/restore-next.ts';
import type { RestorePlan } from '../../src/core/restore-plan.ts';
import type { RestoreAsked } from '../../src/core/restore-request.ts';
import { describeSituation, type Situation, titleOf } from '../../src/core/restore-situation.ts';

const untouched: Situation = {
  target: 'as it was',
  restored: undefined,
  old: undefined,
  application: 'untouched',
  safety: undefined,
  failedAt: undefined,
};
const names = { restored: 'shop_restored_1', old: 'shop_old_1' };
const plan = { target: 'shop', names } as RestorePlan;
const psql = psqlWords({ host: '/run/postgresql', port: 5432, database: 'shop' }, 'dba');
const reach = { psql, stores: ['file:///srv/backups'], words: [] };
const sound = { name: 'shop_restored_1', state: 'sound' } as const;
const safety = { source: 'orders-before-restore', id: '20261122T040000Z-abcdef' };

const cases: [string, Partial<Situation>, string, string[], string[]][] = [
  [
    'left beside the target',
    { restored: sound },
    'shop is as it was, restored beside it as shop_restored_1',
    ['shop', 'shop_restored_1'],
    [
      'stop the application (`before`)',
      'put shop_restored_1 in the place of shop',
      'start the application again (`after`)',
      'drop shop_restored_1, when it is not wanted',
    ],
  ],
  [
    'swapped',
    { target: 'restored', old: 'shop_old_1', application: 'started' },
    'restored into shop',
    ['shop', 'shop_old_1', 'The application'],
    ['drop shop_old_1, once shop is seen to be right'],
  ],
  ['replaced', { target: 'restored', safety }, 'restored into shop', ['shop', `backup ${safety.id}`], []],
  ['created', { target: 'restored' }, 'restored into shop', ['shop'], []],
  [
    'stopped before anything was restored',
    { application: 'stopped', failedAt: 'restore' },
    'shop is as it was, and "restore" failed',
    ['shop', 'The application'],
    ['start the application again (`after`)'],
  ],
  ['of a target that never existed', { target: 'absent', failedAt: 'restore' }, 'shop is not restored', ['shop'], []],
  [
    'that differs',
    { restored: { name: 'shop_restored_1', state: 'differs' }, failedAt: 'compare' },
    'shop is as it was, and "compare" failed',
    ['shop', 'shop_restored_1'],
    [
      'look into shop_restored_1',
      'put shop_restored_1 in the place of shop all the same',
      'drop shop_restored_1, when it is not wanted',
    ],
  ],
  [
    'whose application does not come up',
    { target: 'restored', old: 'shop_old_1', application: 'started', failedAt: 'check health' },
    'restored into shop, and "check health" failed',
    ['shop', 'shop_old_1', 'The application'],
    ['go back to what was in shop before', 'drop shop_old_1, once shop is seen to be right'],
  ],
  [
    'whose old database could not be dropped',
    { target: 'restored', old: 'shop_old_1', failedAt: 'drop the old database' },
    'restored into shop, and "drop the old database" failed',
    ['shop', 'shop_old_1'],
    ['drop shop_old_1'],
  ],
  [
    'of a target that was dropped first',
    { target: 'dropped', safety, application: 'stopped', failedAt: 'restore' },
    'shop was dropped and is NOT restored',
    ['shop', `backup ${safety.id}`, 'The application'],
    ['bring back what was in shop', 'start the application again (`after`)'],
  ],
];

it.each(cases)('says of a restore %s what is where, and what to type', (_what, more, title, lines, commands) => {
  const situation = { ...untouched, ...more };
  expect(titleOf(situation, 'shop')).toBe(title);
  expect(describeSituation(situation, { target: 'shop', backup: 'B' }).map(({ what }) => what)).toEqual(lines);
  const next = nextCommands(situation, { before: 'stop', after: 'start' } as RestoreAsked, plan, reach);
  expect(next.map(({ to }) => to)).toEqual(commands);
  expect(next.every(({ command }) => command.length > 0)).toBe(true);
});

it('names commands that a shell takes as they are', () => {
  const next = nextCommands({ ...untouched, restored: sound }, {} as RestoreAsked, plan, reach);
  expect(next[0]?.command).toBe(
    `psql -h /run/postgresql -p 5432 -U dba -d postgres -v ON_ERROR_STOP=1 -c 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ($$shop$$, $$shop_restored_1$$)' -c 'ALTER DATABASE "shop" RENAME TO "shop_old_1"; ALTER DATABASE "shop_restored_1" RENAME TO "shop"' -c 'COMMENT ON DATABASE "shop" IS NULL'`,
  );
});

it('brings a dropped target back from its backup', () => {
  const [back] = nextCommands({ ...untouched, target: 'dropped', safety }, {} as RestoreAsked, plan, reach);
  expect(back?.command).toBe(
    `lifeboat restore --source orders-before-restore --backup ${safety.id} --store file:///srv/backups --target-url-file FILE`,
  );
});

it('secures the connection as the URL of the target does', () => {
  const place = { host: 'db', port: 5433, database: 'shop' };
  const url =
    'postgresql://dba:secret@db:5433/shop?sslmode=verify-full&sslrootcert=%2Fetc%2Four%20ca.pem&sslpassword=secret&options=-cx%3D1';
  expect(psqlWords(place, 'dba', { url })).toBe(
    "PGSSLMODE=verify-full PGSSLROOTCERT='/etc/our ca.pem' psql -h db -p 5433 -U dba -d postgres",
  );
});

it('connects beside the target, and as programs behind a prefix do', () => {
  const place = { host: 'db', port: 5433, database: 'postgres' };
  expect(psqlWords(place, 'dba')).toBe('psql -h db -p 5433 -U dba -d template1');
  expect(
    psqlWords(place, 'dba', { prefix: ['docker', 'exec', '-i', 'my db'], url: 'postgresql://h/x?sslmode=require' }),
  ).toBe("docker exec -i 'my db' psql -U dba -d template1");
});

it.each([
  ['a$&b', `psql -h /run/postgresql -p 5432 -U dba -d 'a$&b'`],
  ['a=b', `psql -h /run/postgresql -p 5432 -U dba -d 'dbname='\\''a=b'\\'''`],
])('looks into a database with an odd name, %s', (name, command) => {
  const situation: Situation = { ...untouched, restored: { name, state: 'differs' }, failedAt: 'compare' };
  const next = nextCommands(situation, {} as RestoreAsked, plan, reach);
  expect(next.find(({ to }) => to === `look into ${name}`)?.command).toBe(command);
});

it('names with the way back what it needs to work as it is typed', () => {
  const dropped: Situation = { ...untouched, target: 'dropped', safety, failedAt: 'restore' };
  const words = ['--tools-prefix', 'docker exec -i db', '--age-identity-file', 'FILE'];
  const [back] = nextCommands(dropped, {} as RestoreAsked, plan, { ...reach, words });
  expect(back?.command).toBe(
    `lifeboat restore --source ${safety.source} --backup ${safety.id} --store file:///srv/backups --tools-prefix 'docker exec -i db' --age-identity-file FILE --target-url-file FILE`,
  );
});
