import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from './fault.ts';
import { randomMoment } from './moments.ts';

const ROWS = 20_000;
const rowsOf = (generation: string) => `SELECT g AS id, ${generation} AS generation, repeat('x', 40) AS filler
  FROM generate_series(1, ${ROWS}) g`;
const NEXT = 'UPDATE generation SET number = number + 1';
const NUMBER = '(SELECT number FROM generation)';

/** True of every snapshot, since each change is one transaction; a table emptied behind the snapshot's back breaks it. */
const ASSERTIONS = [
  `whole: SELECT count(*) = ${ROWS} FROM moving`,
  'of one moment: SELECT bool_and(m.generation = g.number) FROM moving m, generation g',
].join('\n');

interface Change {
  readonly name: string;
  readonly statements: readonly string[];
  /** Milliseconds after which the next one follows, until the run ends. */
  readonly pauseMs?: number;
  readonly moments?: number;
  readonly words?: readonly string[];
}

const transaction = (...statements: string[]) => `BEGIN; ${statements.join('; ')}; COMMIT`;
const lockFor = (seconds: number) =>
  transaction('LOCK TABLE moving IN ACCESS EXCLUSIVE MODE', `SELECT pg_sleep(${seconds})`);

const changes: readonly Change[] = [
  { name: 'writers', statements: [transaction(NEXT, 'UPDATE moving SET generation = generation + 1')] },
  { name: 'TRUNCATE', statements: [transaction(NEXT, 'TRUNCATE moving', `INSERT INTO moving ${rowsOf(NUMBER)}`)] },
  {
    name: 'ALTER that rewrites',
    statements: [transaction(NEXT, 'ALTER TABLE moving ALTER COLUMN generation TYPE int USING generation + 1')],
  },
  { name: 'DROP', statements: [transaction(NEXT, 'DROP TABLE moving', `CREATE TABLE moving AS ${rowsOf(NUMBER)}`)] },
  {
    name: 'CREATE INDEX CONCURRENTLY',
    statements: [
      'CREATE INDEX CONCURRENTLY IF NOT EXISTS moving_id ON moving (id)',
      'DROP INDEX CONCURRENTLY IF EXISTS moving_id',
    ],
  },
  {
    name: 'TRUNCATE, two streams',
    statements: [transaction(NEXT, 'TRUNCATE moving', `INSERT INTO moving ${rowsOf(NUMBER)}`)],
    words: ['--jobs', '2'],
  },
  { name: 'a lock of half a second', statements: [lockFor(0.5)], pauseMs: 1000 },
  { name: 'a lock longer than table-lock-timeout', statements: [lockFor(3)], pauseMs: 3000, moments: 2 },
];

export const ddlFaults: readonly Fault[] = changes.flatMap((change) => [
  ddlFault(change, `${change.name}, once`, false),
  ddlFault(change, `${change.name}, again and again`, true),
]);

function ddlFault(
  { statements, pauseMs = 20, moments = 3, words = [] }: Change,
  name: string,
  repeated: boolean,
): Fault {
  return {
    ...{ group: 'DDL', name, action: 'backup', store: 'file', moments, assertions: ASSERTIONS },
    expected: 'either',
    says: /DDL|in the way|truncated|dropped|lock/,
    inject: async ({ server }, dice, ground) => {
      const share = dice.share() * (repeated ? 0.3 : 1);
      let hit = false;
      return {
        changed: { words },
        hit: () => hit,
        during: async (run) => {
          if (!(await randomMoment(run, share, ground.usualMs.backup))) return;
          do {
            for (const statement of statements) await server.psql(statement, 'shop');
            hit = true;
            await delay(pauseMs);
          } while (repeated && run.isRunning());
        },
      };
    },
  };
}
