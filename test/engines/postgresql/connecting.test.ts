import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import { patiently } from '../../../src/engines/postgresql/connecting.ts';
import { explain } from '../../../src/engines/postgresql/explain.ts';

/** Fails so often with these words, as psql would, and then connects. */
async function attempt(message: string, failures: number) {
  let tries = 0;
  const waits: number[] = [];
  const connect = async () => {
    tries += 1;
    if (tries <= failures) throw explain(new Failure('tool-failed', `psql exited with 2: ${message}`));
    return 'connected';
  };
  const wait = async (ms: number) => void waits.push(ms);
  const outcome = await patiently(connect, wait).catch((error: Failure) => error.code);
  return { outcome, waits };
}

const at = 'psql: error: connection to server at "127.0.0.1", port 5432 failed:';

describe('connecting', () => {
  it.each([
    `${at} FATAL:  the database system is starting up`,
    `${at} FATAL:  the database system is shutting down`,
    `${at} FATAL:  the database system is in recovery mode`,
    `${at} FATAL:  the database system is not yet accepting connections`,
    `${at} FATAL:  sorry, too many clients already`,
    `${at} FATAL:  too many connections for role "backup"`,
    `${at} FATAL:  remaining connection slots are reserved for non-replication superuser connections`,
    `${at} Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?`,
    `${at} could not receive data from server: Connection reset by peer`,
    `${at} server closed the connection unexpectedly`,
    'psql: error: connection to server on socket "/run/.s.PGSQL.5432" failed: No such file or directory\n\tIs the server running locally and accepting connections on that socket?',
  ])('is tried again: %s', async (message) => {
    expect(await attempt(message, 2)).toEqual({ outcome: 'connected', waits: [1_000, 2_000] });
  });

  it.each([
    [`${at} FATAL:  password authentication failed for user "app"`, 'source-denied'],
    [`${at} FATAL:  no pg_hba.conf entry for host "10.0.0.1"`, 'source-denied'],
    [`${at} FATAL:  database "shopp" does not exist`, 'source-unreachable'],
    [`${at} FATAL:  role "nobody" does not exist`, 'source-denied'],
    [`${at} timeout expired`, 'source-unreachable'],
    [`${at} server does not support SSL, but SSL was required`, 'source-unreachable'],
    [
      'psql: error: could not translate host name "nowhere" to address: Name or service not known',
      'source-unreachable',
    ],
    // Two hosts: the one that refuses the password decides.
    [`${at} Connection refused\n${at} FATAL:  password authentication failed for user "app"`, 'source-denied'],
  ])('is not tried again: %s', async (message, code) => {
    expect(await attempt(message, 1)).toEqual({ outcome: code, waits: [] });
  });

  it('is given up after three more tries', async () => {
    expect(await attempt(`${at} Connection refused`, 4)).toEqual({
      outcome: 'source-unreachable',
      waits: [1_000, 2_000, 4_000],
    });
    expect(await attempt(`${at} Connection refused`, 3)).toMatchObject({ outcome: 'connected' });
  });
});
