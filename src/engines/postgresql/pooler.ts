import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../core/failure.ts';
import { ARRIVED } from './options.ts';

/** What to do where a connection goes through a pooler that cannot carry a backup. */
export const PAST_THE_POOLER =
  'Give in `database-url` the port of PostgreSQL itself, or of a pool in session mode (PgBouncer then needs `ignore_startup_parameters = options`): a snapshot lives in one session.';

/** Each round is won by a pooler only while its other clients take what we gave back. */
const ROUNDS = 3;
/** A pool that is full makes its clients wait. */
const MOST_WAIT_MS = 15_000;
const PID = 'SELECT pg_catalog.pg_backend_pid();';

/** Sends statements and resolves with the lines they print. */
export type Ask = (text: string) => Promise<string[]>;

/** A second connection to the same place. */
export interface Beside {
  readonly ask: Ask;
  end(): Promise<void>;
}

/**
 * Refuses a pooler that gives every transaction another server, before anything is set: what is set there stays, and
 * the next transaction of an application gets it. Where a pool is idle one client alone meets the same server again and
 * again; two tell, since each gets what the other gave back.
 *
 * @param openBeside only called where something stands between us and the server
 * @throws {Failure} `source-refused`
 */
export async function refuseTransactionPool(ask: Ask, openBeside: () => Promise<Beside>): Promise<void> {
  const [arrived] = await ask(`SELECT pg_catalog.current_setting('${ARRIVED}', true);`);
  if (arrived === 'on') return;
  const beside = await openBeside();
  try {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const [mine] = await ask(PID);
      const [others] = await inTime(beside.ask(`BEGIN; ${PID}`));
      // In this order: a pool of one server would keep us waiting for the one that the other holds.
      if (mine === others || mine !== (await ask(PID))[0]) throw inTransactions();
      await beside.ask('ROLLBACK;');
    }
  } finally {
    await beside.end();
  }
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  answer.catch(() => {}); // it may come once nobody waits for it
  return Promise.race([answer, sleep(MOST_WAIT_MS, undefined, { ref: false }).then(() => Promise.reject(noSecond()))]);
}

function noSecond(): Failure {
  const message = `The pooler gave no second connection to its server for ${MOST_WAIT_MS / 1000} s.`;
  return new Failure('source-busy', message, {
    hint: 'A backup needs four at a time: raise `default_pool_size`, or give in `database-url` the port of PostgreSQL itself.',
  });
}

export function inTransactions(): Failure {
  const message = 'The connection goes through a pooler in transaction mode: two statements met two servers.';
  return new Failure('source-refused', message, { hint: PAST_THE_POOLER });
}
