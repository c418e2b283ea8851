import { expect, it } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import { explainRestore } from '../../../src/engines/postgresql/restore-failure.ts';

function explained(message: string, where: 'own' | 'elsewhere' = 'own'): unknown {
  return explainRestore(new Failure('tool-failed', message), 'database.dump.zst', where);
}

const copying = 'pg_restore exited with 1: pg_restore: error: COPY failed for table "orders": ERROR:  ';
const asking = 'pg_restore exited with 1: pg_restore: error: could not execute query: ERROR:  ';

it.each(['user request', 'statement timeout', 'lock timeout'])(
  'says that a statement cancelled by a %s says nothing of the backup',
  (reason) => {
    const cancelled = `canceling statement due to ${reason}`;
    const expected = { code: 'scratch-failed', hint: expect.stringMatching(/pg_cancel_backend.*drill again/) };
    expect(explained(`${copying}${cancelled}\nCONTEXT:  COPY orders, line 17`)).toMatchObject(expected);
    expect(explained(`${asking}${cancelled}\nCommand was: ALTER TABLE orders ADD PRIMARY KEY (id);`)).toMatchObject(
      expected,
    );
    expect(explained(`${copying}${cancelled}\nCONTEXT:  PL/pgSQL function f() line 1 at PERFORM`)).toMatchObject(
      expected,
    );
  },
);

it.each(['PL/pgSQL function f() line 1 at RAISE', 'PL/pgSQL function f() line 1 at ASSERT', 'PL/Perl function "f"'])(
  'does not believe code of the dump that says it was cancelled: %s',
  (context) => {
    const said = `canceling statement due to user request\nCONTEXT:  ${context}\nCOPY orders, line 1: "1"`;
    expect(explained(copying + said)).toMatchObject({ code: 'restore-failed' });
  },
);

it('does not believe a row that says it was cancelled', () => {
  const check = 'new row for relation "orders" violates check constraint "c"';
  const row = 'DETAIL:  Failing row contains (ERROR:  canceling statement due to user request).';
  expect(explained(`${copying}${check}\n${row}`)).toMatchObject({ code: 'restore-failed' });
});

it('says of a connection that broke where to look: on this machine, or at the other server', () => {
  const broke = 'pg_restore exited with 1: pg_restore: error: server closed the connection unexpectedly';
  expect(explained(broke)).toMatchObject({ code: 'scratch-failed', hint: expect.stringMatching(/dmesg/) });
  expect(explained(broke, 'elsewhere')).toMatchObject({
    code: 'scratch-failed',
    message: expect.stringMatching(/scratch-url/),
    hint: expect.stringMatching(/log of that server.*network/),
  });
  expect(explained(broke, 'elsewhere')).not.toMatchObject({ hint: expect.stringMatching(/dmesg/) });
});
